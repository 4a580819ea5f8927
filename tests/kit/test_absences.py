"""What is known not to be there: asked once for many, true until it might not be, and never believed of what is."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlmodel import select as sqlmodel_select

from app.kit.absences import Absence, Sought
from app.kit.db import Database, Db, table
from app.kit.models import GivenAnswer, Scope, Visit
from tests.cast import NOW
from tests.conftest import opened

_given, _scopes, _visits = table(GivenAnswer), table(Scope), table(Visit)
WHO = Absence(_visits.c.who)
ASKED = Absence(_given.c.key, _given.c.digest, within=_given.c.caller)


@pytest.fixture
def db(postgres_url: str) -> Iterator[Db]:
    with opened(postgres_url) as database, Db(database.write_engine) as found:
        found.execute(insert(_visits), [{"who": "there", "at": NOW}])
        plain = {"status": 200, "body": b"", "location": "", "given_at": NOW}
        found.execute(insert(_given), [{"caller": "one", "key": "a", "digest": "b", **plain}])
        yield found


def known(db: Db, *whos: str) -> list[bool]:
    return [db.has_none(Sought(WHO, (who,))) for who in whos]


@pytest.mark.postgres
def test_nothing_is_known_before_it_is_asked_and_then_of_what_is_not_there_alone(db: Db) -> None:
    assert known(db, "there", "new") == [False, False]
    db.look_ahead([Sought(WHO, ("there", "new")), Sought(WHO, ("newer",))])
    assert known(db, "there", "new", "newer", "not asked") == [False, True, True, False]
    assert not db.has_none(Sought(WHO, ("new", "there")))
    assert db.has_none(Sought(WHO, ("new", "newer")))


@pytest.mark.postgres
def test_each_column_counts_and_of_the_rows_those_within(db: Db) -> None:
    db.look_ahead([Sought(ASKED, ("a", "b", "c"), caller) for caller in ("one", "other")])
    found = {(caller, key): db.has_none(Sought(ASKED, (key,), caller)) for caller in ("one", "other") for key in "abc"}
    assert [pair for pair, none in found.items() if not none] == [("one", "a"), ("one", "b")]


@pytest.mark.postgres
def test_a_row_that_waits_is_there(db: Db) -> None:
    db.look_ahead([Sought(WHO, ("new", "newer"))])
    with db.one_deed():
        db.later(_visits, {"who": "new", "at": NOW})
        assert known(db, "new", "newer") == [False, True]
    db.write_waiting()
    assert known(db, "new", "newer") == [False, True]


@pytest.mark.postgres
def test_a_row_that_waits_when_it_is_asked_is_there(db: Db) -> None:
    db.later(_visits, {"who": "new", "at": NOW})
    db.look_ahead([Sought(WHO, ("new", "newer"))])
    assert known(db, "new", "newer") == [False, True]


def fails(db: Db) -> None:
    with suppress(KeyError), db.one_deed():
        db.later(_visits, {"who": "new", "at": NOW})
        raise KeyError


WRITES: dict[str, Callable[[Db], Any]] = {
    "execute": lambda db: db.execute(insert(_visits).values(who="new", at=NOW)),
    "exec": lambda db: db.exec(update(_visits).values(who="new")),
    "scalar": lambda db: db.scalar(insert(_visits).values(who="new", at=NOW).returning(_visits.c.id)),
    "scalars": lambda db: db.scalars(insert(_visits).values(who="new", at=NOW).returning(_visits.c.id)).all(),
    "words": lambda db: db.execute(text("INSERT INTO kit_visit (who, at) VALUES ('new', now())")),
    "a connection that was given away": lambda db: db.connection().execute(insert(_visits).values(who="new", at=NOW)),
    "many at once": lambda db: db.bulk_insert_mappings(Visit, [{"who": "new", "at": NOW}]),
    "merge": lambda db: (db.merge(Visit(who="new", at=NOW)), db.flush()),
    "flush": lambda db: (db.add(Visit(who="new", at=NOW)), db.flush()),
    "commit": lambda db: db.commit(),
    "rollback": lambda db: db.rollback(),
    "a deed that was taken back": fails,
}


@pytest.mark.postgres
@pytest.mark.parametrize("way", WRITES)
def test_whatever_may_have_written_one_is_not_trusted(db: Db, way: str) -> None:
    db.look_ahead([Sought(WHO, ("new",))])
    WRITES[way](db)
    assert known(db, "new") == [False]


READS: dict[str, Callable[[Db], Any]] = {
    "execute": lambda db: db.execute(select(_scopes.c.name)).all(),
    "exec": lambda db: db.exec(sqlmodel_select(Scope)).all(),
    "scalar": lambda db: db.scalar(select(_scopes.c.name)),
    "get": lambda db: db.get(Scope, "site"),
    "a savepoint": lambda db: db.begin_nested().commit(),
    "other rows that wait": lambda db: (db.later(_scopes, {"name": "new", "revision": 0}), db.write_waiting()),
}


@pytest.mark.postgres
@pytest.mark.parametrize("way", READS)
def test_whatever_reads_changes_nothing_of_it(db: Db, way: str) -> None:
    db.look_ahead([Sought(WHO, ("new",))])
    READS[way](db)
    assert known(db, "new") == [True]


def test_on_sqlite_nothing_is_asked_ahead(database: Database) -> None:
    with Db(database.write_engine) as db:
        db.look_ahead([Sought(WHO, ("new",))])
        assert known(db, "new") == [False]
