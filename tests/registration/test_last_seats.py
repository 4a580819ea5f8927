"""The last seats, asked for at the same instant (rules §1.9): the race without the pen, and none with it."""

import multiprocessing
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from app.accounts.actor import Actor
from app.audit.recording import first_broken
from app.editions.form import ForumFile
from app.forum.queries import forum_id
from app.kit.db import Database, Db, table
from app.kit.pen import Pen
from app.registration.applying import apply
from app.registration.arranging import put_terms
from app.registration.models import Application, Category, Place, Seat
from app.registration.settling import forum_ahead, settle_ahead
from tests.breadth import SOAK
from tests.cast import NOW, SECRET, SLUG, small_terms, somebody, the_forum
from tests.pooler import pooling

_seats, _categories, _places = table(Seat), table(Category), table(Place)
PROCESSES, REQUESTS = 3, 20


def arrange(database: Database, file: ForumFile, capacity: int, limit: int | None, taken: int) -> None:
    """A hall with one open category in which so many people are seated already."""
    terms, categories = small_terms(file, capacity, STU=(0, limit, "open"))

    def deed(db: Db) -> None:
        put_terms(db, Actor.operator(), the_forum(db), terms.model_copy(update={"opens_at": NOW}), categories, now=NOW)
        for number in range(taken):
            apply(db, Actor.visitor(), the_forum(db), somebody(number), f"early{number}", SECRET, now=NOW)

    Pen(database).write_now(SLUG, deed)


def seats_taken(db: Db) -> int:
    found: int = db.execute(select(func.count()).select_from(_seats)).scalar_one()
    return found


class Naive:
    """What a handler without the pen does: looks whether there is a seat, then takes one."""

    def __init__(self, database: Database, looking: int) -> None:
        self.database = database
        self.all_have_looked = threading.Barrier(looking, timeout=30)

    def ask(self, place: int) -> str:
        with self.database.reading() as db:
            forum = forum_id(the_forum(db))
            category = db.execute(select(_categories)).one()
            free = seats_taken(db) < category.limit
        self.all_have_looked.wait()
        if not free:
            return "waiting"
        row = {"forum_id": forum, "number": place, "category_id": category.id, "application_id": None}
        try:
            with Db(self.database.write_engine) as db:
                db.execute(insert(_seats).values(**row, kind="person", given_at=NOW))
                db.commit()
        except IntegrityError:
            return "error"
        return "seated"


def test_without_the_pen_two_people_get_the_last_seat_of_a_category(either_database: Database, forum_file: ForumFile):
    arrange(either_database, forum_file, capacity=20, limit=5, taken=4)
    naive = Naive(either_database, 2)
    with ThreadPoolExecutor(2) as people:
        answers = list(people.map(naive.ask, [5, 6]))
    assert answers == ["seated", "seated"]
    assert either_database.read(seats_taken) == 6, "one more than the limit"


def test_without_the_pen_the_last_place_of_the_hall_is_an_error_for_one_of_two(
    either_database: Database, forum_file: ForumFile
):
    arrange(either_database, forum_file, capacity=5, limit=5, taken=4)
    naive = Naive(either_database, 2)
    with ThreadPoolExecutor(2) as people:
        answers = list(people.map(naive.ask, [5, 5]))
    assert sorted(answers) == ["error", "seated"], "the table of places holds, but one person gets no answer"


def ask_from_here(url: str, pooled: bool, number: int, together: Any, answers: Any) -> None:
    """One of the processes: it opens the database, waits for the others, and asks for many at once."""
    database = Database(url, pooled=pooled)
    pen = Pen(database)
    pen.start()
    everybody = [somebody(1000 * (number + 1) + person) for person in range(REQUESTS)]
    together.wait(60)

    def deed(person: int) -> Any:
        key = f"late{number}-{person}"
        return lambda db: apply(db, Actor.visitor(), forum_ahead(db, SLUG), everybody[person], key, SECRET, now=NOW)

    def due(db: Db) -> None:
        settle_ahead(db, SLUG, now=NOW)

    # as the site has it written, so that each takes over what the one before left; every third by itself
    deeds = [[deed(person)] if person % 3 == 0 else [due, deed(person)] for person in range(REQUESTS)]
    futures = [pen.submit_together(SLUG, each)[-1] for each in deeds]
    for future in futures:
        failure = future.exception(60)
        answers.put(f"{type(failure).__name__}: {failure}" if failure else future.result().state)
    pen.stop()
    database.close()


def test_sixty_requests_from_several_processes_for_the_last_five_seats(either_url: str, forum_file: ForumFile):
    race(either_url, forum_file)


@pytest.mark.postgres
@pytest.mark.pooler
@pytest.mark.skipif(not SOAK, reason="takes a pooler of its own: SALA_SOAK=1")
def test_the_same_behind_a_pooler_that_gives_each_transaction_another_connection(
    postgres_base: str, postgres_url: str, shared: Path, forum_file: ForumFile
):
    folder = shared / "raced"
    folder.mkdir()
    with pooling(folder, postgres_base) as pooler:
        race(f"{pooler}/{postgres_url.rpartition('/')[2]}", forum_file, pooled=True)


def race(url: str, forum_file: ForumFile, *, pooled: bool = False) -> None:
    """Sixty requests of three processes for five seats."""
    database = Database(url, pooled=pooled)
    arrange(database, forum_file, capacity=20, limit=None, taken=15)
    apart = multiprocessing.get_context("forkserver")  # a process without threads that has read the house once
    apart.set_forkserver_preload([__name__])
    together, answers = apart.Barrier(PROCESSES), apart.Queue()
    processes = [
        apart.Process(target=ask_from_here, args=(url, pooled, number, together, answers))
        for number in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    told = Counter(answers.get(timeout=120) for _ in range(PROCESSES * REQUESTS))
    for process in processes:
        process.join()
    assert told == {"seated": 5, "waiting": 55}
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    with database.reading() as db:
        states = select(table(Application).c.state, func.count()).group_by(table(Application).c.state)
        assert {row[0]: row[1] for row in db.execute(states)} == {"seated": 20, "waiting": 55}
        assert sorted(db.execute(select(_seats.c.number)).scalars()) == list(range(1, 21))
        assert first_broken(db, SLUG) is None
    database.close()


@pytest.mark.parametrize(
    ("number", "why"),
    [(301, "there is no such place"), (300, "somebody sits there"), (None, "a seat of the hall is on a place")],
)
def test_the_database_itself_refuses_a_seat_too_many(either_database: Database, number: int | None, why: str):
    def sit(db: Db, where: int | None) -> None:
        category = db.execute(select(_categories)).first()
        assert category is not None
        row = {"forum_id": category.forum_id, "number": where, "category_id": category.id, "application_id": None}
        db.execute(insert(_seats).values(**row, kind="person", given_at=NOW))

    pen = Pen(either_database)
    pen.write_now(SLUG, lambda db: [sit(db, where) for where in range(1, 301)])
    with pytest.raises(IntegrityError):
        pen.write_now(SLUG, lambda db: sit(db, number))
    assert either_database.read(seats_taken) == 300, why


def test_a_hall_of_300_has_300_places(database: Database):
    with database.reading() as db:
        assert sorted(db.execute(select(_places.c.number)).scalars()) == list(range(1, 301))
