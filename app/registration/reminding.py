"""Reminding focal points, once, of seats that are not named yet (rules §3)."""

from datetime import datetime

from sqlalchemy import func, select, update

from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.registration.delegations import write_to_focal_point
from app.registration.models import Delegation, Seat
from app.registration.rules.delegations import remind_at
from app.registration.seating import is_over

_delegations, _seats = table(Delegation), table(Seat)


def remind_focal_points(db: Db, forum: Forum, *, now: datetime) -> int:
    """Write to those whose deadline is near and who have unnamed seats; how many. One query where none is due."""
    if is_over(forum, now):
        return 0
    unnamed = (
        select(func.count())
        .where(_seats.c.delegation_id == _delegations.c.id, _seats.c.application_id.is_(None))
        .scalar_subquery()
    )
    live = _delegations.c.released_at.is_(None) & _delegations.c.ended_at.is_(None)
    rows = db.execute(
        select(_delegations, unnamed.label("unnamed")).where(
            _delegations.c.forum_id == forum_id(forum),
            live,
            _delegations.c.reminded_at.is_(None),
            _delegations.c.deadline > now,
            unnamed > 0,
        )
    ).all()
    due = [row for row in rows if remind_at(row.created_at, row.deadline) <= now]
    for row in due:
        db.execute(update(_delegations).where(_delegations.c.id == row.id).values(reminded_at=now))
        write_to_focal_point(db, forum, row, "reminder", now=now)
    return len(due)
