"""Emptying the personal part of facts; their digests stay, so the chain stays whole (rules §6)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, or_, select, update

from app.audit.models import Fact
from app.kit.db import Db, table

_facts = table(Fact)


def count_personal(db: Db, scope: str, *, kinds: Sequence[str] = (), subjects: Sequence[str] = ()) -> int:
    """How many facts of `scope` still hold personal values, about these subjects or kinds of them."""
    wanted = select(func.count()).where(_chosen(scope, kinds, subjects))
    return int(db.execute(wanted).scalar_one())


def purge_personal(db: Db, scope: str, *, kinds: Sequence[str] = (), subjects: Sequence[str] = ()) -> int:
    """Delete values and salts of the facts of `scope` about these subjects ("registration:K3TP9QA") or kinds of them
    ("registration"); how many held any. What was never personal stays to be read."""
    emptied: dict[str, Any] = {"personal": {}, "salt": None}
    done = db.execute(update(_facts).where(_chosen(scope, kinds, subjects)).values(**emptied))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _chosen(scope: str, kinds: Sequence[str], subjects: Sequence[str]) -> ColumnElement[bool]:
    about = [_facts.c.subject.startswith(f"{kind}:", autoescape=True) for kind in kinds]
    holds = func.length(cast(_facts.c.personal, String)) > len("null")  # "{}" and "null" hold nothing
    return (_facts.c.scope == scope) & or_(*about, _facts.c.subject.in_(list(subjects))) & holds
