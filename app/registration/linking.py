"""Showing a person's own link to an organiser, for when mail cannot reach the person (rules §2)."""

from datetime import datetime

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.registration.applying import application_of, manage_token


def show_link(db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime) -> tuple[str, str]:
    """The language and token of the person's own page; that it was shown, and to whom, stays in the history.

    Raises Forbidden without the permission, NotFound for a code of no registration in this forum.
    """
    by.must(Permission.SHOW_LINKS, forum_id(forum))
    row = application_of(db, forum, code)
    record(db, forum.slug, by.signature, "registration.link_shown", f"registration:{row.code}", now=now)
    return row.language, manage_token(secret, row.id, row.manage_generation)
