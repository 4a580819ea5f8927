"""What mails to colleagues say: which roles they have in a forum, and the link that brings them to its desk."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.accounts import signing_in
from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.rules import Role
from app.forum.access import INVITED, actor_of
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Lang, text_of
from app.mail.outbox import Claimed

_users = table(User)


@dataclass(frozen=True, slots=True)
class Colleagues:
    """The values of such a mail, the path of its link, and who reads it."""

    values: dict[str, Any]
    path: str
    name: str


def about_colleague(
    db: Db, forum: Forum, message: Claimed, user_id: int, lang: Lang, *, now: datetime, masked: bool = False
) -> Colleagues:
    """Look up what such a mail says; an invitation's link is made here, unless it is `masked` anyway. Raises NotFound
    where no role is left."""
    user = db.execute(select(User).where(_users.c.id == user_id, _users.c.disabled.is_(False))).scalar_one_or_none()
    roles = actor_of(db, user).roles.get(forum_id(forum)) if user is not None else None
    if user is None or not roles:
        raise NotFound
    words = ", ".join(text_of(lang, f"access.roles.{role.value}") for role in Role if role in roles)
    path = f"/desk/{forum.slug}"
    if message.template == INVITED and not masked:
        token = signing_in.make_link(db, Actor.worker(), user, now=now, lasts=signing_in.INVITATION_LASTS)
        path = f"/login/{token}"
    return Colleagues({"roles": words, "forum": forum.title.of(lang)}, path, user.name or user.email)
