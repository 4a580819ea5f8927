"""Several processes' pens on one PostgreSQL draw ids and places at once, in two forums, while what can fail does.

People register, some with the same form or address in two places; the desk takes seats back and cancels; an archive
is read in; connections are cut from outside and from within, statements take too long, keys clash. Afterwards whoever
was answered is there once, with a seat where they were told so, their mails and their facts, and the next ids are free.
"""

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import get_context
from random import Random
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app.accounts.actor import Actor
from app.audit.models import Fact
from app.audit.recording import first_broken
from app.editions.archiving import write_archive
from app.editions.form import ForumFile
from app.editions.loading import load
from app.editions.reading_archive import read_archive
from app.editions.unarchiving import unarchive
from app.forum.queries import forum_id
from app.kit.codes import digest
from app.kit.db import Database, Db, table
from app.kit.errors import Refused, Unavailable
from app.kit.models import Visit
from app.kit.pen import SITE, Pen
from app.kit.throttling import count_visits
from app.mail.models import Message
from app.registration.applying import Asked, apply, cancel, manage_token
from app.registration.arranging import put_terms
from app.registration.holding import keep_back
from app.registration.inputs import HoldBackInput
from app.registration.models import Application, Place, Seat
from app.registration.questioning import put_questions
from app.registration.settling import forum_ahead, settle, settle_ahead
from tests import cluster
from tests.breadth import SOAK
from tests.cast import NOW, SECRET, SLUG, small_terms, somebody, the_forum
from tests.conftest import opened

HOUSES, DOORS = (3, 6) if SOAK else (2, 3)
DEEDS = min(40 * SOAK, 1000) or 12
"""At each door."""
OTHER, FROM_ARCHIVE = "another", "an-archive"
FORUMS = (SLUG, OTHER)
CAPACITY = DEEDS * HOUSES * DOORS // 6
OPERATOR = Actor.operator()
SEATED = {"seated", "offered"}
_applications, _seats, _messages, _facts = table(Application), table(Seat), table(Message), table(Fact)


@dataclass(slots=True)
class Told:
    """What people at the doors were told."""

    asked: dict[tuple[str, str], Asked] = field(default_factory=dict)
    """Answers by forum and the key of the form."""
    refused: set[tuple[str, str]] = field(default_factory=set)
    unknown: set[tuple[str, str]] = field(default_factory=set)
    """Of whom nobody knows: the line broke at the commit."""
    cancelled: set[tuple[str, str]] = field(default_factory=set)
    perhaps_cancelled: set[tuple[str, str]] = field(default_factory=set)
    counted: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Told") -> None:
        """What was told in another house; of a form that was sent to both the same."""
        for form, answer in other.asked.items():
            assert self.asked.setdefault(form, answer).code == answer.code
        self.refused |= other.refused
        self.unknown |= other.unknown
        self.cancelled |= other.cancelled
        self.perhaps_cancelled |= other.perhaps_cancelled
        self.counted += other.counted


def fill(database: Database, file: ForumFile) -> None:
    pen = Pen(database)
    terms, categories = small_terms(file, CAPACITY, STU=(2, None, "open"), ORG=(0, CAPACITY // 3, "open"))
    terms = terms.model_copy(update={"opens_at": NOW - timedelta(days=1), "closes_at": NOW + timedelta(days=9)})
    named = file.forum.model_copy(update={"slug": OTHER})
    other = file.model_copy(update={"forum": named, "calendar": {}, "forum_calendar": None})
    pen.write_now(OTHER, lambda db: load(db, OPERATOR, other, now=NOW))
    for slug in FORUMS:

        def arrange(db: Db, slug: str = slug) -> None:
            put_terms(db, OPERATOR, the_forum(db, slug), terms, categories, now=NOW)
            put_questions(db, OPERATOR, the_forum(db, slug), [], now=NOW)

        pen.write_now(slug, arrange)


@dataclass(slots=True)
class Door:
    """Somebody at one door of one house, drawing by chance what is asked of it."""

    house: int
    number: int
    pen: Pen
    told: Told
    lock: threading.Lock
    chance: Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = Random(self.house * 100 + self.number)

    def goes_on(self) -> None:
        for count in range(DEEDS):
            draws = [(self.registers, 30), (self.cancels, 3), (self.desk, 1), (self.cuts, 1), (self.lasts, 1)]
            draws += [(self.clashes, 2), (self.settles, 1)]
            makes, weights = zip(*draws, strict=True)
            (make,) = self.chance.choices(makes, weights)
            make(count)

    def _write(self, slug: str, *deeds: Callable[[Db], Any]) -> Any:
        return [each.exception(60) or each.result() for each in self.pen.submit_together(slug, deeds, quiet=True)]

    def registers(self, count: int) -> None:
        slug, doubled = self.chance.choice(FORUMS), self.chance.random() < 0.15
        # the same form at every door of every house, at about the same time
        key = f"both-{count}" if doubled else f"{self.house}-{self.number}-{count}"
        sent = somebody(int.from_bytes(key.encode()), self.chance.choice(["STU", "STU", "ORG"]), language="en")
        fails = self.chance.random()
        who = f"at {self.house}-{self.number}"

        def counts(db: Db) -> None:
            count_visits(db, [(who, 10**6)], 3600, now=NOW)
            settle_ahead(db, slug, now=NOW)

        def deed(db: Db) -> Asked:
            asked = apply(db, Actor.visitor(), forum_ahead(db, slug), sent, key, SECRET, now=NOW)
            if fails < 0.05 and not doubled:
                raise Refused("no_place")
            return asked

        counted, answer = self._write(slug, counts, deed)
        with self.lock:
            self.told.counted[who] += counted is None
            if isinstance(answer, Asked):
                self.told.asked.setdefault((slug, key), answer)
                assert self.told.asked[slug, key].code == answer.code
            elif isinstance(answer, Unavailable):
                self.told.unknown.add((slug, key))
            else:
                self.told.refused.add((slug, key))

    def cancels(self, _count: int) -> None:
        with self.lock:
            there = sorted(self.told.asked.keys() - self.told.cancelled)
        if not there:
            return
        slug, key = self.chance.choice(there)
        code = self.told.asked[slug, key].code

        def deed(db: Db) -> Any:
            return cancel(db, OPERATOR, the_forum(db, slug), code, now=NOW)

        *_, answer = self._write(slug, lambda db: settle_ahead(db, slug, now=NOW), deed)
        with self.lock:
            if isinstance(answer, Exception):
                self.told.perhaps_cancelled.add((slug, key))
            else:
                self.told.cancelled.add((slug, key))

    def desk(self, count: int) -> None:
        slug = self.chance.choice(FORUMS)
        sent = HoldBackInput(category="STU", seats=1, purpose="so", release_at=NOW + timedelta(days=count + 1))
        self._write(slug, lambda db: keep_back(db, OPERATOR, the_forum(db, slug), sent, now=NOW))

    def settles(self, _count: int) -> None:
        slug = self.chance.choice(FORUMS)
        self._write(slug, lambda db: settle(db, the_forum(db, slug), now=NOW) and None)

    def cuts(self, _count: int) -> None:
        """A deed that loses its own connection, with others in its commit."""
        (answer,) = self._write(
            self.chance.choice([*FORUMS, SITE]),
            lambda db: db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())")),
        )
        assert isinstance(answer, DBAPIError | Unavailable), answer

    def lasts(self, _count: int) -> None:
        def deed(db: Db) -> None:
            db.execute(text("SET LOCAL statement_timeout = '20ms'"))
            db.execute(text("SELECT pg_sleep(1)"))

        (answer,) = self._write(self.chance.choice(FORUMS), deed)
        assert isinstance(answer, DBAPIError | Unavailable), answer

    def clashes(self, _count: int) -> None:
        """A row that waits and breaks a key, told to nobody else."""

        def deed(db: Db) -> None:
            for _ in range(2):
                db.later(table(Visit), {"id": 2**31 - 1, "who": "x", "at": NOW})

        (answer,) = self._write(self.chance.choice(FORUMS), deed)
        assert isinstance(answer, DBAPIError | Unavailable), answer


def keep_house(url: str, house: int) -> Told:
    """What one process does: a pen, and people at several doors."""
    told, lock = Told(), threading.Lock()
    with opened(url) as database, ThreadPoolExecutor(DOORS) as people:
        pen = Pen(database)
        pen.start()
        doors = [Door(house, number, pen, told, lock) for number in range(DOORS)]
        for each in [people.submit(door.goes_on) for door in doors]:
            each.result()
        pen.stop()
    return told


def houses() -> Executor:
    """Processes in a soak; to start them takes longer than a usual run."""
    return ProcessPoolExecutor(HOUSES, get_context("spawn")) if SOAK else ThreadPoolExecutor(HOUSES)


@contextmanager
def cutting(url: str, database: str, until: threading.Event) -> Iterator[None]:
    """Now and then a connection is cut from outside, whatever is being done through it."""
    chance = Random(7)

    def cut() -> None:
        with psycopg.connect(url, autocommit=True, application_name="cutter") as connection:
            while not until.wait(0.15 + chance.random() / 5):
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
                    " AND application_name <> 'cutter' AND state <> 'idle' ORDER BY random() LIMIT 1",
                    [database],
                )

    with ThreadPoolExecutor(1) as thread:
        cutting = thread.submit(cut)
        try:
            yield
        finally:
            until.set()
            cutting.result()


def archive_of(database: Database, file: ForumFile) -> bytes:
    """Of a third forum, with people in it."""
    named = file.forum.model_copy(update={"slug": FROM_ARCHIVE})
    third = file.model_copy(update={"forum": named, "calendar": {}, "forum_calendar": None})
    pen, body = Pen(database), io.BytesIO()
    pen.write_now(FROM_ARCHIVE, lambda db: load(db, OPERATOR, third, now=NOW))
    terms, categories = small_terms(file, 50, STU=(2, None, "open"))
    terms = terms.model_copy(update={"opens_at": NOW - timedelta(days=1), "closes_at": NOW + timedelta(days=9)})

    def ask(db: Db) -> None:
        forum = the_forum(db, FROM_ARCHIVE)
        put_terms(db, OPERATOR, forum, terms, categories, now=NOW)
        put_questions(db, OPERATOR, forum, [], now=NOW)
        for number in range(20):
            apply(db, Actor.visitor(), forum, somebody(number, "STU"), f"key{number}", SECRET, now=NOW)

    pen.write_now(FROM_ARCHIVE, ask)
    with database.reading() as db:
        write_archive(db, OPERATOR, the_forum(db, FROM_ARCHIVE), body, SECRET, now=NOW)
    return body.getvalue()


@pytest.mark.postgres
def test_several_houses_lose_nobody_and_double_nothing(postgres_url: str, database: Database, forum_file: ForumFile):
    told, body = Told(), archive_of(database, forum_file) if SOAK else None
    with opened(postgres_url) as first:
        fill(first, forum_file)
        server, name = postgres_url.rsplit("/", 1)
        cut = cutting(f"{server}/postgres".replace("+psycopg", ""), name, threading.Event())
        with cut, houses() as going, ThreadPoolExecutor(1) as reading:
            kept = [going.submit(keep_house, postgres_url, house) for house in range(HOUSES)]
            if body is not None:
                reading.submit(bring_in, postgres_url, body).result()
            for each in kept:
                told.add(each.result())
        for slug in FORUMS:
            Pen(first).write_now(slug, lambda db, slug=slug: settle(db, the_forum(db, slug), now=NOW) and None)
        first.read(lambda db: hold_against(db, told))
        Pen(first).write_now(SITE, cluster.next_ids_are_free)


def bring_in(url: str, body: bytes) -> None:
    """Until it is in: a connection of it may be cut too."""
    with opened(url) as own, read_archive(io.BytesIO(body)) as archive:
        for _ in range(50):
            try:
                Pen(own).write_now(FROM_ARCHIVE, lambda db: unarchive(db, OPERATOR, archive, b"y" * 32, now=NOW))
            except (DBAPIError, Unavailable):
                continue
            except Refused as refused:  # it was written, and the line broke before the answer
                if refused.code != "archive_slug_taken":
                    raise
            return


def hold_against(db: Db, told: Told) -> None:
    for slug in FORUMS:
        own = forum_id(the_forum(db, slug))
        people = {
            row.request_key: row for row in db.execute(select(_applications).where(_applications.c.forum_id == own))
        }
        for (where, key), asked in told.asked.items():
            if where == slug:
                row = people[key]
                assert row.code == asked.code
                assert row.manage_digest == digest(asked.token) == digest(manage_token(SECRET, row.id, 1))
                ended = (slug, key) in told.cancelled
                perhaps = (slug, key) in told.perhaps_cancelled
                assert perhaps or (row.state == "cancelled") == ended, (key, row.state)
                assert perhaps or ended or asked.state == row.state or (asked.state, row.state) == ("waiting", "seated")
        known = {key for where, key in told.asked.keys() | told.unknown if where == slug}
        assert {key for key in people if not key.startswith("both-")} <= known, "nobody is there who was refused"
        seats = db.execute(select(_seats).where(_seats.c.forum_id == own)).all()
        inside = [seat.number for seat in seats if seat.number is not None]
        assert len(inside) == len(set(inside)) <= CAPACITY
        assert set(inside) <= set(
            db.execute(select(table(Place).c.number).where(table(Place).c.forum_id == own)).scalars()
        )
        holders = Counter(seat.application_id for seat in seats if seat.application_id)
        assert set(holders.values()) <= {1}
        assert {row.id for row in people.values() if row.state in SEATED} == holders.keys()
        if any(row.state == "waiting" for row in people.values()):
            assert len(people) >= CAPACITY // 3
        subjects = [f"registration:{row.code}" for row in people.values()]
        mails = Counter(
            (row.subject, row.template) for row in db.execute(select(_messages).where(_messages.c.forum == slug))
        )
        first = {"registration/seated", "registration/waiting"}
        for subject in subjects:
            assert sum(mails[subject, template] for template in first) == 1, (subject, mails)
        facts = Counter(
            (row.subject, row.kind)
            for row in db.execute(select(_facts.c.subject, _facts.c.kind).where(_facts.c.scope == slug))
        )
        for row in people.values():
            assert facts[f"registration:{row.code}", "registration.submitted"] == 1
            assert facts[f"registration:{row.code}", "registration.cancelled"] == (row.state == "cancelled")
        assert first_broken(db, slug) is None
    for who, count in told.counted.items():
        there = db.execute(select(func.count()).select_from(table(Visit)).where(table(Visit).c.who == who)).scalar_one()
        assert there >= count, who
    ids = db.execute(select(_messages.c.message_id)).scalars().all()
    assert len(ids) == len(set(ids))
    assert first_broken(db, SITE) is None
    assert first_broken(db, FROM_ARCHIVE) is None
