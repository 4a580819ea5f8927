"""A file in part (RFC 9110 §14): one range, or the whole where more or anything else is asked for."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_ONE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*\Z", re.IGNORECASE)


class NotSatisfiable(Exception):
    """The range that was asked for begins behind the end (416)."""


def range_of(asked: str | None, size: int) -> tuple[int, int] | None:
    """The first byte and the last one that are asked for; None for the whole.

    Several ranges at once are answered with the whole, as a server may: what asks for a thousand parts gets one.
    Raises NotSatisfiable.
    """
    found = _ONE.match(asked) if asked else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        last = int(found[2])
        if last == 0:
            raise NotSatisfiable
        return max(0, size - last), size - 1
    first, end = int(found[1]), int(found[2]) if found[2] else size - 1
    if found[2] and end < first:
        return None  # no range at all by its form
    if first >= size:
        raise NotSatisfiable
    return first, min(end, size - 1)


def still_holds(condition: str | None, etag: str, modified: datetime) -> bool:
    """Is what `If-Range` names still the file? Only a strong ETag or the very Last-Modified is (§13.1.5)."""
    if condition is None:
        return True
    if condition.startswith(('"', "W/")):
        return condition == etag
    try:
        return parsedate_to_datetime(condition).astimezone(UTC) == modified.astimezone(UTC).replace(microsecond=0)
    except (ValueError, TypeError, OverflowError):
        return False
