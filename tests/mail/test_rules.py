"""When a message is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mail.rules import Outcome, next_attempt

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PATIENT = [Outcome.CONFIGURATION, Outcome.CONNECTION]


def waits(outcome: Outcome, attempts: int) -> list[int | None]:
    """Minutes to wait after each of the first attempts; None where it gives up."""
    following = [next_attempt(outcome, number, NOON) for number in range(1, attempts + 1)]
    return [None if at is None else (at - NOON) // MINUTE for at in following]


@pytest.mark.parametrize(
    ("outcome", "minutes"),
    [
        (Outcome.TEMPORARY, [5, 15, 30, 60, 120, 240, 240, 240]),
        (Outcome.POLICY, [15, 30, 60, 120, 240, 240, 240, 240]),
        (Outcome.CONFIGURATION, [15, 30, 60, 60, 60, 60, 60, 60]),
        (Outcome.CONNECTION, [1, 2, 5, 10, 15, 15, 15, 15]),
        (Outcome.PERMANENT, [None] * 8),
    ],
)
def test_the_wait_grows_by_kind_of_error(outcome: Outcome, minutes: list[int | None]) -> None:
    assert waits(outcome, 8) == minutes


@pytest.mark.parametrize("outcome", [Outcome.TEMPORARY, Outcome.POLICY])
def test_a_message_put_off_is_given_up_after_about_five_days(outcome: Outcome) -> None:
    tried = [minutes for minutes in waits(outcome, 60) if minutes is not None]
    assert timedelta(days=4, hours=12) <= sum(tried) * MINUTE <= timedelta(days=5, hours=12)
    assert waits(outcome, 60)[len(tried) :] == [None] * (60 - len(tried))


@settings(deadline=None)
@given(st.sampled_from(PATIENT), st.integers(1, 100_000))
def test_a_message_that_is_not_to_blame_is_never_given_up(outcome: Outcome, attempts: int) -> None:
    following = next_attempt(outcome, attempts, NOON)
    assert following is not None
    assert NOON < following <= NOON + timedelta(hours=1)


@settings(deadline=None)
@given(st.sampled_from([Outcome.TEMPORARY, Outcome.POLICY, *PATIENT]), st.integers(1, 32))
def test_nobody_knocks_faster_the_longer_it_lasts(outcome: Outcome, attempts: int) -> None:
    earlier, later = next_attempt(outcome, attempts, NOON), next_attempt(outcome, attempts + 1, NOON)
    assert earlier is not None
    assert later is not None
    assert earlier <= later


@pytest.mark.parametrize(("outcome", "attempts"), [(Outcome.SENT, 1), (Outcome.CONNECTION, 0)])
def test_what_was_sent_or_never_tried_has_no_next_attempt(outcome: Outcome, attempts: int) -> None:
    with pytest.raises(ValueError, match="no next attempt"):
        next_attempt(outcome, attempts, NOON)
