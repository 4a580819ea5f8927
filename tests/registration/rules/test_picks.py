"""Who gets a place in a session's room, where a pick stands, and what clashes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.registration.rules.picks import PickState, admitted, clashes, follows, overlap
from app.registration.rules.seats import Waiting

NOW = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
SEATED, WAITING, PICKED = PickState.SEATED, PickState.WAITING, PickState.PICKED


@dataclass(frozen=True, slots=True)
class Slot:
    uid: str
    starts_at: datetime | None
    ends_at: datetime | None


def slot(uid: str, first: int, last: int) -> Slot:
    return Slot(uid, NOW + timedelta(minutes=first), NOW + timedelta(minutes=last))


people = st.lists(st.integers(0, 20), max_size=12).map(
    lambda asked: [Waiting(number, "", 0, NOW + timedelta(minutes=at)) for number, at in enumerate(asked)]
)


@given(places=st.integers(0, 12), taken=st.integers(0, 14), waiting=people)
def test_places_go_by_time_asked_never_beyond_what_there_is_and_none_is_wasted(
    places: int, taken: int, waiting: list[Waiting]
) -> None:
    served = admitted(places, taken, waiting, NOW)
    assert len(served) == min(len(waiting), max(0, places - taken))
    assert served == sorted(waiting, key=lambda each: (each.asked_at, each.id))[: len(served)]


@given(state=st.sampled_from(PickState), live=st.booleans(), signs_up=st.booleans(), counts=st.booleans())
def test_a_place_is_kept_only_in_a_session_that_takes_place_asks_for_it_and_by_whom_it_counts(
    state: PickState, live: bool, signs_up: bool, counts: bool
) -> None:
    after = follows(state, live=live, signs_up=signs_up, counts=counts)
    assert (after is SEATED) == (state is SEATED and live and signs_up and counts)
    assert follows(after, live=live, signs_up=signs_up, counts=counts) is after


def test_a_cancelled_session_stays_picked_and_its_place_is_asked_for_again_when_it_takes_place_after_all() -> None:
    cancelled = follows(SEATED, live=False, signs_up=True, counts=True)
    assert cancelled is PICKED
    assert follows(cancelled, live=True, signs_up=True, counts=True) is WAITING
    assert follows(WAITING, live=False, signs_up=True, counts=True) is WAITING


def test_sessions_that_only_touch_or_have_no_time_yet_do_not_overlap() -> None:
    assert overlap(slot("a", 0, 60), slot("b", 59, 90))
    assert not overlap(slot("a", 0, 60), slot("b", 60, 90))
    assert not overlap(slot("a", 0, 60), Slot("b", None, None))


def test_only_pairs_with_something_new_clash() -> None:
    one, other, third = slot("a", 0, 60), slot("b", 30, 90), slot("c", 80, 120)
    assert clashes([one, other, third], {"c"}) == [(other, third)]
    assert clashes([one, other, third], {"a", "c"}) == [(one, other), (other, third)]
    assert clashes([one, other, third], set()) == []
