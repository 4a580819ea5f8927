"""Which standing stays when two registrations become one."""

from hypothesis import given
from hypothesis import strategies as st

from app.registration.rules.merges import Part, joined
from app.registration.rules.states import HOLDS_SEAT, State

states = st.sampled_from([State.SEATED, State.OFFERED, State.WAITING, State.AWAITING_APPROVAL])


@st.composite
def parts(draw: st.DrawFn) -> Part:
    state = draw(states)
    held = state is State.AWAITING_APPROVAL and draw(st.booleans())
    return Part(state, state in HOLDS_SEAT or held, draw(st.integers(1, 2)), draw(st.booleans()))


@given(parts(), parts())
def test_at_most_one_seat_of_the_two_is_left_and_one_where_there_was_one(kept: Part, dropped: Part):
    found = joined(kept, dropped)
    left = (kept.has_seat and not found.frees_kept_seat) + found.moves_seat
    if kept.in_hall == dropped.in_hall:
        assert left == (kept.has_seat or dropped.has_seat)
    else:
        assert left == kept.has_seat


@given(parts(), parts())
def test_nobody_stands_worse_after_it_and_where_both_stand_alike_nothing_moves(kept: Part, dropped: Part):
    found = joined(kept, dropped)
    if kept.has_seat and not dropped.has_seat:
        assert not found.takes_over
    if (kept.state, kept.has_seat) == (dropped.state, dropped.has_seat):
        assert not found.takes_over


@given(parts(), parts())
def test_whichever_is_kept_the_same_standing_stays(kept: Part, dropped: Part):
    one, other = joined(kept, dropped), joined(dropped, kept)
    assert not (one.takes_over and other.takes_over)
