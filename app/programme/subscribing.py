"""An organiser's private calendar of the whole published programme: made, given another address, ended."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Lang
from app.programme.models import Subscription

_forums, _subscriptions = table(Forum), table(Subscription)


def desk_feed_token(secret: bytes, subscription: int, generation: int) -> str:
    """The token of an organiser's calendar."""
    return codes.lasting_token(secret, "desk-calendar", subscription, generation)


def renew_subscription(db: Db, by: Actor, forum: Forum, lang: Lang, secret: bytes, *, now: datetime) -> None:
    """Give whoever asks a calendar of their own in this language; where there is one, another address for it.

    Raises NotFound for who is no user: only a login can have its calendar taken away.
    """
    own = forum_id(forum)
    by.must(Permission.SEE_DESK, own)
    if by.kind != "user":
        raise NotFound
    there = subscription_of(db, forum, by.id)
    if there is None:
        begun: dict[str, Any] = {"forum_id": own, "user_id": by.id, "language": lang, "digest": secrets.token_hex(16)}
        # at random, so that a number used again makes no old address live
        begun |= {"generation": 1 + secrets.randbelow(1 << 30), "made_at": now}
        there = db.execute(insert(_subscriptions).values(**begun).returning(_subscriptions)).one()
    generation = there.generation + 1
    digest = codes.digest(desk_feed_token(secret, there.id, generation))
    kept = {"language": lang, "generation": generation, "digest": digest, "made_at": now}
    db.execute(update(_subscriptions).where(_subscriptions.c.id == there.id).values(**kept))
    record(db, forum.slug, by.signature, "calendar.renewed", f"user:{by.id}", now=now)


def end_subscription(db: Db, by: Actor, forum: Forum, *, now: datetime) -> bool:
    """End one's own calendar: its address is found no more. False where there was none."""
    by.must(Permission.SEE_DESK, forum_id(forum))
    return by.kind == "user" and end_subscription_of(db, by, forum, by.id, now=now)


def end_subscription_of(db: Db, by: Actor, forum: Forum, user: int | None, *, now: datetime) -> bool:
    """The same for somebody who is let in no more. Asks nobody; for deeds and doors that have."""
    there = subscription_of(db, forum, user)
    if there is None:
        return False
    db.execute(delete(_subscriptions).where(_subscriptions.c.id == there.id))
    record(db, forum.slug, by.signature, "calendar.ended", f"user:{user}", now=now)
    return True


def forums_of_subscriptions(db: Db, user: int) -> list[str]:
    """The slugs of the forums of which somebody has a calendar. One query."""
    theirs = select(_forums.c.slug).join(_subscriptions, _subscriptions.c.forum_id == _forums.c.id)
    return list(db.execute(theirs.where(_subscriptions.c.user_id == user).order_by(_forums.c.slug)).scalars())


def subscription_of(db: Db, forum: Forum, user: int | None) -> Any:
    """This user's calendar of this forum, or None. One query."""
    mine = (_subscriptions.c.forum_id == forum_id(forum)) & (_subscriptions.c.user_id == user)
    return db.execute(select(_subscriptions).where(mine)).first()


def subscription_by_token(db: Db, token: str) -> Any:
    """The calendar whose token this is, or None where there is none or it has been renewed. One query."""
    return db.execute(select(_subscriptions).where(_subscriptions.c.digest == codes.digest(token))).first()
