"""Throttles: at most so many tries from one place in a window, counted in the database so that processes agree."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from sqlalchemy import bindparam, delete, func, insert, select

from app.kit.db import Db, table
from app.kit.errors import TooMany
from app.kit.models import Visit

_visits = table(Visit)
# built once: every form to register asks them, and putting a statement together costs more than having it done
_ADD = insert(_visits)
_MADE = (
    select(_visits.c.who, func.count(), func.min(_visits.c.at))
    .where(
        _visits.c.who.in_(bindparam("whose", expanding=True)),
        _visits.c.at > bindparam("since"),
        _visits.c.at < bindparam("until"),
    )
    .group_by(_visits.c.who)
)


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


def count_visits(db: Db, tries: Sequence[tuple[str, int]], window_seconds: int, *, now: datetime) -> None:
    """Count one try for each of several (who, most), or for none: raises TooMany as `count_visit` does. Two queries."""
    counted = [(who, most) for who, most in tries if most]
    if counted:
        _refuse(db, counted, window_seconds, now=now)
        db.execute(_ADD, [{"who": who, "at": now} for who, _ in counted])


def must_wait(db: Db, who: str, most: int, window_seconds: int, *, now: datetime) -> None:
    """Raises TooMany where `most` tries were made in the window, and counts none; 0 = no limit."""
    if most:
        _refuse(db, [(who, most)], window_seconds, now=now)


def _refuse(db: Db, counted: Sequence[tuple[str, int]], window_seconds: int, *, now: datetime) -> None:
    window = timedelta(seconds=window_seconds)
    # what was counted by a clock that was far ahead keeps nobody out until that time has come
    asked = {"whose": [who for who, _ in counted], "since": now - window, "until": now + window}
    made = {row[0]: row[1:] for row in db.execute(_MADE, asked)}
    for who, most in counted:
        times, first = made.get(who, (0, None))
        if times >= most:
            wait = window_seconds if first is None else min(first + window - now, window).total_seconds()
            raise TooMany("too_many", seconds=max(1, int(wait)), minutes=max(1, round(wait / 60)))


def forget_visits(db: Db, *, before: datetime) -> int:
    """Drop what no window needs any more; how many rows went."""
    return int(db.execute(delete(_visits).where(_visits.c.at < before)).rowcount)  # type: ignore[attr-defined]
