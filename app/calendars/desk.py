"""An organiser's calendar, behind its own token: the whole published programme, closed sessions too."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.accounts.models import User
from app.accounts.rules import Permission
from app.calendars.feeds import Feed, feed_of
from app.calendars.shelves import Shelf
from app.forum.access import actor_of
from app.forum.models import Forum
from app.kit.db import Db, table
from app.kit.i18n import Lang, text_of
from app.programme.queries import visible_to
from app.programme.rules.visibility import Viewer
from app.programme.subscribing import subscription_by_token

_users, _forums = table(User), table(Forum)


@dataclass(frozen=True, slots=True)
class DeskHolder:
    """A forum's desk as one organiser's calendar shows it: no name, no address."""

    forum: str
    lang: Lang
    made_at: datetime


def desk_holder(db: Db, token: str) -> DeskHolder | None:
    """The organiser that this token is of, as long as they may see the desk; else None, and the calendar is not found.

    Asked at each fetch, so that whoever leaves the desk has read its calendar for the last time. Four queries.
    """
    found = subscription_by_token(db, token)
    if found is None:
        return None
    user = db.execute(select(User).where(_users.c.id == found.user_id, _users.c.disabled.is_(False))).scalar()
    if user is None or not actor_of(db, user).may(Permission.SEE_DESK, found.forum_id):
        return None
    slug = db.execute(select(_forums.c.slug).where(_forums.c.id == found.forum_id)).scalar_one()
    return DeskHolder(slug, "km" if found.language == "km" else "en", found.made_at)


def of_desk(shelf: Shelf, holder: DeskHolder, token: str, *, now: datetime) -> Feed:
    """Every session of the public version, those that are closed to others too; never the working copy."""
    return feed_of(
        shelf,
        visible_to(shelf.programme, Viewer(desk=True)).sessions,
        text_of(shelf.lang, "calendars.ics.desk", forum=shelf.short_title),
        f"{shelf.base_url}/calendars/{token}.ics",
        f"{shelf.root}/programme",
        (shelf.forum.slug, "desk"),
        now=now,
        changed_at=holder.made_at,
    )
