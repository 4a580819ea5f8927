"""What is left of two registrations of one person: which standing stays, and what becomes of the seats."""

from dataclasses import dataclass

from app.registration.rules.states import State

_BETTER = (State.SEATED, State.OFFERED, State.WAITING, State.AWAITING_APPROVAL)


@dataclass(frozen=True, slots=True)
class Part:
    """How one of the two stands."""

    state: State
    has_seat: bool
    category: int
    in_hall: bool = True


@dataclass(frozen=True, slots=True)
class Joined:
    """What the kept registration does. Nobody is given a seat by it: at most one of those there were stays."""

    takes_over: bool
    """It takes the other's state, group and place in the queue."""
    moves_seat: bool
    """The other's seat becomes its own."""
    frees_kept_seat: bool
    """Its own seat is given back."""
    same_queue: bool
    """Both wait or await in one group: the earlier place counts."""


def joined(kept: Part, dropped: Part) -> Joined:
    """The better of the two stays: who holds a seat before who does not, then seated, offered, waiting, under review.

    Where both stand alike, the kept one's own stays; also where the other is only a badge outside the hall.
    """
    takes_over = kept.in_hall == dropped.in_hall and _rank(dropped) < _rank(kept)
    same = kept.state is dropped.state and kept.category == dropped.category and not kept.has_seat
    return Joined(
        takes_over=takes_over,
        moves_seat=takes_over and dropped.has_seat,
        frees_kept_seat=takes_over and kept.has_seat,
        same_queue=not takes_over and same and not dropped.has_seat,
    )


def _rank(part: Part) -> tuple[bool, int]:
    """The lower the better; who has ended stands last, as the two may be compared still."""
    return not part.has_seat, _BETTER.index(part.state) if part.state in _BETTER else len(_BETTER)
