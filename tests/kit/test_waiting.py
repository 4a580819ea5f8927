"""Rows that wait for the end of their transaction: nobody can tell, and whoever breaks something with one is told."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import select as sqlmodel_select

from app.forum.models import Forum
from app.kit.db import Database, Db, table
from app.kit.errors import Refused
from app.kit.models import Scope, Visit
from app.kit.pen import SITE, Pen
from app.kit.questions import Question
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


EVERY_WAY: dict[str, Callable[[Db], Any]] = {
    "execute": lambda db: db.execute(_ONE).scalar_one(),
    "scalar": lambda db: db.scalar(_ONE),
    "scalars": lambda db: db.scalars(_ONE).one(),
    "get": lambda db: db.get(Scope, "row a").name,
    "exec": lambda db: db.exec(sqlmodel_select(Scope).where(_scopes.c.name == "row a")).one().name,
    "flush": lambda db: (db.flush(), "row a")[1],
}


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("within", [False, True], ids=["outside of a deed", "within one"])
def test_by_whichever_way_one_asks_what_waits_is_there(database: Database, way: str, *, within: bool):
    with Db(database.write_engine) as db, db.one_deed() if within else nullcontext():
        later("row a")(db)
        assert EVERY_WAY[way](db) == "row a"
        assert db.connection().execute(_ONE).scalar_one() == "row a"


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
