"""Who has which session's form open, so that two organisers see each other before they save."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.programme.models import Mark, Session

_marks, _sessions = table(Mark), table(Session)
LASTS = timedelta(minutes=2)
"""How long after it was last heard of a form counts as open."""


@dataclass(frozen=True, slots=True)
class Marked:
    """Somebody who has a session's form open, and since when (UTC)."""

    user_id: int
    name: str
    since: datetime


def mark(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> None:
    """Note that whoever this is has the session's form open; what was not heard of for a while goes.

    No fact: nothing of the programme changed. Raises NotFound where there is no such session.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    uid = db.execute(select(_sessions.c.uid).where(_sessions.c.forum_id == own, _sessions.c.code == code)).scalar()
    if uid is None:
        raise NotFound
    db.execute(delete(_marks).where(_marks.c.forum_id == own, _marks.c.seen_at < now - LASTS))
    if by.kind != "user" or by.id is None:
        return
    mine = (_marks.c.forum_id == own, _marks.c.session_uid == uid, _marks.c.user_id == by.id)
    if db.execute(select(_marks.c.id).where(*mine)).first():
        db.execute(update(_marks).where(*mine).values(seen_at=now))
        return
    db.add(Mark(forum_id=own, session_uid=uid, user_id=by.id, name=by.name, since=now, seen_at=now))
    db.flush()


def unmark(db: Db, by: Actor, own: int, uid: str) -> None:
    """Whoever saved a session's form has it open no more."""
    mine = (_marks.c.forum_id == own, _marks.c.session_uid == uid, _marks.c.user_id == by.id)
    db.execute(delete(_marks).where(*mine))


def marks_of(db: Db, own: int, by: Actor, *, now: datetime) -> dict[str, list[Marked]]:
    """Who else than `by` has forms open, by the session's uid. One query."""
    open_ones = select(_marks).where(_marks.c.forum_id == own, _marks.c.seen_at >= now - LASTS)
    found: dict[str, list[Marked]] = {}
    for row in db.execute(open_ones.order_by(_marks.c.since)):
        if by.kind != "user" or row.user_id != by.id:
            found.setdefault(row.session_uid, []).append(Marked(row.user_id, row.name, row.since))
    return found
