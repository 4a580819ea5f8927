"""Questions to the log of facts: by what they are about, who did it, and when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from app.audit.models import Fact
from app.kit.db import Db, table

_facts = table(Fact)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the log.

    `families` are first words of kinds ("registration"), none for all; `words` are looked for in what a fact is about,
    in its kind and in the name of whoever did it; `since` and `until` are instants (UTC), `until` itself not among
    them; `before` is a number: only older facts.
    """

    families: tuple[str, ...] = ()
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


def facts_asked(db: Db, scope: str, asked: Asked, most: int) -> list[Any]:
    """The newest `most` facts of `scope` that answer the question, the newest first. One query."""
    wanted = select(_facts).where(_facts.c.scope == scope, *_conditions(asked))
    return list(db.execute(wanted.order_by(_facts.c.number.desc()).limit(most)))


def subjects_of(db: Db, kinds: Collection[str]) -> set[tuple[str, str, str]]:
    """What ever happened of these kinds, as (scope, kind, subject). One query."""
    columns = (_facts.c.scope, _facts.c.kind, _facts.c.subject)
    return {(row.scope, row.kind, row.subject) for row in db.execute(select(*columns).where(_facts.c.kind.in_(kinds)))}


def _conditions(asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.families:
        found.append(or_(*(_facts.c.kind.startswith(f"{one}.", autoescape=True) for one in asked.families)))
    for word in asked.words.lower().split():
        texts = (_facts.c.subject, _facts.c.kind, _facts.c.actor_name)
        found.append(or_(*(func.lower(text).contains(word, autoescape=True) for text in texts)))
    if asked.since is not None:
        found.append(_facts.c.at >= asked.since)
    if asked.until is not None:
        found.append(_facts.c.at < asked.until)
    if asked.before is not None:
        found.append(_facts.c.number < asked.before)
    return found
