"""Whether anything has happened to something since: the last fact about each of many things."""

from collections.abc import Collection

from sqlalchemy import func, select

from app.audit.models import Fact
from app.kit.db import Db, table

_facts = table(Fact)


def last_facts(db: Db, scope: str, subjects: Collection[str]) -> dict[str, int]:
    """The number of the last fact about each of these subjects, as far as there is one. One query."""
    wanted = select(_facts.c.subject, func.max(_facts.c.number).label("last"))
    wanted = wanted.where(_facts.c.scope == scope, _facts.c.subject.in_(list(subjects))).group_by(_facts.c.subject)
    return {row.subject: row.last for row in db.execute(wanted)}
