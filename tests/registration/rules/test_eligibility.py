"""The door and the standing of a category."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.registration.rules.eligibility import (
    Door,
    Mode,
    Standing,
    door_state,
    few_seats,
    standing,
    valid_until,
)
from app.registration.rules.seats import Quota, availability

DAY = timedelta(days=1)
OPENS = datetime(2027, 1, 10, 2, tzinfo=UTC)
CLOSES = OPENS + 30 * DAY
ENDS = OPENS + 40 * DAY
INSTANT = timedelta(microseconds=1)
instants = st.none() | st.integers(0, 6).map(lambda days: OPENS + days * DAY)


@pytest.mark.parametrize(
    ("now", "door"),
    [
        (OPENS - INSTANT, Door.NOT_YET),
        (OPENS, Door.OPEN),
        (CLOSES - INSTANT, Door.OPEN),
        (CLOSES, Door.CLOSED),
        (ENDS - INSTANT, Door.CLOSED),
        (ENDS, Door.OVER),
    ],
)
def test_each_state_begins_at_its_very_instant(now: datetime, door: Door) -> None:
    assert door_state(OPENS, CLOSES, ENDS, Mode.OPEN, now) is door


def test_a_moderated_category_is_open_and_an_invited_one_says_so() -> None:
    assert door_state(OPENS, CLOSES, ENDS, Mode.MODERATED, OPENS) is Door.OPEN
    assert door_state(OPENS, CLOSES, ENDS, Mode.INVITATION, OPENS) is Door.BY_INVITATION
    assert door_state(OPENS, CLOSES, ENDS, Mode.INVITATION, CLOSES) is Door.CLOSED


def test_an_opening_to_be_announced_is_not_yet_open() -> None:
    assert door_state(None, None, None, Mode.OPEN, OPENS) is Door.NOT_YET
    assert valid_until(None, None, None, Mode.OPEN, OPENS) is None


def test_without_a_closing_time_the_door_stays_open_until_the_forum_ends() -> None:
    assert door_state(OPENS, None, ENDS, Mode.OPEN, ENDS - INSTANT) is Door.OPEN
    assert valid_until(OPENS, None, ENDS, Mode.OPEN, OPENS) == ENDS


def test_a_closing_before_the_opening_stays_closed() -> None:
    assert door_state(CLOSES, OPENS, ENDS, Mode.OPEN, CLOSES) is Door.CLOSED


@settings(deadline=None)
@given(instants, instants, instants, st.sampled_from(Mode), st.integers(-3, 16))
def test_the_answer_holds_until_the_instant_named_and_changes_there(
    opens_at: datetime | None,
    closes_at: datetime | None,
    ends_at: datetime | None,
    mode: Mode,
    half_days: int,
) -> None:
    now = OPENS + half_days * DAY / 2

    def door(at: datetime) -> Door:
        return door_state(opens_at, closes_at, ends_at, mode, at)

    until = valid_until(opens_at, closes_at, ends_at, mode, now)
    if until is not None:
        assert until > now
        assert door(until) is not door(now)
    last = OPENS + 20 * DAY if until is None else until - INSTANT
    steps = [now + number * DAY / 4 for number in range(100)]
    assert {door(at) for at in [*steps, last] if now <= at <= last} == {door(now)}


@pytest.mark.parametrize(
    ("taken", "expected"),
    [(0, Standing.OPEN), (80, Standing.OPEN), (81, Standing.FEW_LEFT), (89, Standing.FEW_LEFT)],
)
def test_few_seats_are_a_tenth_of_the_limit(taken: int, expected: Standing) -> None:
    quota = Quota("STU", 40, 90)
    assert standing(availability(300, [quota], {"STU": taken}, OPENS), quota) is expected


def test_no_seat_left_means_the_waiting_list() -> None:
    quotas = [Quota("STU", 0, 90), Quota("PARL", 30, None)]
    seats = availability(100, quotas, {"STU": 70}, OPENS)
    assert standing(seats, quotas[0]) is Standing.WAITING_LIST
    assert standing(seats, quotas[1]) is Standing.OPEN


def test_few_is_never_less_than_five_and_goes_by_the_guarantee_where_there_is_no_limit() -> None:
    assert few_seats(Quota("INT", 8, None)) == 5
    assert few_seats(Quota("DIP", 78, None)) == 7
    assert few_seats(Quota("STU", 40, 90)) == 9
