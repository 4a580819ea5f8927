"""Signs of life of the worker: when each of its duties last ended. Web processes read them to say whether it lives."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import case, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from app.kit.db import Db, table
from app.kit.models import Heartbeat

_beats = table(Heartbeat)

EVERY_SECONDS = 15
"""How often a worker writes its signs of life."""
SPARE = timedelta(minutes=2)
"""A duty may take so long, and a worker be so late in writing, before anybody is alarmed."""

CLOCKS_DIFFER = timedelta(minutes=10)
"""A sign of life further ahead than that was left by a clock that has been set back since."""


def beat(db: Db, ended: Mapping[str, tuple[datetime, float]]) -> None:
    """Keep for each duty when it last ended (UTC) and how often it is to run (seconds). Of several workers the latest
    counts; what a clock wrote that was far ahead does not."""
    if not ended:
        return
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    rows = [{"duty": duty, "at": at, "every_seconds": every} for duty, (at, every) in sorted(ended.items())]
    put = insert(_beats)
    ahead = _beats.c.at > max(at for at, _ in ended.values()) + CLOCKS_DIFFER
    later = case((or_(put.excluded.at > _beats.c.at, ahead), put.excluded.at), else_=_beats.c.at)
    changed = {"at": later, "every_seconds": put.excluded.every_seconds}
    db.execute(put.on_conflict_do_update(index_elements=[_beats.c.duty], set_=changed), rows)


def beats(db: Db) -> dict[str, tuple[datetime, float]]:
    """Every duty that ever ended: when (UTC), and how often it is to run (seconds)."""
    return {row.duty: (row.at, row.every_seconds) for row in db.execute(select(_beats))}


def late(known: Mapping[str, tuple[datetime, float]], *, now: datetime) -> list[str]:
    """The duties that should have ended again by now, by name."""
    return sorted(
        duty for duty, (at, every) in known.items() if now - at > SPARE + timedelta(seconds=2 * every + EVERY_SECONDS)
    )
