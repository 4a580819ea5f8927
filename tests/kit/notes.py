"""A deed that leaves one fact behind; read by processes of their own, so it needs little of the house."""

from collections.abc import Callable
from datetime import UTC, datetime

from app.accounts.actor import Actor
from app.audit.recording import record
from app.kit.db import Db
from app.kit.pen import SITE

OPERATOR = Actor.operator().signature
AT = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)


def note(name: str) -> Callable[[Db], str]:
    """A deed that leaves a fact of this name and answers it."""

    def deed(db: Db) -> str:
        record(db, SITE, OPERATOR, name, name, now=AT)
        return name

    return deed
