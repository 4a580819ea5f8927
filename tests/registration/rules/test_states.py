"""A registration's life: the table of steps, the first step, the deadlines."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.registration.rules.eligibility import Mode
from app.registration.rules.states import (
    ENDED,
    HOLDS_SEAT,
    LIVE,
    STEPS,
    FirstStep,
    Origin,
    State,
    first_step,
    has_expired,
    hold_ends,
    may_follow,
    needs_confirmation,
    reminder_due,
)

SENT = datetime(2027, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


def test_every_state_has_its_line_in_the_table() -> None:
    assert set(STEPS) == set(State)


def test_every_state_but_the_draft_can_be_reached_from_the_draft() -> None:
    reached, frontier = set(), {State.DRAFT}
    while frontier:
        frontier = {after for before in frontier for after in STEPS[before]} - reached
        reached |= frontier
    assert reached == set(State) - {State.DRAFT}


def test_only_cancelled_declined_and_expired_have_ended() -> None:
    assert {State.CANCELLED, State.DECLINED, State.EXPIRED} == ENDED
    assert not [state for state in ENDED if STEPS[state]]


def test_a_live_registration_is_one_that_was_sent_and_has_not_ended() -> None:
    assert {
        State.SUBMITTED,
        State.AWAITING_APPROVAL,
        State.SEATED,
        State.WAITING,
        State.OFFERED,
    } == LIVE
    assert HOLDS_SEAT < LIVE


@pytest.mark.parametrize("state", sorted(LIVE | {State.DRAFT}))
def test_whoever_has_not_ended_can_cancel(state: State) -> None:
    assert may_follow(state, State.CANCELLED)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.SEATED, State.WAITING),
        (State.SEATED, State.OFFERED),
        (State.SEATED, State.AWAITING_APPROVAL),
        (State.OFFERED, State.WAITING),
        (State.WAITING, State.AWAITING_APPROVAL),
        (State.CANCELLED, State.SEATED),
        (State.DRAFT, State.SEATED),
        (State.SUBMITTED, State.EXPIRED),
    ],
)
def test_nobody_is_put_back_in_the_queue_and_no_step_is_skipped(before: State, after: State) -> None:
    assert not may_follow(before, after)


@pytest.mark.parametrize("state", sorted(HOLDS_SEAT))
def test_no_seat_is_lost_but_by_an_end(state: State) -> None:
    assert STEPS[state] <= ENDED | HOLDS_SEAT


def test_no_state_follows_itself() -> None:
    assert not [state for state in State if may_follow(state, state)]


@pytest.mark.parametrize("mode", [Mode.OPEN, Mode.INVITATION])
def test_without_review_a_person_is_seated_or_waits(mode: Mode) -> None:
    for hold in (True, False):
        seat = first_step(mode, hold_while_reviewing=hold, may_seat=True)
        queue = first_step(mode, hold_while_reviewing=hold, may_seat=False)
        assert (seat, queue) == (FirstStep(State.SEATED, True), FirstStep(State.WAITING, False))


@pytest.mark.parametrize(
    ("hold", "may_seat", "takes"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_under_review_a_seat_is_held_only_if_the_category_says_so_and_there_is_one(
    hold: bool, may_seat: bool, takes: bool
) -> None:
    step = first_step(Mode.MODERATED, hold_while_reviewing=hold, may_seat=may_seat)
    assert step == FirstStep(State.AWAITING_APPROVAL, takes)


@settings(deadline=None)
@given(st.sampled_from(Mode), st.booleans(), st.booleans())
def test_a_first_step_is_one_the_table_allows_and_a_seat_is_taken_where_the_state_has_one(
    mode: Mode, hold: bool, may_seat: bool
) -> None:
    step = first_step(mode, hold_while_reviewing=hold, may_seat=may_seat)
    assert may_follow(State.SUBMITTED, step.state)
    assert step.takes_seat or step.state not in HOLDS_SEAT


def test_only_those_nobody_vouched_for_confirm_their_address() -> None:
    asked = {origin for origin in Origin if needs_confirmation(origin, invited_at_this_address=False)}
    assert asked == {Origin.PERSON, Origin.ASSISTANT}
    assert not any(needs_confirmation(origin, invited_at_this_address=True) for origin in Origin)


def test_while_the_mail_is_unsent_nothing_ends_and_nobody_is_reminded() -> None:
    years_later = SENT + timedelta(days=1000)
    assert hold_ends(None, 48) is None
    assert not has_expired(None, 48, years_later)
    assert not reminder_due(None, 48, reminded=False, now=years_later)


def test_a_hold_ends_its_hours_after_the_mail_left_and_not_an_instant_earlier() -> None:
    ends_at = SENT + 48 * HOUR
    assert hold_ends(SENT, 48) == ends_at
    assert not has_expired(SENT, 48, ends_at - INSTANT)
    assert has_expired(SENT, 48, ends_at)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (SENT + 24 * HOUR - INSTANT, False),
        (SENT + 24 * HOUR, True),
        (SENT + 48 * HOUR - INSTANT, True),
        (SENT + 48 * HOUR, False),
    ],
)
def test_the_reminder_goes_out_between_half_way_and_the_end(now: datetime, due: bool) -> None:
    assert reminder_due(SENT, 48, reminded=False, now=now) is due


def test_there_is_only_one_reminder() -> None:
    assert not reminder_due(SENT, 48, reminded=True, now=SENT + 30 * HOUR)
