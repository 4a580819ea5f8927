"""The worker's part in what is done with many registrations: a piece at a time, in the name of whoever began it."""

from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.models import User
from app.forum.access import actor_of
from app.forum.models import Forum
from app.jobs.crew import Crew
from app.kit import clock
from app.kit.db import Db, table
from app.kit.errors import Forbidden, NotFound
from app.registration import deciding_many

_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)
"""An archive may have brought one with nothing in it that can be done: it must not keep all others waiting."""


def go_on(crew: Crew) -> int:
    """Do the next piece of what waits longest; 0 where nothing waits. Whoever has lost the role meanwhile may not go on
    with it: the rest is not done."""
    bulk = crew.database.read(deciding_many.pending)
    if bulk is None:
        return 0
    forums = table(Forum)
    slug = crew.database.read(
        lambda db: db.execute(select(forums.c.slug).where(forums.c.id == bulk.forum_id)).scalar_one()
    )

    def piece(db: Db) -> None:
        forum = db.execute(select(Forum).where(forums.c.id == bulk.forum_id)).scalar_one()
        try:
            deciding_many.go_on(db, _whoever(db, bulk), forum, bulk.number, now=clock.now())
        except (Forbidden, NotFound, *_UNREADABLE):
            deciding_many.stop(db, Actor.worker(), forum, bulk.number, now=clock.now())

    crew.pen.write_now(slug, piece)
    return 1


def _whoever(db: Db, bulk: Any) -> Actor:
    """Who began it, or began to take it back, with the roles held now. Raises Forbidden for one who is disabled."""
    number = bulk.taken_back_by if bulk.state == "taking_back" else bulk.user_id
    if number is None:
        return Actor.operator()
    user = db.execute(select(User).where(table(User).c.id == number)).scalar_one()
    if user.disabled:
        raise Forbidden("forbidden")
    return actor_of(db, user)
