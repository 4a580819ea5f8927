"""What happened to one thing and what was written about it, as far as the role may see either."""

from typing import Any

from app.accounts.rules import Permission
from app.audit.recording import history
from app.kit.db import Db
from app.mail.outbox import about
from app.web.deps import Desk


def story_of(db: Db, desk: Desk, subject: str) -> tuple[list[Any] | None, list[Any] | None]:
    """The facts and the mails about a subject ("registration:K3TP9QA"); None where the role may not see them.

    Whoever decides on registrations needs what happened to one; the whole log is for those who may see facts.
    Two queries at most.
    """
    slug = desk.forum.slug
    sees_facts = desk.may(Permission.SEE_FACTS) or desk.may(Permission.DECIDE_REGISTRATIONS)
    facts = history(db, slug, subject) if sees_facts else None
    return facts, about(db, slug, subject) if desk.may(Permission.SEE_MAIL) else None
