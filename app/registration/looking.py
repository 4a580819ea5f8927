"""What changed in a person's own sessions since they last said they had seen it. Opening a page says nothing: mail
scanners open links too.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.programme.published import Programme
from app.programme.queries import number_at, published
from app.programme.rules.changes import Change
from app.registration.applying import application_of
from app.registration.models import Following, Pick
from app.registration.telling import following_of, made_between, news_of, readers

_following, _picks = table(Following), table(Pick)
FIRST = 1
COMMIT = timedelta(seconds=10)
"""A version is public a moment after its time: one as fresh as this may not have been on the page."""


def moved_since(db: Db, forum: Forum, row: Any, newest: Programme, common: Collection[str]) -> list[Change]:
    """What changed in the own sessions of the person of this row, from the version they said they had seen, or else
    the one that was public when they registered, to `newest`; of what exists for them. Whoever registered before there
    was a programme is told from its first version on.

    `common` are the uids of what is everybody's. A session picked later than it changed has not changed for them.
    Nothing for whoever holds no seat. Six queries, two where there is nothing new.
    """
    before = _seen(db, forum, row)
    if before >= newest.number:
        return []
    made = made_between(published(db, forum_id(forum), before), newest.sessions)
    mine = select(_picks.c.session_uid, _picks.c.asked_at).where(_picks.c.application_id == row.id)
    picked = {one.session_uid: one.asked_at for one in db.execute(mine)}
    return [
        change
        for reader in readers(db, forum, [row.id])
        for change in news_of(reader, made, common)
        if change.entry.uid not in picked or change.entry.changed_at > picked[change.entry.uid]
    ]


def _seen(db: Db, forum: Forum, row: Any) -> int:
    follows = following_of(db, [row.id]).get(row.id)
    if follows is not None and follows.looked is not None:
        return int(follows.looked)
    return max(number_at(db, forum_id(forum), row.asked_at), FIRST)


def look(db: Db, by: Actor, forum: Forum, code: str, *, seen_at: datetime) -> bool:
    """The person says that they have seen what their page showed at `seen_at` (UTC); says whether that is news.

    What was published since stays to be seen, and a page opened long ago takes nothing back. Nobody else finds the
    registration.
    """
    row = application_of(db, forum, code)
    if not by.owns(row.id):
        raise NotFound
    number = number_at(db, forum_id(forum), seen_at - COMMIT)
    follows = following_of(db, [row.id]).get(row.id)
    if number <= (follows.looked or 0 if follows else 0):
        return False
    if follows is None:
        db.execute(insert(_following).values(application_id=row.id, looked=number))
    else:
        db.execute(update(_following).where(_following.c.application_id == row.id).values(looked=number))
    return True
