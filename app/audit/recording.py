"""Writing facts into their chain, and checking a chain (rules §6)."""

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from app.audit.models import Fact, Head
from app.kit.db import Db, table
from app.kit.questions import Question
from app.kit.waiting import insert_rows

_facts, _heads = table(Fact), table(Head)
# built once: every deed records facts, and putting a statement together costs more than having it done
_BEGIN = insert(_heads)
_ADVANCE = (
    update(_heads)
    .where(_heads.c.scope == bindparam("of"))
    .values(number=bindparam("to_number"), hash=bindparam("to_hash"))
)
_HEAD = Question(select(_heads.c.number, _heads.c.hash).where(_heads.c.scope == bindparam("of")))


def record(
    db: Db,
    scope: str,
    actor: tuple[str, str],
    kind: str,
    subject: str,
    *,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
) -> None:
    """Add one fact to the chain of `scope`, in the caller's transaction.

    `actor` is (kind:id, name to show); `kind` says what happened ("registration.approved"), `subject` to what
    ("registration:K3TP9QA"). Names, addresses and the like go into `personal`, which a purge may empty.
    """
    salt = secrets.token_hex(16)
    fact = {
        "scope": scope,
        "at": now,
        "actor": actor[0],
        "actor_name": actor[1],
        "kind": kind,
        "subject": subject,
        "before": dict(before or {}),
        "after": dict(after or {}),
        "personal": dict(personal or {}),
        "salt": salt,
        "digest": _digest(salt, personal or {}),
    }
    db.later(_facts, fact, _write)


def _write(db: Db, facts: Sequence[dict[str, Any]]) -> None:
    scopes: dict[str, list[dict[str, Any]]] = {}
    for fact in facts:
        scopes.setdefault(fact["scope"], []).append(fact)
    for scope, its in scopes.items():
        _go_on(db, scope, its)


def _go_on(db: Db, scope: str, facts: Sequence[dict[str, Any]]) -> None:
    last = head_of(db, scope)
    number, link = last or (0, "")
    rows = []
    for number, fact in enumerate(facts, number + 1):  # noqa: B020 - it goes on from the head
        row = {**fact, "number": number}
        link = _hash(link, row)
        rows.append({**row, "hash": link})
    insert_rows(db, _facts, rows)
    if last:
        db.execute(_ADVANCE, {"of": scope, "to_number": number, "to_hash": link})
    else:
        db.execute(_BEGIN, {"scope": scope, "number": number, "hash": link})


def head_of(db: Db, scope: str) -> tuple[int, str] | None:
    """The number and hash of the last fact of `scope`, or None where nothing happened yet.

    Written down elsewhere, it proves later that nothing up to there was taken back (`sala verify --head`).
    """
    db.write_waiting()  # facts among it, which move the head
    found = db.ask(_HEAD, {"of": scope})
    return (found[0][0], found[0][1]) if found else None


def next_fact(db: Db, scope: str, after: int, kinds: Collection[str]) -> Any | None:
    """The first fact of `scope` behind number `after` that is of one of these kinds, or None. One query."""
    wanted = select(_facts).where(_facts.c.scope == scope, _facts.c.number > after, _facts.c.kind.in_(kinds))
    return db.execute(wanted.order_by(_facts.c.number).limit(1)).first()


def heads(db: Db) -> dict[str, int]:
    """The number of the last fact of every scope. One query."""
    return {row.scope: row.number for row in db.execute(select(_heads.c.scope, _heads.c.number))}


def first_broken(db: Db, scope: str, noted: tuple[int, str] | None = None) -> int | None:
    """The number of the first fact whose hash does not follow from what stands before it, or None where all do.

    A removed, changed or reordered line shows here, and so does a removed end: the chain is held against its head and
    against one `noted` down earlier (number, hash). A purged line (personal and salt both empty) does not show.
    """
    previous, expected = "", 1
    for fact in db.execute(select(_facts).where(_facts.c.scope == scope).order_by(_facts.c.number)).mappings():
        told = fact["personal"] or {}
        whole = not told if fact["salt"] is None else fact["digest"] == _digest(fact["salt"], told)
        if fact["number"] != expected or fact["hash"] != _hash(previous, fact) or not whole:
            return int(expected)
        if noted and fact["number"] == noted[0] and fact["hash"] != noted[1]:
            return int(expected)
        previous, expected = fact["hash"], expected + 1
    if noted and noted[0] >= expected:
        return expected
    return None if head_of(db, scope) == ((expected - 1, previous) if expected > 1 else None) else expected


def history(db: Db, scope: str, subject: str) -> list[Fact]:
    """The facts about one thing, oldest first."""
    rows = db.execute(
        select(Fact).where(_facts.c.scope == scope, _facts.c.subject == subject).order_by(_facts.c.number)
    )
    return list(rows.scalars())


def _digest(salt: str, personal: Mapping[str, Any]) -> str:
    return hashlib.sha256((salt + _canonical(personal)).encode()).hexdigest()


def _hash(previous: str, row: Any) -> str:
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    told = [previous, row["scope"], row["number"], at, row["actor"], row["kind"], row["subject"]]
    told += [row["before"] or {}, row["after"] or {}, row["digest"]]
    return hashlib.sha256(_canonical(told).encode()).hexdigest()


# made once: `json.dumps` makes it anew for each, which takes as long as what it writes
_IN_ONE_WAY = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def _canonical(value: Any) -> str:
    return _IN_ONE_WAY.encode(value)
