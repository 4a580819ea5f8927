"""Questions that go straight to the driver are answered as SQLAlchemy answers them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import bindparam, event, func, insert, select
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from app.audit.models import Fact
from app.audit.recording import record
from app.forum.models import Forum
from app.kit.db import Database, Db, table
from app.kit.models import Scope, Visit
from app.kit.pen import SITE, Pen
from app.kit.questions import Question
from app.kit.trouble import UNREACHABLE, trouble_of
from app.registration.models import Category
from tests.cast import NOW, SLUG
from tests.kit.notes import note

_facts, _visits, _scopes = table(Fact), table(Visit), table(Scope)


@pytest.mark.parametrize("model", [Forum, Category, Fact])
def test_whatever_a_column_holds_is_read_as_sqlalchemy_reads_it(either_database: Database, model: Any):
    """Times, truths, numbers, JSON, texts in two languages, and nothing at all."""
    asks = select(table(model)).order_by(table(model).c.id)
    with Db(either_database.write_engine) as db:
        record(db, SLUG, ("user:1", "សុខា"), "told", "it", now=NOW, after={"ត": [1, 2.5, None]})
        rows = [tuple(row) for row in db.execute(asks)]
        assert rows
        assert [tuple(row) for row in db.ask(Question(asks), {})] == rows


def test_values_are_given_as_sqlalchemy_gives_them(either_database: Database):
    by_time = select(_visits.c.who, func.min(_visits.c.at)).where(_visits.c.at > bindparam("since"))
    asks = by_time.where(_visits.c.who.in_((bindparam("one"), "fixed"))).group_by(_visits.c.who).order_by(_visits.c.who)
    with Db(either_database.write_engine) as db:
        rows = [{"who": who, "at": NOW + timedelta(hours=n)} for n, who in enumerate(["fixed", "some%body", "other"])]
        db.execute(insert(_visits), rows)
        found = db.ask(Question(asks), {"since": NOW - timedelta(hours=1), "one": "some%body"})
        assert [row[0] for row in found] == ["fixed", "some%body"]
        assert found[1][1].astimezone(UTC) == NOW + timedelta(hours=1)
        assert db.ask(Question(asks), {"since": NOW, "one": "other"})[0][0] == "other", "later than, not at"


def test_whoever_listens_to_the_engine_hears_of_it(database: Database):
    heard: list[Any] = []

    def before(_line: Any, _cursor: Any, text: str, _values: Any, run: Any, many: bool) -> None:
        run.told = (text.split(maxsplit=1)[0], many)

    def after(_line: Any, _cursor: Any, _text: str, _values: Any, run: Any, _many: bool) -> None:
        heard.append(run.told)

    event.listen(database.write_engine, "before_cursor_execute", before)
    event.listen(database.write_engine, "after_cursor_execute", after)
    question = Question(select(_scopes.c.name))
    with Db(database.write_engine) as db:
        assert sorted(db.ask(question, {})) == sorted(tuple(row) for row in db.execute(select(_scopes.c.name)))
    assert [each for each in heard if each[0] == "SELECT"] == [("SELECT", False)] * 2
    event.remove(database.write_engine, "before_cursor_execute", before)
    event.remove(database.write_engine, "after_cursor_execute", after)


BROKEN = Question(select(func.no_such_function(bindparam("value"))))


def test_what_a_database_complains_of_is_told_as_sqlalchemy_tells_it_without_the_values(either_database: Database):
    faults: list[str] = []
    event.listen(
        either_database.write_engine, "handle_error", lambda failure: faults.append(str(failure.original_exception))
    )
    with Db(either_database.write_engine) as db, pytest.raises(DBAPIError) as told:
        db.ask(BROKEN, {"value": "secret"})
    assert type(told.value) is (OperationalError if either_database.is_sqlite else ProgrammingError)
    assert "no_such_function" in str(told.value)
    assert "secret" not in str(told.value)
    assert not told.value.connection_invalidated
    assert len(faults) == 1


@pytest.mark.parametrize("swallowed", [False, True])
def test_a_question_that_fails_costs_nobody_anything_but_whoever_asked(either_database: Database, *, swallowed: bool):
    """PostgreSQL takes nothing after an error but from a savepoint, and a deed has none until it writes."""

    def asks(db: Db) -> str:
        db.later(_scopes, {"name": "never", "revision": 0})
        try:
            db.ask(BROKEN, {"value": "x"})
        except DBAPIError:
            if not swallowed:
                raise
        return "swallowed"

    deeds = (note("before"), asks, note("after"))
    before, failed, after = Pen(either_database).submit_together(SITE, deeds)
    assert (before.result(), after.result()) == ("before", "after")
    assert isinstance(failed.exception(), DBAPIError)
    kept = either_database.read(lambda db: list(db.execute(select(_scopes.c.name)).scalars()))
    assert "never" not in kept
    noted = select(_facts.c.kind).where(_facts.c.scope == SITE).order_by(_facts.c.number)
    assert either_database.read(lambda db: list(db.execute(noted).scalars())) == ["before", "after"]


@pytest.mark.postgres
def test_a_connection_that_broke_under_a_question_is_given_up_and_the_deeds_are_done_on_another(postgres_url: str):
    database, cut = Database(postgres_url), []
    process = Question(select(func.pg_backend_pid()))

    def asks(db: Db) -> str:
        ((own,),) = db.ask(process, {})
        if not cut:
            cut.append(own)
            with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", cut)
        assert db.ask(process, {}) != [(cut[0],)]
        return note("asked")(db)

    done = Pen(database).submit_together(SITE, [note("before"), asks, note("after")])
    assert [each.result() for each in done] == ["before", "asked", "after"]
    database.close()


@pytest.mark.postgres
def test_a_broken_connection_is_told_as_unreachable(postgres_url: str):
    database = Database(postgres_url)
    with Db(database.write_engine) as db:
        ((own,),) = db.ask(Question(select(func.pg_backend_pid())), {})
        with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [own])
        with pytest.raises(DBAPIError) as told:
            db.ask(Question(select(_scopes.c.name)), {})
    assert told.value.connection_invalidated
    assert trouble_of(told.value) == UNREACHABLE
    database.close()


def test_the_clock_of_a_value_is_kept(database: Database):
    """SQLite holds texts: what goes in with a zone comes out with it."""
    at = datetime(2027, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    question = Question(select(_visits.c.at).where(_visits.c.at == bindparam("at")))
    with Db(database.write_engine) as db:
        db.later(_visits, {"who": "somebody", "at": at})
        assert db.ask(question, {"at": at}) == [(at,)]
