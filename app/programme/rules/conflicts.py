"""What stands in the way of a programme (rules §4.3): hard conflicts are refused, soft ones are warnings.

The texts belong to the desk alone: a conflict may name a closed session (rules §4.5).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import islice
from typing import Protocol

CHAIR = "chair"
LUNCH = "lunch"
BESIDE_LUNCH = frozenset({LUNCH, "break", "registration"})
"""Types that nobody misses lunch for."""
CHANGEOVER_MINUTES = 15


class Kind(StrEnum):
    """What can collide."""

    ROOM_TAKEN = "room_taken"
    SPEAKER_TAKEN = "speaker_taken"
    CHAIR_TAKEN = "chair_taken"
    OUTSIDE_DAYS = "outside_days"
    ENDS_BEFORE_START = "ends_before_start"
    TRACK_PARALLEL = "track_parallel"
    CHANGEOVER_SHORT = "changeover_short"
    ROOM_SMALL = "room_small"
    LUNCH_OVERLAP = "lunch_overlap"
    GUEST_UNCONFIRMED = "guest_unconfirmed"
    SPEAKER_DECLINED = "speaker_declined"
    SPEAKER_AWAY = "speaker_away"


HARD = frozenset({Kind.ROOM_TAKEN, Kind.SPEAKER_TAKEN, Kind.CHAIR_TAKEN, Kind.OUTSIDE_DAYS, Kind.ENDS_BEFORE_START})
"""Refused unless overridden with a reason; the others are warnings."""


@dataclass(frozen=True, slots=True)
class Part:
    """One person's part in a session."""

    speaker: str
    role: str
    guest: bool = False
    accepted: bool = True
    """Looked at for guests only."""
    declined: bool = False
    away: tuple[tuple[datetime, datetime], ...] = ()
    """When the person cannot come, aware UTC, each end outside."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What of a session can collide. Times are aware UTC; None while they are to be announced."""

    code: str
    type: str
    start: datetime | None
    end: datetime | None
    room: str | None = None
    room_seats: int | None = None
    """Seats in the room as it is set up; None where that is open."""
    setup: str | None = None
    changeover_minutes: int | None = None
    """How long its room takes to be set up otherwise; None: the usual time."""
    tracks: frozenset[str] = frozenset()
    people: tuple[Part, ...] = ()
    overlap_intended: bool = False
    sign_ups: int = 0
    """Places taken in this session."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing in the way: enough to phrase it, and a key under which a reason for it can be kept."""

    kind: Kind
    codes: tuple[str, ...]
    """The sessions in it, the earlier first."""
    where: tuple[str, ...] = ()
    """The room; the speaker; the shared tracks, sorted; nothing."""
    by: int = 0
    """Minutes of overlap, minutes missing in a changeover, seats missing in a room; else 0."""
    intended: bool = False
    """One of two overlapping sessions is marked so. Only warnings can be intended."""

    @property
    def hard(self) -> bool:
        """Refused unless overridden with a reason."""
        return self.kind in HARD

    @property
    def key(self) -> tuple[Kind, tuple[str, ...], tuple[str, ...]]:
        """What makes it the same conflict although minutes or seats have changed."""
        return (self.kind, self.codes, self.where)


class Timed(Protocol):
    """Anything with a time: aware UTC, or None while it is to be announced."""

    @property
    def start(self) -> datetime | None:
        """When it begins."""

    @property
    def end(self) -> datetime | None:
        """The first instant it no longer lasts."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A slot whose times are known and in order."""

    slot: Slot
    start: datetime
    end: datetime


def overlap_minutes(one: Timed, other: Timed) -> int:
    """How many minutes, rounded up, both last at once; 0 when they only touch or have no times."""
    if one.start is None or one.end is None or other.start is None or other.end is None:
        return 0
    shared = min(one.end, other.end) - max(one.start, other.start)
    return max(0, _minutes(shared))


def conflicts(
    slots: Iterable[Slot],
    *,
    first_day: date | None,
    last_day: date | None,
    zone: tzinfo,
    changeover_minutes: int = CHANGEOVER_MINUTES,
) -> list[Conflict]:
    """Everything in the way of these slots, hard before soft, whatever their order (rules §4.3).

    Cancelled sessions are to be left out. The forum's days are local dates in `zone`, both included, and an
    end at midnight after the last one is inside; a day still to be announced bounds nothing. A slot whose end
    is not after its start is reported for that alone, since it has no length to overlap with.
    """
    every = sorted(slots, key=lambda slot: slot.code)
    placed = sorted(
        (
            _Placed(slot, slot.start, slot.end)
            for slot in every
            if slot.start is not None and slot.end is not None and slot.start < slot.end
        ),
        key=lambda one: one.start,
    )
    found = [
        *_without_length(every),
        *_outside(placed, first_day, last_day, zone),
        *(conflict for one, other in _at_once(placed) for conflict in _collisions(one, other)),
        *_changeovers(placed, changeover_minutes),
        *_rooms_too_small(every),
        *_guests_unconfirmed(every),
        *_declined(every),
        *_away(placed),
    ]
    return sorted(found, key=lambda conflict: not conflict.hard)


def _without_length(slots: Iterable[Slot]) -> Iterator[Conflict]:
    for slot in slots:
        if slot.start is not None and slot.end is not None and slot.end <= slot.start:
            yield Conflict(Kind.ENDS_BEFORE_START, (slot.code,))


def _outside(
    placed: Iterable[_Placed], first_day: date | None, last_day: date | None, zone: tzinfo
) -> Iterator[Conflict]:
    opens = None if first_day is None else datetime.combine(first_day, time.min, zone)
    closes = None if last_day is None else datetime.combine(last_day + timedelta(days=1), time.min, zone)
    for one in placed:
        if (opens is not None and one.start < opens) or (closes is not None and one.end > closes):
            yield Conflict(Kind.OUTSIDE_DAYS, (one.slot.code,))


def _at_once(placed: Sequence[_Placed]) -> Iterator[tuple[_Placed, _Placed]]:
    """Each pair that overlaps, once; `placed` is in order of start."""
    for number, one in enumerate(placed, start=1):
        for other in islice(placed, number, None):
            if other.start >= one.end:
                break
            yield one, other


def _collisions(one: _Placed, other: _Placed) -> Iterator[Conflict]:
    """What two slots that overlap in time have in common and should not."""
    first, second = one.slot, other.slot
    codes = (first.code, second.code)
    minutes = overlap_minutes(one, other)
    intended = first.overlap_intended or second.overlap_intended
    if first.room is not None and first.room == second.room:
        yield Conflict(Kind.ROOM_TAKEN, codes, (first.room,), minutes)
    both = {part.speaker for part in first.people} & {part.speaker for part in second.people}
    chairs = {part.speaker for part in (*first.people, *second.people) if part.role == CHAIR}
    for speaker in sorted(both):
        yield Conflict(Kind.CHAIR_TAKEN if speaker in chairs else Kind.SPEAKER_TAKEN, codes, (speaker,), minutes)
    if tracks := first.tracks & second.tracks:
        yield Conflict(Kind.TRACK_PARALLEL, codes, tuple(sorted(tracks)), minutes, intended)
    types = {first.type, second.type}
    if LUNCH in types and not types <= BESIDE_LUNCH:
        yield Conflict(Kind.LUNCH_OVERLAP, codes, (), minutes, intended)


def _changeovers(placed: Iterable[_Placed], usual: int) -> Iterator[Conflict]:
    """Slots that follow too soon in a room that is set up differently; `placed` is in order of start."""
    latest: dict[str, _Placed] = {}
    for one in placed:
        if one.slot.room is None:
            continue
        before = latest.get(one.slot.room)
        if before is not None and _changes_setup(before.slot, one.slot):
            gap = one.start - before.end
            own = one.slot.changeover_minutes
            needed = timedelta(minutes=usual if own is None else own)
            if timedelta(0) <= gap < needed:
                codes = (before.slot.code, one.slot.code)
                yield Conflict(Kind.CHANGEOVER_SHORT, codes, (one.slot.room,), _minutes(needed - gap))
        if before is None or one.end >= before.end:
            latest[one.slot.room] = one


def _changes_setup(before: Slot, after: Slot) -> bool:
    return None not in {before.setup, after.setup} and before.setup != after.setup


def _rooms_too_small(slots: Iterable[Slot]) -> Iterator[Conflict]:
    for slot in slots:
        if slot.room is not None and slot.room_seats is not None and slot.sign_ups > slot.room_seats:
            yield Conflict(Kind.ROOM_SMALL, (slot.code,), (slot.room,), slot.sign_ups - slot.room_seats)


def _guests_unconfirmed(slots: Iterable[Slot]) -> Iterator[Conflict]:
    for slot in slots:
        for speaker in sorted({part.speaker for part in slot.people if _is_awaited(part)}):
            yield Conflict(Kind.GUEST_UNCONFIRMED, (slot.code,), (speaker,))


def _is_awaited(part: Part) -> bool:
    return part.guest and not part.accepted and not part.declined


def _declined(slots: Iterable[Slot]) -> Iterator[Conflict]:
    for slot in slots:
        for speaker in sorted({part.speaker for part in slot.people if part.declined}):
            yield Conflict(Kind.SPEAKER_DECLINED, (slot.code,), (speaker,))


def _away(placed: Iterable[_Placed]) -> Iterator[Conflict]:
    """Who is in a session at a time for which they have said that they cannot come; who declined is said so alone."""
    for one in sorted(placed, key=lambda each: each.slot.code):
        away = {part.speaker for part in one.slot.people if not part.declined and _misses(part, one)}
        for speaker in sorted(away):
            yield Conflict(Kind.SPEAKER_AWAY, (one.slot.code,), (speaker,))


def _misses(part: Part, one: _Placed) -> bool:
    return any(start < one.end and one.start < end for start, end in part.away)


def _minutes(length: timedelta) -> int:
    """Whole minutes, rounded up."""
    return -(-length // timedelta(minutes=1))
