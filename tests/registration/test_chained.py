"""Registrations of one commit: the first asks how things stand, the others go on from there, and miss nothing."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from app.accounts.actor import Actor
from app.audit.models import Fact
from app.audit.recording import first_broken
from app.editions.form import ForumFile
from app.forum.queries import forum_id
from app.kit.db import Database, Db, table
from app.kit.errors import Refused
from app.kit.pen import Pen, _Job
from app.registration.applying import Asked, apply, cancel, sought
from app.registration.models import Application, Category, Seat
from app.registration.settling import forum_ahead, settle_ahead
from tests.cast import NOW, SECRET, SLUG, somebody, the_forum
from tests.conftest import opened
from tests.registration.test_last_seats import arrange

Deed = Callable[[Db], Any]
_applications, _categories, _facts, _seats = table(Application), table(Category), table(Fact), table(Seat)


def registers(number: int, *, now: datetime = NOW, then: Exception | None = None) -> list[Deed]:
    """Somebody registers as the site has it written: settled ahead, then the deed, which may end in a refusal."""

    def deed(db: Db) -> Asked:
        asked = apply(db, Actor.visitor(), forum_ahead(db, SLUG), somebody(number), f"chained{number}", SECRET, now=now)
        if then is not None:
            raise then
        return asked

    return [lambda db: settle_ahead(db, SLUG, now=now), deed]


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(database.write_engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.write_engine, "before_cursor_execute", note)


def in_one_commit(database: Database, deeds: Sequence[Deed]) -> list[Any]:
    """The deeds' answers, or what they raised."""
    pen = Pen(database)
    found = [answer.exception() or answer.result() for answer in pen.submit_together(SLUG, deeds)]
    assert pen.tally.commits == 1
    return found


def places(db: Db) -> dict[str, int | None]:
    """Who sits where, by the number of the person."""
    rows = db.execute(
        select(_applications.c.family_name, _seats.c.number).join(_seats, _seats.c.application_id == _applications.c.id)
    )
    return {name.removeprefix("Person"): number for name, number in rows}


def test_the_first_asks_for_all_and_each_seat_counts_for_the_next(either_database: Database, forum_file: ForumFile):
    arrange(either_database, forum_file, capacity=20, limit=5, taken=2)
    with counting(either_database) as seen:
        done = in_one_commit(either_database, [deed for number in range(100, 106) for deed in registers(number)])
    assert [asked.state for asked in done[1::2]] == ["seated"] * 3 + ["waiting"] * 3
    reads = Counter(
        part for one in seen for part in ("registration_terms", "FROM forum_forum", "UNION ALL") if part in one
    )
    assert reads == {"registration_terms": 1, "FROM forum_forum": 1, "UNION ALL": 1}
    assert either_database.read(places) == {"0": 1, "1": 2, "100": 3, "101": 4, "102": 5}
    assert either_database.read(lambda db: first_broken(db, SLUG)) is None


def test_what_is_done_in_between_holds_for_the_next(database: Database, forum_file: ForumFile):
    arrange(database, forum_file, capacity=20, limit=5, taken=2)

    def narrows(db: Db) -> None:
        db.execute(update(_categories).values(limit=3))

    def frees(db: Db) -> None:
        first = db.execute(select(_applications.c.code).order_by(_applications.c.id).limit(1)).scalar_one()
        cancel(db, Actor.operator(), forum_ahead(db, SLUG), first, now=NOW)

    done = in_one_commit(
        database, [*registers(100), narrows, *registers(101), frees, *registers(102), frees, *registers(103)]
    )
    asked = [one.state for one in done if isinstance(one, Asked)]
    assert asked == ["seated", "waiting", "waiting", "waiting"], "the freed seat goes to whoever waited before"
    assert database.read(places) == {"1": 2, "100": 3, "101": 1}


def test_a_refused_one_leaves_no_trace_with_the_next(either_database: Database, forum_file: ForumFile):
    arrange(either_database, forum_file, capacity=20, limit=4, taken=2)
    deeds = [*registers(100), *registers(101, then=Refused("no_place")), *registers(102), *registers(103)]
    done = in_one_commit(either_database, deeds)
    assert [getattr(one, "state", None) for one in done[1::2]] == ["seated", None, "seated", "waiting"]
    assert either_database.read(places) == {"0": 1, "1": 2, "100": 3, "102": 4}, "no place is left out"
    told = either_database.read(
        lambda db: db.execute(select(_facts.c.subject).where(_facts.c.kind == "registration.submitted")).scalars().all()
    )
    assert len(told) == 2 + 3
    assert either_database.read(lambda db: first_broken(db, SLUG)) is None


@pytest.mark.postgres
def test_of_those_who_are_nobody_yet_all_is_asked_in_one_question(postgres_url: str, forum_file: ForumFile):
    """And not of whoever comes twice in a commit, by their form or by their name, or was there before."""
    with opened(postgres_url) as database:
        arrange(database, forum_file, capacity=60, limit=None, taken=2)
        pen, own = Pen(database), database.read(lambda db: forum_id(the_forum(db)))
        in_one_commit(database, registers(99))

        def together(*numbers: int) -> tuple[list[Any], int]:
            people = [(registers(number), sought(own, f"chained{number}", somebody(number))) for number in numbers]
            jobs = [_Job(SLUG, deed, Future(), None) for deeds, _ in people for deed in deeds]
            for job, (_, ahead) in zip(jobs[1::2], people, strict=True):
                job.ahead = (ahead,)
            with counting(database) as seen:
                pen._write(jobs)
            asked = [one for one in seen if one.startswith("SELECT registration_application.id")]
            return [job.answer.result() for job in jobs[1::2]], len(asked)

        done, asked = together(*range(100, 120))
        assert asked == 0
        assert {(one.known, one.same_request, one.state) for one in done} == {(False, False, "seated")}
        done, asked = together(120, 121, 99, 120, 122)
        assert asked == 4, "two for each who is there"
        assert [one.same_request for one in done] == [False, False, True, True, False]
        assert done[0].code == done[3].code
        assert together(123, 124)[1] == 2, "for so few it is not worth it"


@pytest.mark.parametrize("seconds", [5, 60])
def test_what_comes_due_between_two_of_them_is_done_before_the_second(
    database: Database, forum_file: ForumFile, seconds: int
):
    """Also where it was not due yet when the first looked ahead, and where that was longer ago than it looks ahead."""
    arrange(database, forum_file, capacity=20, limit=3, taken=2)
    due = NOW + timedelta(seconds=seconds)

    def runs_out(db: Db) -> None:
        first = select(_applications.c.id).order_by(_applications.c.id).limit(1).scalar_subquery()
        db.execute(update(_applications).where(_applications.c.id == first).values(confirm_by=due))

    before = due - timedelta(microseconds=1)
    deeds = [runs_out, *registers(100), *registers(101, now=before), *registers(102, now=due), *registers(103, now=due)]
    done = in_one_commit(database, deeds)
    assert [one.state for one in done if isinstance(one, Asked)] == ["seated", "waiting", "waiting", "waiting"]
    assert database.read(places) == {"1": 2, "100": 3, "101": 1}, "and goes to whoever waits, not to whoever comes"


def test_another_forums_registration_is_asked_for_anew(database: Database, forum_file: ForumFile):
    arrange(database, forum_file, capacity=20, limit=5, taken=0)

    def elsewhere(db: Db) -> str:
        return forum_ahead(db, SLUG).slug

    def unknown(db: Db) -> None:
        settle_ahead(db, "nowhere", now=NOW)

    done = in_one_commit(database, [*registers(100), unknown, elsewhere, *registers(101)])
    assert type(done[2]).__name__ == "NotFound"
    assert [done[3], done[5].state] == [SLUG, "seated"]


def test_each_that_follows_asks_one_question_and_what_all_of_them_write_is_one_statement_a_table(
    either_database: Database, forum_file: ForumFile
):
    arrange(either_database, forum_file, capacity=20, limit=None, taken=2)
    sent = []
    for many in (2, 8):
        with counting(either_database) as seen:
            in_one_commit(either_database, [deed for n in range(many) for deed in registers(100 * many + n)])
        sent.append(Counter(one.split(maxsplit=1)[0] for one in seen))
    few, more = sent
    assert (more["SELECT"] - few["SELECT"]) == 6 * 1, "whether they are registered already"
    assert not more["SAVEPOINT"], "also the first asks only what changes nothing"
    for each in sent:
        each["INSERT"] += each.pop("COPY", 0)  # PostgreSQL is given many at once in that way
    assert {verb: more[verb] for verb in ("INSERT", "UPDATE", "SAVEPOINT", "RELEASE")} == {
        verb: few[verb] for verb in ("INSERT", "UPDATE", "SAVEPOINT", "RELEASE")
    }
