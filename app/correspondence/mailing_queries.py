"""Reads of mailings: one, the list, and how far each has come."""

from typing import Any

from sqlalchemy import select

from app.accounts.models import User
from app.correspondence.models import Mailing
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound

_mailings, _users = table(Mailing), table(User)
NEWS, NOTICE, TEST = "mailing/news", "mailing/notice", "mailing/test"
MAILINGS = frozenset({NEWS, NOTICE, TEST})
"""The templates of a mailing's mails: what may be turned off, what is essential, and what goes to an organiser."""


def mailing_of(db: Db, forum: Forum, number: int) -> Any:
    """The forum's mailing with this number, with `by`, who wrote it. Raises NotFound. One query."""
    mine = (_mailings.c.forum_id == forum_id(forum)) & (_mailings.c.number == number)
    wanted = select(_mailings, _users.c.name.label("by")).outerjoin(_users, _users.c.id == _mailings.c.user_id)
    row = db.execute(wanted.where(mine)).first()
    if row is None:
        raise NotFound
    return row


def mailings_of(db: Db, own: int, *, before: int | None = None, most: int | None = None) -> list[Any]:
    """The forum's mailings, the newest first, so many of them from below the number `before`. One query."""
    wanted = select(_mailings, _users.c.name.label("by")).outerjoin(_users, _users.c.id == _mailings.c.user_id)
    if before is not None:
        wanted = wanted.where(_mailings.c.number < before)
    mine = wanted.where(_mailings.c.forum_id == own).order_by(_mailings.c.number.desc())
    return list(db.execute(mine.limit(most)))


def batch_of(forum: Forum, number: int) -> str:
    """What the messages of a mailing are called together."""
    return f"mailing:{forum.slug}:{number}"
