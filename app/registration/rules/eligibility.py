"""When and how one may register: the door of a category (rules §2) and how its seats stand.

The answers hold until a known instant, so that a page showing them can be kept exactly that long.
"""

from datetime import datetime
from enum import StrEnum

from app.registration.rules.seats import Availability, Quota

FEW_SEATS = 5
FEW_SHARE = 10


class Mode(StrEnum):
    """How a category takes people in (rules §2)."""

    OPEN = "open"
    """Seated at once."""
    MODERATED = "moderated"
    """An organiser approves."""
    INVITATION = "invitation"
    """A code or a personal invitation is needed."""


class Door(StrEnum):
    """How registration stands in time."""

    NOT_YET = "not_yet"
    OPEN = "open"
    BY_INVITATION = "by_invitation"
    CLOSED = "closed"
    OVER = "over"


class Standing(StrEnum):
    """How a category's seats stand while its door is open."""

    OPEN = "open"
    FEW_LEFT = "few_left"
    WAITING_LIST = "waiting_list"


def door_state(
    opens_at: datetime | None,
    closes_at: datetime | None,
    forum_ends_at: datetime | None,
    mode: Mode,
    now: datetime,
) -> Door:
    """How the door stands at `now`; every instant is aware UTC and belongs to what begins with it.

    Without `opens_at` the opening is still to be announced: NOT_YET. Without `closes_at` the door stays open
    until the forum ends, without that for good. The later ends win: OVER before CLOSED before NOT_YET.
    """
    if forum_ends_at is not None and now >= forum_ends_at:
        return Door.OVER
    if closes_at is not None and now >= closes_at:
        return Door.CLOSED
    if opens_at is None or now < opens_at:
        return Door.NOT_YET
    return Door.BY_INVITATION if mode is Mode.INVITATION else Door.OPEN


def valid_until(
    opens_at: datetime | None,
    closes_at: datetime | None,
    forum_ends_at: datetime | None,
    mode: Mode,
    now: datetime,
) -> datetime | None:
    """The next instant (aware UTC) at which `door_state` answers otherwise than now; None: never again."""
    current = door_state(opens_at, closes_at, forum_ends_at, mode, now)
    ahead = sorted(at for at in (opens_at, closes_at, forum_ends_at) if at is not None and at > now)
    changed = (at for at in ahead if door_state(opens_at, closes_at, forum_ends_at, mode, at) is not current)
    return next(changed, None)


def few_seats(quota: Quota) -> int:
    """From how many seats left downwards a category counts as having few.

    A tenth of its limit, or of its guarantee where it has no limit, rounded down, but at least 5: small
    categories say so early enough to matter, large ones not only when all but five seats are gone.
    """
    size = quota.guarantee if quota.limit is None else quota.limit
    return max(FEW_SEATS, size // FEW_SHARE)


def standing(available: Availability, quota: Quota) -> Standing:
    """How the seats of the quota's category stand, for the sentence beside it; no promise of a seat."""
    left = available.seats_left[quota.category]
    if left == 0:
        return Standing.WAITING_LIST
    return Standing.FEW_LEFT if left <= few_seats(quota) else Standing.OPEN
