"""Why somebody waits (rules §1): what keeps a category from its next seat.

The rule of seats asks only whether one may be given; this says which of its conditions is the one that does not hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.registration.rules.seats import Quota, availability, guarantee_at, may_give


class Why(StrEnum):
    """The first that holds, in this order: a limit would block in an empty hall too, and a full hall whatever is
    guaranteed."""

    LIMIT = "limit"
    """The category has as many seats as it may have."""
    OVER = "over"
    """More seats are taken than there are places: the next ones that are freed go with their places."""
    FULL = "full"
    OTHERS = "others"
    """What is free is guaranteed to other categories."""
    DUE = "due"
    """A seat may be given, and is with the next deed about seats."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a category's list does not move, in seats: its limit, the hall's capacity, by how many the hall is over, how
    many are free, and the categories they are guaranteed to, in the order of the quotas."""

    why: Why
    limit: int
    capacity: int
    over: int
    free: int
    promised_to: tuple[str, ...] = ()


def why_waiting(
    capacity: int, quotas: Sequence[Quota], taken: Mapping[str, int], category: str, now: datetime
) -> Reason:
    """Why nobody in `category` is given a seat, as things stand at `now` (aware UTC).

    `taken` as for `seats.may_give`. Asking for a category without a quota: KeyError.
    """
    own = {quota.category: quota for quota in quotas}[category]
    held, free = taken.get(category, 0), availability(capacity, quotas, taken, now).free_total
    over = max(0, sum(taken.values()) - capacity)
    promised = tuple(quota.category for quota in quotas if guarantee_at(quota, now) > taken.get(quota.category, 0))
    if own.limit is not None and held >= own.limit:
        why = Why.LIMIT
    elif over:
        why = Why.OVER
    elif not free:
        why = Why.FULL
    elif not may_give(capacity, quotas, taken, category, now):
        why = Why.OTHERS
    else:
        why = Why.DUE
    return Reason(why, own.limit or 0, capacity, over, free, promised if why is Why.OTHERS else ())
