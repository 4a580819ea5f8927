"""Throttles: at most so many tries from one place in a window, counted in the database so that processes agree."""

import hmac
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from sqlalchemy import delete, func, insert, select

from app.kit.db import Db, table
from app.kit.errors import TooMany
from app.kit.models import Visit

_visits = table(Visit)


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
    if not most:
        return
    must_wait(db, who, most, window_seconds, now=now)
    db.execute(insert(_visits).values(who=who, at=now))


def must_wait(db: Db, who: str, most: int, window_seconds: int, *, now: datetime) -> None:
    """Raises TooMany where `most` tries were made in the window, and counts none; 0 = no limit."""
    if not most:
        return
    window = timedelta(seconds=window_seconds)
    # what was counted by a clock that was far ahead keeps nobody out until that time has come
    mine = (_visits.c.who == who) & (_visits.c.at > now - window) & (_visits.c.at < now + window)
    made, first = db.execute(select(func.count(), func.min(_visits.c.at)).where(mine)).one()
    if made >= most:
        wait = window_seconds if first is None else min(first + window - now, window).total_seconds()
        raise TooMany("too_many", seconds=max(1, int(wait)), minutes=max(1, round(wait / 60)))


def forget_visits(db: Db, *, before: datetime) -> int:
    """Drop what no window needs any more; how many rows went."""
    return int(db.execute(delete(_visits).where(_visits.c.at < before)).rowcount)  # type: ignore[attr-defined]
