"""Speakers: what of them is public, which answer may follow which, and when they cannot come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Generic, TypeVar

Words = TypeVar("Words")
MOST_DAYS = 14
"""Of a forum's days so many are asked about, part by part; a longer one is no forum."""


class Reply(StrEnum):
    """How it stands between the organisers and a speaker."""

    UNASKED = "unasked"
    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    """The organisers took the question back; the link is dead."""


OPEN = frozenset({Reply.ASKED, Reply.ACCEPTED, Reply.DECLINED})
"""While it stands so, the link leads to the speaker's page, and the answer may be given or changed."""
_LEADS_TO: dict[Reply, frozenset[Reply]] = {
    Reply.UNASKED: frozenset({Reply.ASKED}),
    Reply.ASKED: frozenset({Reply.ASKED, Reply.ACCEPTED, Reply.DECLINED, Reply.WITHDRAWN}),
    Reply.ACCEPTED: frozenset({Reply.ACCEPTED, Reply.DECLINED, Reply.WITHDRAWN}),
    Reply.DECLINED: frozenset({Reply.DECLINED, Reply.ACCEPTED, Reply.ASKED, Reply.WITHDRAWN}),
    Reply.WITHDRAWN: frozenset({Reply.ASKED}),
}


def may_become(state: str, wanted: Reply) -> bool:
    """May this state be followed by the wanted one?"""
    return wanted in _LEADS_TO[Reply(state)]


@dataclass(frozen=True, slots=True)
class Face(Generic[Words]):
    """What of a person stands in the public programme beside the function."""

    name: Words | None
    bio: Words | None
    photo: str | None


def face_of(*, announced: bool, name: Words | None, bio: Words | None, photo: str | None) -> Face[Words]:
    """What the programme may say of somebody: until the name is announced nothing that tells who it is.

    The one function that decides so: what it leaves out is in no version, and so in no page, file, feed or search.
    """
    return Face(name, bio, photo) if announced and name else Face(None, None, None)


class Part(StrEnum):
    """A part of a day, local to the forum."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


_HOURS = {Part.MORNING: (0, 12), Part.AFTERNOON: (12, 18), Part.EVENING: (18, 24)}
Window = tuple[datetime, datetime]
"""From when to when, UTC; the end is outside."""


def parts_of(first: date | None, last: date | None) -> list[tuple[date, Part, str]]:
    """Every part of the forum's days with the key it is kept under; none while the days are to be announced."""
    if first is None or last is None or last < first:
        return []
    days = [first + timedelta(days=number) for number in range(min((last - first).days + 1, MOST_DAYS))]
    return [(day, part, f"{day.isoformat()}.{part.value}") for day in days for part in Part]


def windows_of(keys: Iterable[str], zone: tzinfo) -> tuple[Window, ...]:
    """When somebody cannot come, in order, parts that touch as one; `zone` is the forum's. Keys of no part count for
    nothing."""
    found: list[Window] = []
    for start, end in sorted(_window(key, zone) for key in set(keys) if _is_key(key)):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def _is_key(key: str) -> bool:
    day, _, part = key.partition(".")
    try:
        return date.fromisoformat(day).isoformat() == day and part in set(Part)
    except ValueError:
        return False


def _window(key: str, zone: tzinfo) -> Window:
    day, _, part = key.partition(".")
    first, last = _HOURS[Part(part)]
    midnight = datetime.combine(date.fromisoformat(day), time.min)
    start, end = ((midnight + timedelta(hours=hours)).replace(tzinfo=zone) for hours in (first, last))
    return start.astimezone(UTC), end.astimezone(UTC)
