"""Rows that wait for the end of their transaction: nobody can tell, and whoever breaks something with one is told."""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Query
from sqlmodel import Session as SqlSession
from sqlmodel import select as sqlmodel_select

from app.audit.models import Fact
from app.audit.recording import first_broken, record
from app.forum.models import Forum
from app.kit.db import Database, Db, table
from app.kit.errors import Refused
from app.kit.models import Scope, Visit
from app.kit.pen import SITE, Pen, lock_scopes
from app.kit.questions import Question
from app.mail.models import Message
from app.mail.outbox import queue_mail
from app.registration.models import HoldBack, Place, Seat
from tests.cast import NOW
from tests.kit.notes import note

Deed = Callable[[Db], Any]
_scopes, _visits, _places, _seats = table(Scope), table(Visit), table(Place), table(Seat)
_ONE = select(_scopes.c.name).where(_scopes.c.name == "row a")
_BY_WHO = Question(select(_visits.c.who).where(_visits.c.who == bindparam("who")))


def later(*names: str) -> Deed:
    """Gives rows to be written later; a scope's name is its key."""

    def deed(db: Db) -> tuple[str, ...]:
        for name in names:
            db.later(_scopes, {"name": name, "revision": 0})
        return names

    return deed


def then(deed: Deed, raised: Exception) -> Deed:
    def done(db: Db) -> None:
        deed(db)
        raise raised

    return done


def scopes(db: Db) -> list[str]:
    names = db.execute(select(_scopes.c.name).where(_scopes.c.name.like("row %"))).scalars()
    return sorted(name.removeprefix("row ") for name in names)


def written(database: Database, *deeds: Deed) -> list[Any]:
    """What came of deeds that the pen took together."""
    return [done.exception() or done.result() for done in Pen(database).submit_together(SITE, deeds)]


def test_whoever_asks_finds_what_waits(either_database: Database):
    with Db(either_database.write_engine) as db:
        later("row a", "row b")(db)
        assert scopes(db) == ["a", "b"]
        later("row c")(db)
        assert db.get(Scope, "row c") is not None
        db.rollback()
        assert scopes(db) == []
        later("row d")(db)
        db.commit()
    assert either_database.read(scopes) == ["d"]


def through_a_connection_held(db: Db) -> str:
    """Asked for before the row was given."""
    held = db.connection()
    later("row z")(db)
    assert held.execute(select(_scopes.c.name).where(_scopes.c.name == "row z")).scalar_one() == "row z"
    return str(held.exec_driver_sql("SELECT name FROM kit_scope WHERE name = 'row a'").scalar_one())


def after(does: Deed) -> Callable[[Db], str]:
    """Something that reaches the database and answers nothing itself."""

    def way(db: Db) -> str:
        does(db)
        return str(db.bare_connection().execute(_ONE).scalar_one())

    return way


def taken_by_a_raw_savepoint(db: Db) -> str:
    savepoint = db.connection().begin_nested()
    later("row z")(db)
    assert "z" in scopes(db)
    later("row y")(db)
    savepoint.rollback()
    (found,) = set(scopes(db)) & {"a", "y", "z"}
    return f"row {found}"


EVERY_WAY: dict[str, Callable[[Db], Any]] = {
    "execute": lambda db: db.execute(_ONE).scalar_one(),
    "scalar": lambda db: db.scalar(_ONE),
    "scalars": lambda db: db.scalars(_ONE).one(),
    "get": lambda db: db.get(Scope, "row a").name,
    "get_one": lambda db: db.get_one(Scope, "row a").name,
    "exec": lambda db: db.exec(sqlmodel_select(Scope).where(_scopes.c.name == "row a")).one().name,
    "query": lambda db: Query.query(db, Scope).filter_by(name="row a").one().name,
    "query of columns": lambda db: Query.query(db, _scopes.c.name).filter(_scopes.c.name == "row a").scalar(),
    "query that changes": after(lambda db: Query.query(db, Scope).filter_by(name="row a").update({"revision": 2})),
    "in pieces": lambda db: next(iter(db.execute(_ONE.execution_options(yield_per=1)))).name,
    "connection": lambda db: db.connection().execute(_ONE).scalar_one(),
    "driver": lambda db: db.connection().exec_driver_sql("SELECT name FROM kit_scope WHERE name = 'row a'").scalar(),
    "connection held": through_a_connection_held,
    "savepoint of the connection": taken_by_a_raw_savepoint,
    "savepoint": after(lambda db: db.begin_nested().commit()),
    "savepoint as it is begun": after(lambda db: db.begin(nested=True).commit()),
    "flush": after(lambda db: db.flush()),
    "merge": lambda db: (db.merge(Scope(name="row a", revision=2)).name, db.flush())[0],
    "merge_all": lambda db: (db.merge_all([Scope(name="row a", revision=2)])[0].name, db.flush())[0],
    "refresh": lambda db: (found := db.get(Scope, "row a"), db.refresh(found), found.name)[-1],
    "expire": lambda db: (found := db.get(Scope, "row a"), db.expire(found), found.name)[-1],
    "bulk_insert_mappings": after(lambda db: db.bulk_insert_mappings(Scope, [{"name": "row c", "revision": 0}])),
    "bulk_update_mappings": after(lambda db: db.bulk_update_mappings(Scope, [{"name": "row a", "revision": 2}])),
    "bulk_save_objects": after(lambda db: db.bulk_save_objects([Scope(name="row c")])),
    "add": after(lambda db: (db.add(Scope(name="row c")), db.flush())),
    "add_all": after(lambda db: (db.add_all([Scope(name="row c")]), db.flush())),
    "delete": after(lambda db: (db.delete(db.get(Scope, SITE)), db.flush())),
    "delete_all": after(lambda db: (db.delete_all([db.get(Scope, SITE)]), db.flush())),
}
REACHES_NOTHING = {
    "bind_mapper", "bind_table", "connection_callable", "deleted", "dirty", "dispatch", "enable_relationship_loading",
    "execution_options", "expire_all", "expunge", "expunge_all", "get_bind", "get_nested_transaction",
    "get_transaction", "identity_key", "in_nested_transaction", "in_transaction", "info", "is_active", "is_modified",
    "new", "no_autoflush", "object_session",
}  # fmt: skip
ENDS = {"commit", "rollback", "close", "reset", "invalidate", "prepare", "begin", "begin_nested"}
"""The ends and beginnings of transactions, for which there are tests of their own below."""


def test_there_is_no_way_to_ask_that_is_not_tried_here():
    """A new version of SQLAlchemy may have more of them."""
    ways = {name for name in dir(SqlSession) if not name.startswith("_")}
    assert ways - REACHES_NOTHING - ENDS <= EVERY_WAY.keys()


@pytest.mark.parametrize("within", [False, True], ids=["outside of a deed", "within one"])
def test_by_whichever_way_one_asks_what_waits_is_there(database: Database, *, within: bool):
    for way, goes in EVERY_WAY.items():
        with Db(database.write_engine) as db:
            lock_scopes(db, {SITE})
            with db.one_deed() if within else nullcontext():
                later("row a")(db)
                assert goes(db) == "row a", way


def test_whichever_way_a_deed_went_its_refusal_takes_back_all_of_it_and_nothing_else(database: Database):
    """The rows of the deed before it stay, those it gave itself and all that it wrote go."""
    for way, goes in EVERY_WAY.items():
        with Db(database.write_engine) as db:
            lock_scopes(db, {SITE})
            with db.one_deed():
                later("row b")(db)
            with suppress(Refused), db.one_deed():
                later("row a")(db)
                goes(db)
                raise Refused("no")
            with db.one_deed():
                later("row d")(db)
            assert scopes(db) == ["b", "d"], way
            assert db.get(Scope, SITE) is not None


@pytest.mark.parametrize("end", ["close", "reset", "rollback", "invalidate"])
def test_what_waits_when_a_transaction_is_ended_does_not_reach_the_next(database: Database, end: str):
    with Db(database.write_engine) as db:
        lock_scopes(db, {SITE})
        with db.one_deed():
            later("row a")(db)
        later("row b")(db)
        getattr(db, end)()
        later("row c")(db)
        assert scopes(db) == ["c"]


def test_what_is_done_to_a_row_after_it_was_given_does_not_reach_what_is_written(either_database: Database):
    inner: dict[str, Any] = {"letters": ["x"], "by": {"code": "A"}}
    with Db(either_database.write_engine) as db:
        record(db, "a-forum", ("operator", ""), "a.fact", "x", now=NOW, before=inner, after=inner, personal=inner)
        queue_mail(db, SITE, "a/mail", "en", ("bopha@a.example", "Bopha"), "x", now=NOW, values=inner)
        row = {"name": "row a", "revision": 0}
        db.later(_scopes, row)
        inner["letters"].append("y")
        inner["by"]["code"] = "B"
        row["name"] = "row b"
        db.commit()
        told = {"letters": ["x"], "by": {"code": "A"}}
        fact = db.execute(select(table(Fact)).where(table(Fact).c.kind == "a.fact")).one()
        assert [fact.before, fact.after, fact.personal] == [told] * 3
        assert db.execute(select(table(Message).c["values"]).where(table(Message).c.subject == "x")).scalar() == told
        assert scopes(db) == ["a"]
        assert first_broken(db, "a-forum") is None


def test_between_two_deeds_what_the_first_gave_is_found(database: Database):
    with Db(database.write_engine) as db:
        with db.one_deed():
            later("row a")(db)
        with db.one_deed():
            pass
        assert scopes(db) == ["a"]


def test_rows_are_written_before_those_that_point_at_them_and_with_their_own_columns(either_database: Database):
    with Db(either_database.write_engine) as db:
        own = db.execute(select(table(Forum).c.id)).scalar_one()
        category = db.execute(select(func.min(table(HoldBack).c.category_id))).scalar_one() or 1
        seat = {"forum_id": own, "category_id": category, "kind": "held", "given_at": NOW}
        db.later(_seats, {**seat, "number": 9001, "outside": False})
        db.later(_seats, {**seat, "outside": True})
        db.later(_places, {"forum_id": own, "number": 9001})
        db.later(_seats, {**seat, "number": 9002, "outside": False})
        db.later(_places, {"forum_id": own, "number": 9002, "retiring": True})
        asked = select(_seats.c.number, _seats.c.outside).where(_seats.c.kind == "held").order_by(_seats.c.id)
        assert [tuple(row) for row in db.execute(asked)] == [(9001, False), (None, True), (9002, False)]
        retiring = select(_places.c.retiring).where(_places.c.number > 9000).order_by(_places.c.number)
        assert list(db.execute(retiring).scalars()) == [False, True], "what is not said is as the table has it"


def test_what_is_taken_back_takes_the_rows_along_that_waited_in_it(either_database: Database):
    with Db(either_database.write_engine) as db:
        later("row a")(db)
        with pytest.raises(Refused), db.begin_nested():
            then(later("row b"), Refused("no"))(db)
        with db.begin_nested():
            later("row c")(db)
        later("row d")(db)
        assert scopes(db) == ["a", "c", "d"]


def test_what_is_wrong_with_a_row_shows_at_the_end_of_its_savepoint(either_database: Database):
    with Db(either_database.write_engine) as db:
        later("row a")(db)
        with pytest.raises(IntegrityError), db.begin_nested():
            later("row a")(db)
        assert scopes(db) == ["a"]


def test_a_question_has_written_what_matters_to_it_alone(database: Database, queries: Any):
    with Db(database.write_engine) as db, queries() as made:
        later("row a")(db)
        db.later(_visits, {"who": "somebody", "at": NOW})
        assert db.ask(_BY_WHO, {"who": "another"}, matters=lambda row: row["who"] == "another") == []
        assert len(made) == 1
        assert db.ask(_BY_WHO, {"who": "somebody"}, matters=lambda row: row["who"] == "somebody") == [("somebody",)]
        assert len(made) == 4, "both tables are written before it"
        later("row b")(db)
        assert db.ask(_BY_WHO, {"who": "somebody"}) == [("somebody",)]
        assert len(made) == 5, "in the other table nothing matters to it"


def test_deeds_that_only_give_rows_are_written_together_and_the_refused_one_leaves_none(either_database: Database):
    refused = then(later("row b", "row c"), Refused("no"))
    done = written(either_database, later("row a"), refused, later("row d"), note("a fact"))
    assert [type(each) for each in done] == [tuple, Refused, tuple, str]
    assert either_database.read(scopes) == ["a", "d"]


def test_rows_of_a_deed_that_asked_something_wait_for_those_of_the_next(database: Database, queries: Any):
    def gives(db: Db) -> None:
        db.later(_visits, {"who": "somebody", "at": NOW})

    def asks_and_gives(db: Db) -> list[str]:
        seen = scopes(db)
        gives(db)
        return seen

    with queries() as made:
        assert written(database, asks_and_gives, gives) == [[], None]
    assert len([one for one in made if one.startswith("INSERT INTO kit_visit")]) == 1
    assert len(database.read(lambda db: db.ask(_BY_WHO, {"who": "somebody"}))) == 2


@pytest.mark.parametrize("refuses", [False, True])
def test_rows_of_earlier_deeds_that_a_later_one_had_written_outlive_its_refusal(
    either_database: Database, *, refuses: bool
):
    def looks(db: Db) -> list[str]:
        later("row b")(db)
        seen = scopes(db)
        if refuses:
            raise Refused("no")
        return seen

    *_, seen, last = written(either_database, later("row a"), looks, scopes)
    assert seen == (["a", "b"] if not refuses else seen)
    assert last == (["a"] if refuses else ["a", "b"])
    assert either_database.read(scopes) == last


def wrong(db: Db) -> None:
    """A key that is there already."""
    later("row x", "row x")(db)


def in_no_place(db: Db) -> None:
    """A seat on a place that is not there."""
    own = db.execute(select(table(Forum).c.id)).scalar_one()
    db.later(_seats, {"forum_id": own, "number": 9001, "category_id": 1, "kind": "held", "given_at": NOW})


def against_a_rule(db: Db) -> None:
    """A seat neither on a place nor outside."""
    own = db.execute(select(table(Forum).c.id)).scalar_one()
    db.later(_seats, {"forum_id": own, "number": None, "category_id": 1, "kind": "held", "given_at": NOW})


@pytest.mark.parametrize("breaks", [wrong, in_no_place, against_a_rule])
@pytest.mark.parametrize("looking", [False, True])
def test_whoever_gave_the_row_that_cannot_be_written_is_told_and_nobody_else(
    either_database: Database, breaks: Deed, *, looking: bool
):
    """Also where it shows only as another deed has it written, which is not refused for it."""
    between = scopes if looking else later("row b")
    first, broken, second, third = written(either_database, later("row a"), breaks, between, later("row c"))
    assert isinstance(broken, IntegrityError)
    assert not broken.connection_invalidated
    assert [first, third] == [("row a",), ("row c",)]
    assert second == (["a"] if looking else ("row b",))
    assert either_database.read(scopes) == (["a", "c"] if looking else ["a", "b", "c"])


def test_a_deed_that_makes_nothing_of_anothers_wrong_row_is_done_again(either_database: Database):
    tries = []

    def swallows(db: Db) -> str:
        tries.append(1)
        try:
            scopes(db)
        except Exception:  # noqa: BLE001 - what a careless deed might do
            return "swallowed"
        return "done"

    broken, done = written(either_database, wrong, swallows)
    assert isinstance(broken, IntegrityError)
    assert (done, len(tries)) == ("done", 2)


def test_an_object_added_after_rows_is_written_within_the_deeds_own_savepoint(either_database: Database):
    def adds(db: Db) -> None:
        later("row b")(db)
        db.add(Scope(name="row c"))
        raise Refused("no")

    def adds_and_stays(db: Db) -> None:
        later("row d")(db)
        db.add(Scope(name="row e"))

    done = written(either_database, later("row a"), adds, adds_and_stays)
    assert [type(each) for each in done] == [tuple, Refused, type(None)]
    assert either_database.read(scopes) == ["a", "d", "e"]
