"""Rows copied into PostgreSQL are those that inserting them gives, and what is wrong with one is told likewise."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, event, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from app.audit.models import Fact
from app.kit.copying import Unsuited, copy
from app.kit.db import Database, Db, table
from app.kit.models import GivenAnswer, Visit
from app.kit.waiting import FEWEST_TO_COPY as FEWEST
from app.registration.models import Place
from tests import cluster
from tests.cast import NOW
from tests.conftest import opened

pytestmark = pytest.mark.postgres
_facts, _given, _places, _visits = table(Fact), table(GivenAnswer), table(Place), table(Visit)

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
texts |= st.text(st.sampled_from("\\N.\t\n\r\b\v'\"ក្ a"), max_size=6)
told = st.dictionaries(texts, st.one_of(texts, st.integers(), st.none(), st.lists(st.booleans())), max_size=3)
instants = st.integers(0, 2**40).map(lambda n: NOW + timedelta(microseconds=n))


@pytest.fixture(scope="module")
def line(postgres_base: str) -> Iterator[Connection]:
    """A connection to a database of this module's own; what is written in it goes."""
    with (
        cluster.copy_of(postgres_base, f"copying_{uuid.uuid4().hex[:16]}") as url,
        opened(url) as database,
        database.write_engine.connect() as connection,
        connection.begin(),
    ):
        yield connection


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    with opened(postgres_url) as found:
        yield found


def inserted(line: Connection, of: Table, rows: list[dict[str, Any]]) -> None:
    line.execute(insert(of).inline(), rows)


def both(line: Connection, of: Table, rows: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    """What stands in a table after copying rows and after inserting them, each taken back; without ids."""
    columns = [column for column in of.c if column.name != "id"]
    found = []
    for write in (copy, inserted):
        apart = line.begin_nested()
        write(line, of, rows)
        found.append([tuple(row) for row in line.execute(select(*columns).order_by(*of.primary_key))])
        apart.rollback()
    return found[0], found[1]


def fact(number: int, **said: Any) -> dict[str, Any]:
    """A row that leaves two columns to the table's own defaults."""
    plain = dict.fromkeys(("scope", "actor", "actor_name", "kind", "subject", "digest", "hash"), "")
    return {**plain, "number": number, "at": NOW, "personal": {}, **said}


@given(
    st.lists(
        st.fixed_dictionaries(
            {"actor": texts, "salt": st.none() | texts, "at": instants, "personal": st.none() | told}
        ),
        min_size=1,
        max_size=5,
    )
)
def test_words_instants_and_json_are_what_inserting_gives(line: Connection, said: list[dict[str, Any]]) -> None:
    rows = [fact(number, **one) for number, one in enumerate(said)]
    first, second = both(line, _facts, rows)
    assert first == second
    assert len(first) >= len(rows)


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=4))
def test_bytes_and_numbers_are_what_inserting_gives(line: Connection, bodies: list[bytes]) -> None:
    common = {"caller": "a", "digest": "", "given_at": NOW}
    rows = [{**common, "key": str(at), "status": at - 1, "body": body} for at, body in enumerate(bodies)]
    first, second = both(line, _given, rows)
    assert first == second
    assert set(bodies) <= {cell for row in first for cell in row if isinstance(cell, bytes)}


def test_what_a_row_leaves_out_is_the_tables_default(line: Connection) -> None:
    first, second = both(line, _places, [{"forum_id": 1, "number": 5001}, {"forum_id": 1, "number": 5002}])
    assert first == second


def test_a_value_that_is_not_written_here_sends_nothing_and_is_inserted(database: Database) -> None:
    with Db(database.write_engine) as db, pytest.raises(Unsuited):
        copy(db.connection(), _visits, [{"who": "one", "at": NOW}, {"who": 1.5, "at": NOW}])
    with Db(database.write_engine) as db:
        for number in range(FEWEST):
            db.later(_facts, fact(number, kind=Kind.ODD))
        db.commit()
    kinds = database.read(lambda db: db.execute(select(_facts.c.kind).where(_facts.c.scope == "")).scalars().all())
    assert list(kinds) == ["odd"] * FEWEST


@pytest.mark.parametrize("who", [True, 7, NOW.replace(tzinfo=None), NOW.date()])
def test_what_is_no_text_is_the_same_text_as_by_inserting(line: Connection, who: Any) -> None:
    first, second = both(line, _visits, [{"who": who, "at": NOW}])
    assert first == second


@pytest.mark.parametrize("row", [{"who": "half \ud800"}, {"at": NOW.replace(tzinfo=None)}, {"at": "today"}])
def test_of_what_cannot_be_written_at_all_inserting_says_so(line: Connection, row: dict[str, Any]) -> None:
    with pytest.raises(Unsuited):
        copy(line, _visits, [{"who": "one", "at": NOW, **row}])
    assert line.exec_driver_sql("SELECT 1").scalar_one() == 1, "nothing was sent"


@pytest.mark.parametrize("encoding", ["latin1", "utf8"])
def test_the_letters_are_those_that_the_connection_speaks(postgres_url: str, encoding: str) -> None:
    with opened(f"{postgres_url}?client_encoding={encoding}") as database, Db(database.write_engine) as db:
        for number in range(FEWEST):
            db.later(_visits, {"who": f"Café {number}", "at": NOW})
        found = db.execute(select(_visits.c.who).order_by(_visits.c.who)).scalars().all()
    assert list(found) == [f"Café {number}" for number in range(FEWEST)]


def test_after_a_copy_that_took_too_long_the_deed_alone_is_taken_back(database: Database) -> None:
    rows = [{"who": "one", "at": NOW}] * FEWEST
    with Db(database.write_engine) as db, database.write_engine.connect() as other:
        other.exec_driver_sql("LOCK TABLE kit_visit")
        db.execute(text("SET LOCAL statement_timeout = '50ms'"))
        with pytest.raises(OperationalError), db.begin_nested():
            copy(db.bare_connection(), _visits, rows)
        other.rollback()
        db.execute(text("SET LOCAL statement_timeout = 0"))
        copy(db.bare_connection(), _visits, rows)
        assert len(db.execute(select(_visits.c.who)).all()) == len(rows)


class Kind(StrEnum):
    """Words of a type that copying does not know."""

    ODD = "odd"


def test_an_error_is_told_as_inserting_tells_it_and_without_the_values(database: Database) -> None:
    rows = [{"who": f"secret {number}", "at": NOW, "id": 7} for number in range(FEWEST)]
    failures: list[Any] = []
    for write in (copy, inserted):
        with database.write_engine.connect() as line, pytest.raises(IntegrityError) as failed:
            write(line, _visits, rows)
        failures.append(failed.value)
    by_copying, by_inserting = failures
    assert type(by_copying.orig) is type(by_inserting.orig)
    assert by_copying.orig.diag.constraint_name == by_inserting.orig.diag.constraint_name
    assert "secret" not in str(by_copying)
    assert not by_copying.connection_invalidated


def test_a_connection_that_is_gone_is_given_up(database: Database) -> None:
    with database.write_engine.connect() as line, database.write_engine.connect() as other:
        mine = line.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        other.exec_driver_sql(f"SELECT pg_terminate_backend({mine}, 5000)")
        with pytest.raises(DBAPIError) as lost:
            copy(line, _visits, [{"who": "one", "at": NOW}] * FEWEST)
        assert lost.value.connection_invalidated
        assert line.invalidated


def test_listeners_of_the_engine_hear_of_it_as_of_an_insert_of_many(database: Database) -> None:
    heard: list[tuple[str, Any, bool]] = []
    event.listen(
        database.write_engine,
        "before_cursor_execute",
        lambda _line, _cursor, statement, values, _run, many: heard.append((statement, values, many)),
    )
    with database.write_engine.connect() as line:
        rows = [{"who": "one", "at": NOW}, {"who": "other", "at": NOW}]
        copy(line, _visits, rows)
    assert heard == [("COPY kit_visit (who, at) FROM STDIN", rows, True)]
