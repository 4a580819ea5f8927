"""Deeds that give rows, ask, write, look past failures and are refused: many in one commit end as one by one.

Against `app.kit.db` and the pen themselves; `tests/registration/test_chained_storm.py` does the same with true deeds.
"""

from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, func, insert, select

from app.audit.models import Fact, Head
from app.audit.recording import first_broken, record
from app.kit.db import Database, Db, table
from app.kit.errors import Refused
from app.kit.models import Scope, Visit
from app.kit.pen import SITE, Pen
from app.kit.questions import Question
from tests.breadth import SOAK
from tests.cast import NOW

STORMS = min(SOAK, 1000) or 2
DEEDS, NAMES = 24, 9
CHAIN = "a-forum"
_scopes, _visits, _facts = table(Scope), table(Visit), table(Fact)
_BY_NAME = Question(select(_scopes.c.name).where(_scopes.c.name == bindparam("name")))
_ALL = select(_scopes.c.name).where(_scopes.c.name.like("row %")).order_by(_scopes.c.name)
_FAILS = Question(select(func.abs(bindparam("least", type_=BigInteger))))
Act = Callable[[Db, list[Any]], None]


class Storm:
    """What deeds do, drawn by chance; the same for the same number."""

    def __init__(self, number: int) -> None:
        self.chance = Random(number)

    def deeds(self) -> list[Callable[[Db], Any]]:
        return [self._deed(number) for number in range(DEEDS)]

    def _name(self) -> str:
        return f"row {self.chance.randrange(NAMES)}"

    def _deed(self, number: int) -> Callable[[Db], Any]:
        acts = [self._act(2) for _ in range(self.chance.choice([1, 1, 2, 3, 5]))]
        end = self.chance.choice([None, None, None, Refused("no"), ValueError("so")])

        def deed(db: Db) -> Any:
            seen: list[Any] = [number]
            for act in acts:
                act(db, seen)
            if end is not None:
                raise end
            return seen

        return deed

    def _act(self, deep: int) -> Act:
        plain = [self._gives, self._gives, self._gives, self._notes, self._asks, self._asks, self._looks, self._inserts]
        plain += [self._adds, self._removes, self._goes_past, self._asks_in_vain, self._counts]
        kinds = [*plain, self._within, self._looks_past] if deep else plain
        return self.chance.choice(kinds)(deep - 1)

    def _gives(self, _deep: int) -> Act:
        name = self._name() if self.chance.random() < 0.4 else f"row new {self.chance.random()}"
        return lambda db, _seen: db.later(_scopes, {"name": name, "revision": 0})

    def _counts(self, _deep: int) -> Act:
        who = self._name()
        return lambda db, _seen: db.later(_visits, {"who": who, "at": NOW})

    def _notes(self, _deep: int) -> Act:
        what = self._name()
        return lambda db, _seen: record(db, CHAIN, ("operator", ""), "a.fact", what, now=NOW)

    def _asks(self, _deep: int) -> Act:
        name = self._name()
        return lambda db, seen: seen.append(
            db.ask(_BY_NAME, {"name": name}, matters=lambda row: bool(row["name"] == name))
        )

    def _asks_in_vain(self, _deep: int) -> Act:
        if self.chance.random() < 0.6:
            return self._asks(0)
        return lambda db, seen: seen.append(db.ask(_FAILS, {"least": -(2**63)}))

    def _looks(self, _deep: int) -> Act:
        return lambda db, seen: seen.append(list(db.execute(_ALL).scalars()))

    def _inserts(self, _deep: int) -> Act:
        name = self._name()
        return lambda db, _seen: db.execute(insert(_scopes).values(name=name, revision=1)) and None

    def _removes(self, _deep: int) -> Act:
        name = self._name()
        return lambda db, _seen: db.execute(delete(_scopes).where(_scopes.c.name == name)) and None

    def _adds(self, _deep: int) -> Act:
        name, flushes = self._name(), self.chance.random() < 0.5

        def act(db: Db, _seen: list[Any]) -> None:
            db.add(Scope(name=name, revision=2))
            if flushes:
                db.flush()

        return act

    def _goes_past(self, _deep: int) -> Act:
        return lambda db, seen: seen.append(list(db.connection().execute(_ALL).scalars()))

    def _within(self, deep: int) -> Act:
        acts, refuses = [self._act(deep) for _ in range(2)], self.chance.random() < 0.4

        def act(db: Db, seen: list[Any]) -> None:
            with suppress(Refused), db.begin_nested():
                for each in acts:
                    each(db, seen)
                if refuses:
                    raise Refused("within")

        return act

    def _looks_past(self, deep: int) -> Act:
        each = self._act(deep)

        def act(db: Db, seen: list[Any]) -> None:
            try:
                each(db, seen)
            except Exception:  # noqa: BLE001 - what a careless deed might do
                seen.append("looked past")

        return act


def written(database: Database, deeds: list[Callable[[Db], Any]], *, together: bool) -> list[Any]:
    """What came of each deed: what it saw, or the kind of its failure."""
    pen = Pen(database)
    answers = pen.submit_together(SITE, deeds) if together else [pen.submit(SITE, deed) for deed in deeds]
    return [type(failed).__name__ if (failed := answer.exception()) else answer.result() for answer in answers]


def end(db: Db) -> dict[str, Any]:
    """All that there is."""
    facts = db.execute(select(_facts.c.number, _facts.c.subject).where(_facts.c.scope == CHAIN)).all()
    return {
        "scopes": [tuple(row) for row in db.execute(select(_scopes).order_by(_scopes.c.name))],
        "visits": list(db.execute(select(_visits.c.who).order_by(_visits.c.id)).scalars()),
        "facts": sorted(tuple(row) for row in facts),
        "broken": first_broken(db, CHAIN),
    }


def empty(db: Db) -> None:
    for each in (_visits, _facts, table(Head)):
        db.execute(delete(each))
    db.execute(delete(_scopes).where(_scopes.c.name.like("row %")))


def test_what_is_done_in_one_commit_ends_as_one_by_one(either_database: Database) -> None:
    for number in range(STORMS):
        both = []
        for together in (True, False):
            Pen(either_database).write_now(SITE, empty)
            answers = written(either_database, Storm(number).deeds(), together=together)
            both.append((answers, either_database.read(end)))
        for count, (mine, theirs) in enumerate(zip(both[0][0], both[1][0], strict=True)):
            assert mine == theirs, f"storm {number}, deed {count}"
        assert both[0][1] == both[1][1], f"storm {number}"
