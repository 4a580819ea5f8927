"""What of a session becomes a calendar entry, and which sessions a person's own calendar holds (rules §5)."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar


class Slot(Protocol):
    """What these rules need to know of a published session; instants are aware."""

    @property
    def uid(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def room(self) -> str | None: ...
    @property
    def starts_at(self) -> datetime | None: ...
    @property
    def ends_at(self) -> datetime | None: ...
    @property
    def cancelled(self) -> bool: ...
    @property
    def sequence(self) -> int: ...
    @property
    def changed_at(self) -> datetime: ...


AnySlot = TypeVar("AnySlot", bound=Slot)


class Status(StrEnum):
    """STATUS of a vevent (RFC 5545 §3.8.1.11)."""

    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


class Identity(NamedTuple):
    """How calendars know an entry and see that it changed: the same in every feed and in both languages."""

    uid: str
    sequence: int
    changed_at: datetime
    """DTSTAMP and LAST-MODIFIED: UTC, whole seconds, because their text has no smaller part."""


def identity(slot: Slot) -> Identity:
    """UID as it was made once with the session (never from an index or a title), SEQUENCE and last change."""
    return Identity(slot.uid, slot.sequence, slot.changed_at.astimezone(UTC).replace(microsecond=0))


def is_over(forum_ends_at: datetime | None, now: datetime) -> bool:
    """Is the forum over? Never while its dates are to be announced."""
    return forum_ends_at is not None and now >= forum_ends_at


def has_entry(slot: Slot, *, over: bool) -> bool:
    """Is there a vevent: not while the time is to be announced; for a cancelled slot until the forum is over."""
    return slot.starts_at is not None and not (slot.cancelled and over)


def changes_at(slots: Iterable[Slot], forum_ends_at: datetime | None, now: datetime) -> datetime | None:
    """The next instant at which `has_entry` answers otherwise for one of these slots; None if never."""
    if forum_ends_at is None or now >= forum_ends_at:
        return None
    return forum_ends_at if any(slot.cancelled and slot.starts_at for slot in slots) else None


def status(slot: Slot) -> Status:
    """CANCELLED stays in the calendar as such, so that nobody waits in front of a closed door."""
    return Status.CANCELLED if slot.cancelled else Status.CONFIRMED


FREE_TIME = frozenset({"break", "lunch"})
"""Nobody is missed there."""


def takes_time(slot: Slot) -> bool:
    """Does the entry make its reader busy (TRANSP: OPAQUE)? Not breaks, and not what was cancelled."""
    return not slot.cancelled and slot.type not in FREE_TIME


GATHERINGS = frozenset({"registration", "opening", "keynote", "plenary", "closing", "ceremony", "reception"})
"""Types that call all participants together, in whatever room."""
_MAKES_A_HALL = frozenset({"opening", "plenary", "closing"})


def plenaries(slots: Sequence[AnySlot], sign_ups: Collection[str]) -> list[AnySlot]:
    """The sessions that are everybody's: a gathering by its type, or any session in the plenary hall but a break.

    The plenary hall is where the forum opens, closes or meets in plenary. A session that asks for sign-up (its uid
    is in `sign_ups`) is nobody's before it is chosen.
    """
    halls = _halls(slots)
    return [slot for slot in slots if slot.uid not in sign_ups and (_gathers(slot) or _in_hall(slot, halls))]


def own_sessions(slots: Sequence[AnySlot], sign_ups: Collection[str], picks: Collection[str]) -> list[AnySlot]:
    """What a person's calendar holds, in the order of `slots`: the plenaries, and the picked sessions (their uids).

    A session in the hall that is no gathering gives way to a pick at the same time: the person is elsewhere. A
    cancelled pick stays to be seen as cancelled, but nothing gives way to it.
    """
    chosen = [slot for slot in slots if slot.uid in picks]
    attended = [slot for slot in chosen if not slot.cancelled]
    common = {
        slot.uid
        for slot in plenaries(slots, sign_ups)
        if _gathers(slot) or not any(_overlap(slot, other) for other in attended)
    }
    common |= {slot.uid for slot in chosen}
    return [slot for slot in slots if slot.uid in common]


def shared_sessions(slots: Sequence[AnySlot], sign_ups: Collection[str], picks: Collection[str]) -> list[AnySlot]:
    """What a calendar of several people holds, in the order of `slots`: the plenaries, and each session that anybody
    picked (their uids) once. Nothing gives way to a pick: the others are in the hall.
    """
    held = {slot.uid for slot in plenaries(slots, sign_ups)} | set(picks)
    return [slot for slot in slots if slot.uid in held]


def _gathers(slot: Slot) -> bool:
    return slot.type in GATHERINGS


def _halls(slots: Iterable[Slot]) -> frozenset[str]:
    return frozenset(slot.room for slot in slots if slot.room and slot.type in _MAKES_A_HALL)


def _in_hall(slot: Slot, halls: frozenset[str]) -> bool:
    return slot.room in halls and slot.type not in FREE_TIME


def _overlap(one: Slot, other: Slot) -> bool:
    if one.starts_at is None or one.ends_at is None or other.starts_at is None or other.ends_at is None:
        return False
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at
