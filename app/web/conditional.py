"""Conditional requests (RFC 9110 §13), in one place for the bytes layer and for what is never kept in it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime


def http_date(instant: datetime) -> str:
    """An aware instant as HTTP writes it, in GMT and whole seconds."""
    return format_datetime(instant.astimezone(UTC).replace(microsecond=0), usegmt=True)


def unchanged(etag: bytes, modified: float, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """May a GET or HEAD with these headers be answered 304?

    `etag` is the strong, quoted one of the answer; `modified` its Last-Modified in seconds since 1970, 0 for none.
    If-None-Match decides where it is sent, compared weakly; If-Modified-Since only where it is not (§13.2.2).
    """
    none_match: list[bytes] = []
    since = b""
    for name, value in headers:
        if name == b"if-none-match":
            none_match.append(value)
        elif name == b"if-modified-since":
            since = value
    if none_match:
        sent = {tag.strip().removeprefix(b"W/") for value in none_match for tag in value.split(b",")}
        return etag in sent or b"*" in sent
    return bool(since and modified) and _not_after(modified, since)


def _not_after(modified: float, since: bytes) -> bool:
    try:
        return modified <= parsedate_to_datetime(since.decode("latin-1")).replace(tzinfo=UTC).timestamp()
    except (ValueError, TypeError, OverflowError):
        return False  # a date that is none is as good as not sent
