"""What facts say openly: `before` and `after` are under the hash for ever, so nothing that somebody typed stands there.

Held against every fact that any test records (`tests/conftest.py`, `tests/doors.py`): whatever the cast does, and
whatever kind of fact comes later.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import select

from app.audit.models import Fact
from app.kit.db import Db, table

NAMED = frozenset(
    {
        "answers",
        "attempts",
        "capacity",
        "category",
        "changed",
        "columns",
        "consents",
        "day",
        "delegation",
        "delegations",
        "eats",
        "entries",
    }
    | {"facts", "files", "filled", "former", "gaps", "guarantees", "invitation", "invitations", "kept", "language"}
    | {"letter", "letters", "mail", "mails", "needs", "number", "of", "on", "other", "over", "over_limit", "overridden"}
    | {
        "people",
        "picks",
        "place",
        "places",
        "priority",
        "questions",
        "registration",
        "release_at",
        "role",
        "rung",
        "scope",
        "seated",
    }
    | {"seats", "sensitive", "sessions", "standing", "state", "uses", "version", "guarantee", "kind", "speakers"}
    | {"act", "notes", "shared", "tag", "usual", "views"}
)
"""The names under which something stands in `before` or `after`. Under each: codes, numbers, days and states."""
READ_BY_ALL = frozenset({"label"})
"""Words that stand on the public form anyway: what a question asks."""
MADE_UP = ("a-forum", "another-forum")
"""The chains in which the tests of chains themselves write whatever they like."""
_SESSION = re.compile(r"[A-Z][A-Z0-9-]*")
_CODES = re.compile(r"[A-Za-z0-9_.:/+-]{0,64}")


def said(name: str, value: Any) -> Iterator[str]:
    """What is no code, number or day in a value, by name; the keys of a mapping are codes too."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from said(name, key)
            yield from said(name, each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from said(name, each)
    elif isinstance(value, str) and not _CODES.fullmatch(value):
        yield f"{name}: {value}"


def faults(facts: Iterable[tuple[str, Any, Any]]) -> set[str]:
    """What stands openly in facts (kind, before, after) that should not, as `kind name: value`."""
    found = set()
    for kind, *told in facts:
        for each in told:
            for name, value in (each or {}).items():
                if name in READ_BY_ALL:
                    continue
                found |= {f"{kind} {name}"} if name not in NAMED and not _SESSION.fullmatch(name) else set()
                found |= {f"{kind} {words}" for words in said(name, value)}
    return found


def hold_against(db: Db) -> None:
    """Fails where a fact written so far says something openly."""
    facts = table(Fact)
    rows = db.execute(select(facts.c.kind, facts.c.before, facts.c.after).where(facts.c.scope.not_in(MADE_UP))).all()
    _refuse(faults((row.kind, row.before, row.after) for row in rows))


def hold_against_file(path: str) -> None:
    """The same of a database's file, as it was left."""
    with sqlite3.connect(path) as line:
        there = line.execute("SELECT 1 FROM sqlite_master WHERE name = 'audit_fact'").fetchone()
        rows = (
            line.execute("SELECT kind, before, after FROM audit_fact WHERE scope NOT IN (?, ?)", MADE_UP).fetchall()
            if there
            else []
        )
    line.close()
    _refuse(faults((kind, json.loads(before), json.loads(after)) for kind, before, after in rows))


def _refuse(found: set[str]) -> None:
    if found:
        raise AssertionError(f"facts say openly: {sorted(found)}")
