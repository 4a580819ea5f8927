"""Showing a person's own link to an organiser, for when mail cannot reach the person (rules §2)."""

from datetime import datetime

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.registration.applying import application_of, manage_token
from app.registration.models import Needs
from app.registration.question_queries import answers_of


def show_link(db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime) -> tuple[str, str]:
    """The language and token of the person's own page; that it was shown, and to whom, stays in the history.

    The page behind it shows what the person needs and answered, so where anything of it is sensitive SEE_SENSITIVE is
    asked too. Raises Forbidden without the permission, NotFound for a code of no registration in this forum.
    """
    by.must(Permission.SHOW_LINKS, forum_id(forum))
    row = application_of(db, forum, code)
    needs = db.execute(select(table(Needs).c.application_id).where(table(Needs).c.application_id == row.id)).first()
    if needs or any(one.question.sensitive for one in answers_of(db, row.id, sensitive=True)):
        by.must(Permission.SEE_SENSITIVE, forum_id(forum))
    record(db, forum.slug, by.signature, "registration.link_shown", f"registration:{row.code}", now=now)
    return row.language, manage_token(secret, row.id, row.manage_generation)
