"""Places at the head table: everybody has one, the first at the host's right, honour falling outwards."""

from hypothesis import given
from hypothesis import strategies as st

from app.registration.rules.head_table import ACROSS, MOST_SEATS, Plan, Shape, plan

SEATS = st.integers(1, MOST_SEATS)


@given(SEATS, st.sampled_from(Shape))
def test_every_seat_has_one_place_and_the_host_the_middle(seats: int, shape: Shape) -> None:
    found = plan(seats, shape)
    assert sorted((*found.head, *found.left_arm, *found.right_arm)) == list(range(seats + 1))
    middle = found.head.index(0)
    beside = len(found.head) - 1 - middle
    assert middle - beside in {0, 1}, "one more at the right where they are odd"


@given(SEATS, st.sampled_from(Shape))
def test_honour_falls_outwards_on_both_sides(seats: int, shape: Shape) -> None:
    found = plan(seats, shape)
    middle = found.head.index(0)
    right = (*reversed(found.head[:middle]), *found.left_arm)
    left = (*found.head[middle + 1 :], *found.right_arm)
    assert list(right) == sorted(right)
    assert list(left) == sorted(left)
    assert all(seat % 2 for seat in right)
    assert not any(seat % 2 for seat in left)


def test_the_hosts_right_is_at_the_rooms_left() -> None:
    assert plan(4, Shape.ROW) == Plan((3, 1, 0, 2, 4))
    assert plan(9, Shape.HORSESHOE) == Plan((5, 3, 1, 0, 2, 4, 6), (7, 9), (8,))
    assert len(plan(20, Shape.HORSESHOE).head) == ACROSS
