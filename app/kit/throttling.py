"""Throttles: at most so many tries from one place in a window, counted in the database so that processes agree."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from itertools import zip_longest
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from app.kit.absences import Absence, Sought
from app.kit.db import Db, table
from app.kit.errors import TooMany
from app.kit.models import Visit
from app.kit.questions import Question

_visits = table(Visit)
_MADE = Question(
    select(_visits.c.who, func.count(), func.min(_visits.c.at))
    .where(
        _visits.c.who.in_((bindparam("one"), bindparam("other"))),
        _visits.c.at > bindparam("since"),
        _visits.c.at < bindparam("until"),
    )
    .group_by(_visits.c.who)
)
_NEVER_CAME = Absence(_visits.c.who)


def who(secret: bytes, kind: str, value: str) -> str:
    """A keyed digest of an address or e-mail: the table holds nobody's in the clear."""
    return hmac.new(secret, f"{kind}:{value}".encode(), "sha256").hexdigest()


def network(address: str) -> str:
    """What one subscriber holds: an IPv4 address, or the /64 an IPv6 address lies in (RFC 6177)."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return str(ip_network(f"{address}/64", strict=False)) if known.version == 6 else address


def count_visit(db: Db, who: str, most: int, window_seconds: int, *, now: datetime) -> None:
    """Count one try. Raises TooMany with the seconds to wait where `most` were made in the window; 0 = no limit."""
    count_visits(db, [(who, most)], window_seconds, now=now)


def sought(*whos: str) -> Sought:
    """What counting their tries asks, for whoever hands that to the pen with many others' (`Pen.submit_together`)."""
    return Sought(_NEVER_CAME, whos)


def count_visits(db: Db, tries: Sequence[tuple[str, int]], window_seconds: int, *, now: datetime) -> None:
    """Count one try for each of several (who, most), or for none: raises TooMany as `count_visit` does. A query for
    every two."""
    counted = [(who, most) for who, most in tries if most]
    if counted:
        _refuse(db, counted, window_seconds, now=now)
        for who, _ in counted:
            db.later(_visits, {"who": who, "at": now})


def must_wait(db: Db, who: str, most: int, window_seconds: int, *, now: datetime) -> None:
    """Raises TooMany where `most` tries were made in the window, and counts none; 0 = no limit."""
    if most:
        _refuse(db, [(who, most)], window_seconds, now=now)


def _refuse(db: Db, counted: Sequence[tuple[str, int]], window_seconds: int, *, now: datetime) -> None:
    window = timedelta(seconds=window_seconds)
    # what was counted by a clock that was far ahead keeps nobody out until that time has come
    around = {"since": now - window, "until": now + window}
    made: dict[str, tuple[Any, ...]] = {}
    for (one, _), (other, _) in zip_longest(counted[::2], counted[1::2], fillvalue=counted[0]):
        made |= _made(db, one, other, around)
    for who, most in counted:
        times, first = made.get(who, (0, None))
        if times >= most:
            wait = window_seconds if first is None else min(first + window - now, window).total_seconds()
            raise TooMany("too_many", seconds=max(1, int(wait)), minutes=max(1, round(wait / 60)))


def _made(db: Db, one: str, other: str, around: dict[str, datetime]) -> dict[str, tuple[Any, ...]]:
    if db.has_none(sought(one, other)):
        return {}

    def is_theirs(row: dict[str, Any]) -> bool:
        return row["who"] in {one, other}

    return {row[0]: row[1:] for row in db.ask(_MADE, {"one": one, "other": other, **around}, matters=is_theirs)}


def forget_visits(db: Db, *, before: datetime) -> int:
    """Drop what no window needs any more; how many rows went."""
    return int(db.execute(delete(_visits).where(_visits.c.at < before)).rowcount)  # type: ignore[attr-defined]
