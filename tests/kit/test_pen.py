import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.audit.models import Fact
from app.audit.recording import first_broken
from app.kit.db import Database, Db, new_ids, table
from app.kit.errors import Busy, Refused, Unavailable
from app.kit.models import Scope, Visit
from app.kit.pen import SITE, Pen, lock_scopes, republish, revisions, wait_for_all
from tests.cast import NOW, SLUG
from tests.conftest import ROOT, opened
from tests.kit.notes import note

_facts, _scopes = table(Fact), table(Scope)


def noted(db: Db) -> list[str]:
    return list(db.execute(select(_facts.c.kind).where(_facts.c.scope == SITE).order_by(_facts.c.number)).scalars())


class Held:
    """A pen kept at its first deed until `go`, so that what is asked for meanwhile becomes one batch."""

    def __init__(self, database: Database, **options: int) -> None:
        self.pen = Pen(database, **options)
        self._going, self._there = threading.Event(), threading.Event()
        self.pen.start()
        self.first = self.pen.submit(SITE, self._wait)
        assert self._there.wait(10)

    def _wait(self, _db: Db) -> None:
        self._there.set()
        assert self._going.wait(10)

    def go(self) -> None:
        self._going.set()

    def write(self, *deeds: Callable[[Db], Any]) -> list[Future[Any]]:
        """Ask for all of them at once and wait for every answer."""
        answers = [self.pen.submit(SITE, deed) for deed in deeds]
        self.go()
        wait(answers, timeout=30)
        return answers

    def close(self) -> None:
        self.go()
        self.pen.stop()


@pytest.fixture
def held(either_database: Database) -> Iterator[Held]:
    found = Held(either_database)
    yield found
    found.close()


def test_deeds_are_written_in_the_order_they_came(held: Held, either_database: Database):
    names = [f"deed {number}" for number in range(20)]
    assert [answer.result() for answer in held.write(*map(note, names))] == names
    assert either_database.read(noted) == names


def test_what_waits_is_written_in_one_commit(held: Held, either_database: Database):
    commits: list[object] = []
    event.listen(either_database.write_engine, "commit", commits.append)
    held.write(*(note(f"deed {number}") for number in range(20)))
    assert len(commits) == 2, "one for the deed that was being written, one for all that waited"


def test_a_batch_is_no_longer_than_allowed(database: Database):
    held, commits = Held(database, batch=4), []
    event.listen(database.write_engine, "commit", commits.append)
    held.write(*(note(f"deed {number}") for number in range(8)))
    held.close()
    assert len(commits) == 3


def test_a_failing_deed_takes_only_itself_back(held: Held, either_database: Database):
    def refuses(db: Db) -> None:
        note("half done")(db)
        raise Refused("closed")

    def breaks_the_database(db: Db) -> None:
        note("half done")(db)
        db.execute(_scopes.insert().values(name=SLUG, revision=0))

    def breaks(db: Db) -> None:
        note("half done")(db)
        raise ZeroDivisionError

    answers = held.write(note("before"), refuses, breaks_the_database, breaks, note("after"))
    kinds = [type(answer.exception()) for answer in answers]
    assert kinds == [type(None), Refused, IntegrityError, ZeroDivisionError, type(None)]
    assert either_database.read(noted) == ["before", "after"]


def test_what_one_deed_left_unwritten_does_not_reach_the_next(held: Held):
    def adds_and_refuses(db: Db) -> None:
        db.add(Scope(name="never", revision=1))
        raise Refused("closed")

    _, names = held.write(adds_and_refuses, lambda db: list(db.execute(select(_scopes.c.name)).scalars()))
    assert "never" not in names.result()


def test_an_answer_comes_after_its_commit(held: Held, either_database: Database):
    seen: list[list[str]] = []
    answer = held.pen.submit(SITE, note("deed"))
    answer.add_done_callback(lambda _: seen.append(either_database.read(noted)))
    held.go()
    answer.result(10)
    held.pen.stop()
    assert seen == [["deed"]]


def fails_at_the_commit(db: Db) -> None:
    db.execute(text("PRAGMA defer_foreign_keys=ON"))
    db.execute(text("INSERT INTO registration_place (forum_id, number, retiring) VALUES (999, 1, 0)"))


def test_a_commit_that_the_database_refuses_is_told_to_whoever_made_it_fail(database: Database):
    def is_refused(_db: Db) -> None:
        raise Refused("closed")

    held = Held(database)
    before, failed, refused, after = held.write(note("before"), fails_at_the_commit, is_refused, note("after"))
    assert [type(each.exception()) for each in (before, failed, refused, after)] == [
        type(None), IntegrityError, Refused, type(None),
    ]  # fmt: skip
    assert database.read(noted) == ["before", "after"]
    held.close()


@pytest.mark.postgres
def test_a_lost_connection_costs_only_the_deed_that_lost_it(postgres_url: str):
    database = Database(postgres_url)
    held = Held(database)

    def loses(db: Db) -> None:
        db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    before, lost, after = held.write(note("before"), loses, note("after"))
    assert (before.result(), after.result()) == ("before", "after")
    assert isinstance(lost.exception(), DBAPIError)
    assert database.read(noted) == ["before", "after"]
    held.close()
    database.close()


def test_more_waiting_than_can_be_served_is_busy(database: Database):
    held = Held(database, waiting=2)
    taken = [held.pen.submit(SITE, note("one")), held.pen.submit(SITE, note("two"))]
    with pytest.raises(Busy):
        held.pen.submit(SITE, note("three"))
    held.go()
    assert [answer.result(10) for answer in taken] == ["one", "two"]
    held.close()
    assert database.read(noted) == ["one", "two"]


def test_a_request_that_went_away_is_not_written(held: Held, either_database: Database):
    gone = held.pen.submit(SITE, note("gone"))
    assert gone.cancel()
    held.write(note("stays"))
    assert either_database.read(noted) == ["stays"]


def test_stopping_writes_what_is_queued(held: Held, either_database: Database):
    answers = [held.pen.submit(SITE, note(f"deed {number}")) for number in range(3)]
    stopping = threading.Thread(target=held.pen.stop)
    stopping.start()
    held.go()
    stopping.join(10)
    assert [answer.result(0) for answer in answers] == ["deed 0", "deed 1", "deed 2"]
    assert len(either_database.read(noted)) == 3


def test_a_pen_that_was_not_started_writes_in_the_callers_thread(database: Database):
    assert Pen(database).write_now(SITE, lambda _: threading.get_ident()) == threading.get_ident()


def test_doors_await_the_pen(pen: Pen, in_loop: Any):
    assert in_loop(lambda: pen.write(SITE, note("awaited"))) == "awaited"


def test_pens_of_one_database_lose_no_count(either_database: Database):
    def one_more(db: Db) -> None:
        was = db.execute(select(_scopes.c.revision).where(_scopes.c.name == SITE)).scalar_one()
        db.execute(update(_scopes).where(_scopes.c.name == SITE).values(revision=was + 1))

    before = either_database.read(revisions).get(SITE, 0)
    pens = [Pen(either_database) for _ in range(3)]
    for pen in pens:
        pen.start()
    answers = [pen.submit(SITE, one_more) for _ in range(40) for pen in pens]
    for answer in answers:
        answer.result(60)
    for pen in pens:
        pen.stop()
    assert either_database.read(revisions)[SITE] == before + 120


def test_pens_whose_batches_name_several_scopes_do_not_wait_for_each_other_for_ever(either_database: Database):
    pens = [Pen(either_database) for _ in range(2)]
    for pen in pens:
        pen.start()
    orders = [("a", "b", "c"), ("c", "b", "a")]
    answers = [
        pen.submit(scope, lambda db, scope=scope: republish(db, scope))
        for _ in range(20)
        for pen, order in zip(pens, orders, strict=True)
        for scope in order
    ]
    for answer in answers:
        answer.result(60)
    for pen in pens:
        pen.stop()
    found = either_database.read(revisions)
    assert [found[scope] for scope in "abc"] == [40, 40, 40]


@pytest.mark.postgres
def test_whoever_writes_under_numbers_of_their_own_waits_for_those_who_drew_some(postgres_url: str):
    """They have written nothing yet that another could see."""
    visits, drew, may_end = table(Visit), threading.Event(), threading.Event()
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
    )

    def draws(db: Db) -> list[int]:
        mine = list(new_ids(db, visits, 3))
        for number in mine:
            db.later(visits, {"id": number, "who": "drew", "at": NOW})
        drew.set()
        assert may_end.wait(10)
        return mine

    def chooses(db: Db) -> int:
        wait_for_all(db)
        mine = 1 + int(db.execute(select(func.coalesce(func.max(visits.c.id), 0))).scalar_one())
        db.execute(insert(visits).values(id=mine, who="chose", at=NOW))
        return mine

    with opened(postgres_url) as one, opened(postgres_url) as other, ThreadPoolExecutor(2) as both:
        first = both.submit(Pen(one).write_now, SITE, draws)
        assert drew.wait(10)
        second = both.submit(Pen(other).write_now, SLUG, chooses)
        while not (second.done() or one.read(lambda db: db.execute(waiting).scalar_one())):
            time.sleep(0.01)
        may_end.set()
        assert second.result(10) == first.result(10)[-1] + 1


def test_a_scope_is_made_when_it_is_first_written_in(database: Database):
    Pen(database).write_now("new", lambda db: republish(db, "new"))
    assert database.read(revisions)["new"] == 1
    with Db(database.write_engine) as db:
        lock_scopes(db, {"new"})
        db.commit()
    assert database.read(revisions)["new"] == 1, "what is there stays as it is"


WRITER = """
import os, sys, threading
from app.kit.db import Database
from app.kit.pen import SITE, Pen
from tests.kit.notes import note

pen = Pen(Database(sys.argv[1]))
pen.start()

def one_after_the_other(thread):
    for number in range(10_000):
        os.write(1, f"{pen.write_now(SITE, note(f'{thread}-{number}'))}\\n".encode())

threads = [threading.Thread(target=one_after_the_other, args=(n,)) for n in range(8)]
for thread in threads:
    thread.start()
"""


def test_a_killed_process_loses_nothing_that_was_acknowledged(either_url: str):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WRITER, either_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(100)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in writer.stdout.read().splitlines()[:-1]]
    database = Database(either_url)
    kept = database.read(noted)
    database.close()
    assert set(filter(None, acknowledged)) <= set(kept)
    assert len(kept) == len(set(kept)), "nothing was written twice"


def test_a_writer_that_gets_no_turn_says_so_and_goes_on(pen: Pen, database: Database) -> None:
    """The file that processes take turns by cannot be opened for a while: a folder stands in its place."""
    assert database.path is not None
    turn = database.path.with_name(database.path.name + ".turn")
    turn.unlink(missing_ok=True)
    turn.mkdir()
    with pytest.raises(OSError, match="turn"):
        pen.submit(SITE, lambda _db: 1).result(timeout=10)
    turn.rmdir()
    assert pen.submit(SITE, lambda _db: 2).result(timeout=10) == 2


def test_a_disk_that_fills_up_within_a_batch_loses_nothing_that_was_acknowledged(database: Database) -> None:
    """SQLite then ends the whole transaction by itself: its neighbours' work is gone unless it is done again."""
    with database.read_engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    event.listen(database.write_engine, "begin", lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages + 8}"))
    pen = Pen(database)
    gate = threading.Event()

    def keep(name: str) -> Callable[[Db], None]:
        return lambda db: db.execute(text("INSERT INTO kit_scope VALUES (:name, 0)"), {"name": name})  # type: ignore[return-value]

    pen.start()
    pen.submit(SITE, lambda _db: gate.wait(10))
    names = ["one", "two", "x" * 400_000, "three"]
    answers = [pen.submit(SITE, keep(name)) for name in names]
    gate.set()
    wait(answers)
    pen.stop()
    there = set(database.read(lambda db: db.execute(text("SELECT name FROM kit_scope")).scalars().all()))
    assert [answer.exception() is None for answer in answers] == [True, True, False, True]
    assert {"one", "two", "three"} <= there


def test_what_a_deed_leaves_is_there_for_the_very_next_one_alone(database: Database) -> None:
    def leave(db: Db) -> None:
        db.info["left"] = True

    def look(db: Db) -> bool:
        return "left" in db.info

    held = Held(database)
    seen = held.write(look, leave, look, look)
    assert [answer.result() for answer in seen] == [False, None, True, False]


def test_what_a_refused_deed_leaves_is_there_for_nobody_and_what_is_left_anew_for_the_next(database: Database) -> None:
    def leave(db: Db) -> None:
        db.info["left"] = object()

    def look(db: Db) -> bool:
        return "left" in db.info

    def leave_and_refuse(db: Db) -> None:
        leave(db)
        raise Refused("closed")

    held = Held(database)
    seen = held.write(leave, leave, look, leave, leave_and_refuse, look)
    assert [answer.exception() is None and answer.result() for answer in seen] == [None, None, True, None, False, False]


def test_a_commit_of_quiet_deeds_alone_is_no_change(database: Database) -> None:
    pen = Pen(database)
    pen.submit_together(SITE, [note("a"), note("b")], quiet=True)
    assert (pen.tally.commits, pen.tally.changes) == (1, 0)
    pen.submit_together(SITE, [note("c")])
    assert (pen.tally.commits, pen.tally.changes) == (2, 1)


def test_deeds_asked_for_together_are_in_one_commit_and_each_stands_for_itself(database: Database) -> None:
    pen = Pen(database)
    pen.start()

    def refuse(_db: Db) -> None:
        raise Refused("no")

    def leave(db: Db) -> None:
        db.info["left"] = True

    def look(db: Db) -> bool:
        return "left" in db.info

    for _ in range(50):
        first, refused, _left, last = pen.submit_together(SITE, [note("a"), refuse, leave, look])
        assert (first.result(), type(refused.exception()), last.result()) == ("a", Refused, True)
    pen.stop()


def test_nobody_at_a_door_waits_longer_than_the_pens_patience_and_what_is_given_back_is_not_written(
    database: Database, in_loop: Any
) -> None:
    held = Held(database, patience=0.2)

    async def ask() -> list[Any]:
        asked = [held.pen.write_together(SITE, [note("counted"), note(f"deed {number}")]) for number in range(5)]
        return await asyncio.gather(*asked, return_exceptions=True)

    refused = in_loop(ask)
    assert [type(one) for one in refused] == [Busy] * 5
    assert all(2 <= one.values["seconds"] <= 30 for one in refused)
    time.sleep(0.2)
    with pytest.raises(Busy):  # somebody holds the pen for longer than that already: told at once
        held.pen.submit(SITE, note("late"))
    later = threading.Thread(target=held.pen.write_now, args=(SITE, note("of the worker")))
    later.start()
    held.go()
    later.join(10)
    held.close()
    assert database.read(noted) == ["of the worker"]
    assert held.pen.tally.turned_away == 5 * 2 + 1


def test_deeds_of_somebody_who_went_away_while_they_waited_are_not_written(database: Database, in_loop: Any) -> None:
    held = Held(database)

    async def ask_and_go() -> None:
        asked = asyncio.create_task(held.pen.write_together(SITE, [note("counted"), note("deed")]))
        await asyncio.sleep(0.05)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    in_loop(ask_and_go)
    held.write(note("stays"))
    held.close()
    assert database.read(noted) == ["stays"]


def test_what_the_last_of_several_deeds_says_comes_when_all_are_over(pen: Pen, in_loop: Any) -> None:
    done = []

    def refuse(_db: Db) -> None:
        done.append("refused")
        raise Refused("no")

    def last(_db: Db) -> str:
        done.append("last")
        return "last"

    assert in_loop(lambda: pen.write_together(SITE, [note("first"), refuse, last])) == "last"
    assert done == ["refused", "last"]
    with pytest.raises(Refused):
        in_loop(lambda: pen.write_together(SITE, [note("first"), refuse]))


def test_deeds_that_are_being_written_are_not_given_back(database: Database, in_loop: Any) -> None:
    pen = Pen(database, patience=0.05)
    pen.start()

    def slow(db: Db) -> str:
        time.sleep(0.3)
        return note("slow")(db)

    assert in_loop(lambda: pen.write(SITE, slow)) == "slow"
    pen.stop()
    assert database.read(noted) == ["slow"]


def test_whoever_would_wait_too_long_is_told_so_when_they_come(database: Database) -> None:
    """Each deed takes a twentieth of a second here, and half a second is how long one may wait: so ten of a storm are
    taken, or as many more as were begun meanwhile."""
    pen = Pen(database, batch=1, patience=0.5)
    pen.start()

    def slow(_db: Db) -> None:
        time.sleep(0.05)

    for _ in range(9):
        pen.write_now(SITE, slow)
    answers, busy = [], 0
    for _ in range(200):
        try:
            answers.append(pen.submit(SITE, slow))
        except Busy:
            busy += 1
    assert 5 <= len(answers) <= 20
    began = time.monotonic()
    wait(answers)
    pen.stop()
    assert time.monotonic() - began < 2
    assert busy == 200 - len(answers)


@pytest.mark.postgres
def test_a_connection_that_was_cut_under_one_deed_costs_nobody_anything(postgres_url: str) -> None:
    database = Database(postgres_url)
    cut = []

    def cut_once(db: Db) -> str:
        if not cut:
            cut.append(db.execute(text("SELECT pg_backend_pid()")).scalar_one())
            with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", cut)
        return note("written")(db)

    assert Pen(database).write_now(SITE, cut_once) == "written"
    assert database.read(noted) == ["written"]
    database.close()


@pytest.mark.postgres
def test_a_connection_that_is_cut_at_the_commit_leaves_open_whether_it_was_written(postgres_url: str) -> None:
    database = Database(postgres_url)

    def cut(connection: Any) -> None:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])

    event.listen(database.write_engine, "commit", cut, once=True)
    for answer in Pen(database).submit_together(SITE, [note("perhaps"), note("perhaps too")]):
        assert isinstance(answer.exception(), Unavailable)
        assert str(answer.exception()) == "uncertain"
    assert Pen(database).write_now(SITE, note("later")) == "later"
    database.close()


CUT = """
import os, signal, sys
from sqlalchemy import event
from app.kit.db import Database
from app.kit.pen import SITE, Pen
from tests.kit.notes import note

database = Database(sys.argv[1])
pen = Pen(database)
print(pen.write_now(SITE, note("acknowledged")), flush=True)
event.listen(database.write_engine, "commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
print(pen.write_now(SITE, note("cut")), flush=True)
"""


def test_a_process_killed_between_writing_and_commit_leaves_nothing_half_done(either_url: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CUT, either_url]
    cut = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert (cut.returncode, cut.stdout) == (-signal.SIGKILL, "acknowledged\n"), cut.stderr
    database = Database(either_url)
    assert database.read(noted) == ["acknowledged"]
    assert Pen(database).write_now(SITE, note("next")) == "next", "nobody's lock is left"
    assert database.read(lambda db: first_broken(db, SITE)) is None
    assert database.read(noted) == ["acknowledged", "next"]
    database.close()
