"""Delegations (rules §3): when a focal point is reminded, and whether the parties have equal shares."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

EVEN = frozenset({"PTY"})
"""The categories in which every delegation has the same number of seats unless a reason is written: the parties."""

REMIND_BEFORE = timedelta(days=7)
"""How long before the deadline a focal point with unnamed seats is reminded, once."""


def remind_at(invited_at: datetime, deadline: datetime) -> datetime:
    """When the one reminder is due: a week before the deadline, or half-way where the invitation came later than two
    weeks before, so that nobody is reminded of what was only just asked."""
    return max(deadline - REMIND_BEFORE, invited_at + (deadline - invited_at) / 2)


@dataclass(frozen=True, slots=True)
class Share:
    """One delegation's seats, and why they are another number than the others'."""

    code: str
    seats: int
    reason: str = ""


def common_share(shares: Iterable[Share]) -> int | None:
    """The seats a delegation has unless a reason is written: the most usual number, the smaller of two as usual.

    Those with a reason do not count, unless all have one. None where there are no delegations.
    """
    found = list(shares)
    plain = [share for share in found if not share.reason] or found
    counted = Counter(share.seats for share in plain)
    return min(counted, key=lambda seats: (-counted[seats], seats), default=None)


def differing(shares: Iterable[Share]) -> list[Share]:
    """The delegations with another number of seats than the common one, with their reasons; in the order given."""
    found = list(shares)
    common = common_share(found)
    return [share for share in found if share.seats != common]


def needs_reason(others: Iterable[Share], seats: int) -> int | None:
    """The common share of the other delegations where this number differs from it and so needs a reason; else None."""
    common = common_share(others)
    return common if common is not None and common != seats else None
