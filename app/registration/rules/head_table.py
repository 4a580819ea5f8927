"""Places at the head table: the host in the middle, the first guest at the host's right, the second at the left, and so
on outwards.

Left and right are the host's own. Whoever looks at the table from the room sees them the other way round.
"""

from dataclasses import dataclass
from enum import StrEnum

MOST_SEATS = 60
ACROSS = 7
"""So many sit along the head of a U, the host in the middle; the others along its arms."""


class Shape(StrEnum):
    """How the table stands."""

    ROW = "row"
    """One long side, everybody facing the room."""
    HORSESHOE = "horseshoe"
    """A U, the host at its head."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Seats as seen from the room, each by its number: 0 is the host's, the others count in the order of honour.

    `head` runs from the room's left to its right; the arms from the head down into the room, `left_arm` at the room's
    left, which is the host's right.
    """

    head: tuple[int, ...]
    left_arm: tuple[int, ...] = ()
    right_arm: tuple[int, ...] = ()


def plan(seats: int, shape: Shape) -> Plan:
    """The places of so many guests. Odd seats lie at the host's right, even ones at the left; the higher the number,
    the farther from the host."""
    right, left = list(range(1, seats + 1, 2)), list(range(2, seats + 1, 2))
    beside = len(right) if shape is Shape.ROW else ACROSS // 2
    head = (*reversed(right[:beside]), 0, *left[:beside])
    return Plan(head, tuple(right[beside:]), tuple(left[beside:]))
