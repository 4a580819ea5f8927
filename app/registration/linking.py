"""Showing a person's own link to an organiser, for when mail cannot reach the person (rules §2)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.registration.applying import application_of, manage_token
from app.registration.models import Answer, File, Letter, Needs, Question

_questions, _letters = table(Question), table(Letter)
_needs, _answers, _files = table(Needs), table(Answer), table(File)


def show_link(db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime) -> tuple[str, str]:
    """The language and token of the person's own page; that it was shown, and to whom, stays in the history.

    The page behind it shows what the person needs and answered, and the passport in letters, so where anything of it is
    sensitive SEE_SENSITIVE is asked too. Raises Forbidden without the permission, NotFound for a code of no
    registration in this forum.
    """
    by.must(Permission.SHOW_LINKS, forum_id(forum))
    row = application_of(db, forum, code)
    if holds_sensitive(db, [row.id]):
        by.must(Permission.SEE_SENSITIVE, forum_id(forum))
    record(db, forum.slug, by.signature, "registration.link_shown", f"registration:{row.code}", now=now)
    return row.language, manage_token(secret, row.id, row.manage_generation)


def holds_sensitive(db: Db, applications: Sequence[int]) -> bool:
    """Is anything kept about one of these registrations that only SEE_SENSITIVE may see?

    Meals and access needs, answers and files given to sensitive questions, what letters hold of passports. Four queries
    at most for every 500.
    """
    for first in range(0, len(applications), 500):
        some = applications[first : first + 500]
        sensitive = select(_questions.c.id).where(_questions.c.sensitive.is_(True))
        kept = (
            select(_needs.c.application_id).where(_needs.c.application_id.in_(some)),
            *(
                select(each.c.application_id).where(each.c.application_id.in_(some), each.c.question_id.in_(sensitive))
                for each in (_answers, _files)
            ),
            select(_letters.c.id).where(_letters.c.application_id.in_(some), _letters.c.purged_at.is_(None)),
        )
        if any(db.execute(rows.limit(1)).first() for rows in kept):
            return True
    return False
