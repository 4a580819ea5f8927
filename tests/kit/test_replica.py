"""A real streaming replica beside a real primary: what is read there, what never is, and what happens when it cannot.

SALA_SOAK makes the writing and reading at once longer.
"""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, select, text, update
from starlette.testclient import TestClient

from app.accounts.rules import Role
from app.cli import checks
from app.cli.house import House
from app.editions.form import ForumFile
from app.kit import clock as kit_clock
from app.kit import replica as replica_module
from app.kit.db import Database, Db, table
from app.kit.heart import beat
from app.kit.models import Scope
from app.kit.pen import SITE, Pen
from app.kit.replica import BEHIND, GONE, OK, UNFIT, Position, Replica, _OneAtATime, _unfit
from app.main import create_app
from tests import cluster
from tests.api.programs import Programs
from tests.breadth import SOAK
from tests.cast import NOW, SLUG
from tests.conftest import fill, settings_for
from tests.doors import Doors

LOOK = {"letter": "T", "tone": "red"}
TOKEN = "of-whoever-watches"
DESK = f"/desk/{SLUG}"
WRITERS, WRITES = 4, 30 * max(1, min(40, SOAK))
_scopes = table(Scope)
IS_REPLICA = text("SELECT pg_is_in_recovery()")

pytestmark = pytest.mark.postgres
SECONDS = 20.0
"""How long a busy machine may take for what is there in milliseconds."""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown here is what is read where, not how quick this machine is."""
    monkeypatch.setattr(replica_module, "PATIENCE", SECONDS)


@dataclass(frozen=True)
class Pair:
    """A primary and its replica: the folders they live in, and where the forum is found on each."""

    first: Path
    second: Path
    url: str
    read_url: str

    @contextmanager
    def opened(self, **other: str) -> Iterator[tuple[Database, Replica]]:
        """The database with its replica, or with another address as one; asked once, so that it is in use."""
        database = Database(self.url, read_url=other.get("read_url", self.read_url))
        assert database.replica is not None
        database.replica.look(SECONDS)
        yield database, database.replica
        database.close()

    def level(self) -> None:
        """Wait until the replica has all that the primary has."""
        with self.opened() as (_, replica):
            assert replica.state == OK, replica.why

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The replica receives and replays nothing meanwhile."""
        with psycopg.connect(self.read_url, autocommit=True) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")
            while connection.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() != ("paused",):
                time.sleep(0.01)
            yield
            connection.execute("SELECT pg_wal_replay_resume()")


@pytest.fixture(scope="module")
def pair(shared: Path, forum_file: ForumFile) -> Iterator[Pair]:
    # each worker that gets some of these tests has its own pair
    folders = [Path(tempfile.mkdtemp(prefix=f"{name}-", dir=shared)) for name in ("first", "second")]
    shared.chmod(0o755)  # the servers' account has to get at its own folders below
    base = cluster.start(folders[0])
    try:
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE sala")
        database = Database(f"{base}/sala")
        with kit_clock.reading(lambda: NOW):
            fill(database, forum_file)
        database.close()
        there = cluster.replicate(folders[0], folders[1], "max_standby_streaming_delay=100ms")
        yield Pair(*folders, f"{base}/sala", f"{there}/sala")
    finally:
        for folder in reversed(folders):
            cluster.stop(folder)


@dataclass(frozen=True)
class Seen:
    """A site on both servers, whoever asks it, and what each of them was asked by reading."""

    doors: Doors
    programs: Programs
    replica: Replica
    of_replica: list[str]
    of_primary: list[str]

    def metrics(self) -> dict[str, float]:
        lines = self.doors.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).text.splitlines()
        return {name: float(number) for name, _, number in (line.rpartition(" ") for line in lines if line[0] != "#")}

    def whole(self) -> Any:
        return self.doors.get("/readyz?whole=yes")

    def is_whole_again(self) -> None:
        until = time.monotonic() + SECONDS
        while (answer := self.whole()).status_code != 200:
            assert time.monotonic() < until, answer.text
            time.sleep(0.05)
        assert answer.json()["replica"] == "ok"


@pytest.fixture
def seen(pair: Pair) -> Iterator[Seen]:
    app = create_app(settings_for(pair.url, DATABASE_READ_URL=pair.read_url, METRICS_TOKEN=TOKEN))
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        doors = Doors(app, client)
        replica, programs = doors.site.database.replica, Programs(doors)
        assert replica is not None
        doors.site.pen.write_now(SITE, lambda db: beat(db, {"deliver": (NOW, 2.0)}))
        programs.enrol("organiser", Role.ORGANISER)
        assert replica.look(SECONDS) == OK
        kept = Seen(doors, programs, replica, [], [])
        for engine, into in ((replica.engine, kept.of_replica), (doors.site.database.read_engine, kept.of_primary)):
            event.listen(engine, "before_cursor_execute", lambda *asked, into=into: into.append(asked[2]))
        yield kept


def mentions(statements: list[str], name: str) -> bool:
    return any(name in statement for statement in statements)


def test_the_desk_programs_and_private_calendars_read_the_replica_and_see_what_was_just_written(seen: Seen) -> None:
    doors, programs = seen.doors, seen.programs
    for turn in range(5):
        number = programs.post("/tags", {"name": f"Tag {turn}", **LOOK})
        assert number.status_code == 201, number.text
        assert f"Tag {turn}" in doors.page(f"{DESK}/tags", "organiser").text
        assert f"Tag {turn}" in programs.get("/tags").text
    assert doors.get(f"{DESK}/registrations", "organiser").status_code == 200
    assert mentions(seen.of_replica, "registration_tag")
    assert mentions(seen.of_replica, "accounts_login"), "who asks is read in the same view as what they are shown"
    assert not mentions(seen.of_primary, "registration_tag")
    verbs = {statement.split()[0] for statement in seen.of_replica}
    assert verbs <= {"SELECT", "WITH", "SET"}, "SET TRANSACTION … READ ONLY, and nothing that writes"
    assert seen.replica.given >= 10
    before = len(seen.of_replica)
    assert doors.get(f"/en/{SLUG}/register/stu").status_code == 200
    assert doors.get("/calendars/" + "a" * 32 + ".ics").status_code == 404
    assert len(seen.of_replica) > before, "private calendars"
    assert not mentions(seen.of_replica, "kit_scope.revision FROM"), "which pages are stale is asked of the primary"
    assert seen.metrics()["sala_replica_reads_total"] == seen.replica.given
    seen.is_whole_again()


def test_whoever_writes_reads_it_however_many_write_at_once(pair: Pair) -> None:
    with pair.opened() as (database, replica):
        pen = Pen(database)
        pen.start()

        def write_and_read(writer: int) -> list[tuple[int, int]]:
            name, found = f"writer{writer}", []
            mine = _scopes.c.name == name
            read = select(_scopes.c.revision).where(mine)
            for number in range(1, WRITES + 1):
                pen.write_now(name, lambda db, to=number: db.execute(update(_scopes).where(mine).values(revision=to)))
                found.append((number, database.read(lambda db: db.execute(read).scalar_one(), replica=True)))
            return found

        with ThreadPoolExecutor(WRITERS) as threads:
            for found in threads.map(write_and_read, range(WRITERS)):
                assert [number for number, _ in found] == [number for _, number in found]
        pen.stop()
        assert replica.given == WRITERS * WRITES, "every read was the replica's"


def test_while_the_replica_stands_still_the_primary_answers_and_those_who_watch_are_told(
    pair: Pair, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica_module, "PATIENCE", 0.05)
    with pair.paused():
        assert seen.programs.post("/tags", {"name": "Written meanwhile", **LOOK}).status_code == 201
        for _ in range(3):
            assert "Written meanwhile" in seen.doors.page(f"{DESK}/tags", "organiser").text
        assert seen.replica.state == BEHIND
        assert mentions(seen.of_primary, "registration_tag")
        watched = seen.whole()
        assert (watched.status_code, watched.json()["replica"]) == (503, "behind")
        assert seen.doors.get("/readyz").status_code == 200, "pages do not need it"
        figures = seen.metrics()
        assert figures['sala_replica_passed_by_total{reason="behind"}'] >= 3
        assert figures["sala_replica_behind_bytes"] > 0
        assert [each.level for each in checks.replica(house(seen))] == ["wrong"]
    seen.of_replica.clear()
    monkeypatch.setattr(replica_module, "PATIENCE", SECONDS)
    seen.is_whole_again()
    assert "Written meanwhile" in seen.doors.page(f"{DESK}/tags", "organiser").text
    assert mentions(seen.of_replica, "registration_tag"), "and then it is read again"
    assert [each.level for each in checks.replica(house(seen))] == ["good"]


def house(seen: Seen) -> House:
    site = seen.doors.site
    return House(site.settings, site.database, site.pen)


def test_a_query_that_stands_in_the_way_of_what_is_replayed_is_answered_by_the_primary(pair: Pair) -> None:
    with pair.opened() as (database, replica):
        asked: list[bool] = []

        def slow(db: Db) -> bool:
            db.execute(select(_scopes.c.name)).all()
            asked.append(db.execute(IS_REPLICA).scalar_one())
            if asked == [True]:
                with database.write_engine.begin() as writing:  # a migration
                    writing.execute(text("ALTER TABLE kit_scope ADD COLUMN more integer"))
                    writing.execute(text("ALTER TABLE kit_scope DROP COLUMN more"))
                db.execute(text("SELECT pg_sleep(20)"))
            return asked[-1]

        assert database.read(slow, replica=True) is False
        assert asked == [True, False]
        assert (replica.given, replica.passed_by) == (1, {BEHIND: 1})
        assert database.read(lambda db: db.execute(IS_REPLICA).scalar_one(), replica=True) is True


def test_a_replica_that_is_killed_under_a_query_takes_nothing_away(pair: Pair, seen: Seen) -> None:
    database, asked = seen.doors.site.database, []

    def killing(db: Db) -> bool:
        asked.append(db.execute(IS_REPLICA).scalar_one())
        if asked == [True]:
            cluster.stop(pair.second)
        return bool(db.execute(IS_REPLICA).scalar_one())

    try:
        assert database.read(killing, replica=True) is False
        assert (asked, seen.replica.state) == ([True, False], GONE)
        assert seen.programs.post("/tags", {"name": "Without a replica", **LOOK}).status_code == 201
        assert "Without a replica" in seen.doors.page(f"{DESK}/tags", "organiser").text
        assert (seen.whole().status_code, seen.whole().json()["replica"]) == (503, "gone")
        assert [each.words for each in checks.replica(house(seen))] == ["The replica is not read: it does not answer."]
    finally:
        cluster.restart(pair.second)
    seen.is_whole_again()  # without a restart of ours
    assert "Without a replica" in seen.doors.page(f"{DESK}/tags", "organiser").text


def test_a_replica_that_is_frozen_keeps_nobody_waiting(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica_module, "SECONDS_TO_ANSWER", 0.2)
    server = int((pair.second / "cluster" / "rows" / "postmaster.pid").read_text().split()[0])
    with pair.opened() as (database, replica):
        frozen = database.read(lambda db: db.execute(text("SELECT pid FROM pg_stat_activity")).scalars(), replica=True)
        everybody = [server, *frozen.all()]
        for process in everybody:
            os.kill(process, signal.SIGSTOP)
        try:
            assert database.read(lambda db: db.execute(IS_REPLICA).scalar_one(), replica=True) is False
            assert replica.state == GONE
        finally:
            for process in everybody:
                os.kill(process, signal.SIGCONT)
        assert replica.look(SECONDS) == OK


def test_what_is_no_replica_of_this_database_is_not_read(pair: Pair) -> None:
    elsewhere = pair.read_url.removesuffix("sala") + "postgres"
    others = {pair.url: "it is no replica", elsewhere: "its address names another"}
    for address, why in others.items():
        with pair.opened(read_url=address) as (database, replica):
            assert replica.state == UNFIT
            assert replica.why.startswith(why)
            assert database.read(lambda db: db.execute(IS_REPLICA).scalar_one(), replica=True) is False


def test_an_account_without_rights_may_ask_unless_that_is_taken_from_it_too(pair: Pair) -> None:
    plain = pair.read_url.replace("sala@", "plain@")
    with psycopg.connect(pair.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN")
        pair.level()
        with pair.opened(read_url=plain) as (_, replica):
            assert replica.state == OK
        connection.execute("REVOKE EXECUTE ON FUNCTION pg_control_system FROM public")
        pair.level()
        with pair.opened(read_url=plain) as (database, replica):
            assert (replica.state, replica.why) == (UNFIT, "its account may not ask for its position")
            assert database.read(lambda db: db.execute(IS_REPLICA).scalar_one(), replica=True) is False
        connection.execute("GRANT EXECUTE ON FUNCTION pg_control_system TO public")


HERE = Position(reached=100, counts=True, database="sala", cluster=7, timeline=1)


@pytest.mark.parametrize(
    ("there", "primary", "why"),
    [
        ({"counts": False}, {}, "it is no replica"),
        ({"cluster": 8}, {}, "another server"),
        ({"database": "other"}, {}, "another database"),
        ({}, {"timeline": 2}, "failover"),
        ({}, {"counts": False}, "synchronous_commit"),
        ({}, {}, ""),
    ],
)
def test_only_what_follows_just_this_primary_can_stand_for_it(there: dict[str, Any], primary: dict[str, Any], why: str):
    found = _unfit(replace(HERE, **there), replace(HERE, **primary))
    assert why in found
    assert bool(found) == bool(why)


def test_one_question_serves_all_who_came_before_it_began_and_nobody_else() -> None:
    began, go_on, asked = threading.Semaphore(0), threading.Semaphore(0), iter(range(1, 9))

    def question() -> Position:
        number = next(asked)
        began.release()
        go_on.acquire()
        return replace(HERE, reached=number)

    shared = _OneAtATime(question)
    with ThreadPoolExecutor(6) as threads:
        first = threads.submit(shared.ask)
        began.acquire()
        later = [threads.submit(shared.ask) for _ in range(5)]
        while len(shared._changed._waiters) < 5:  # type: ignore[attr-defined]
            time.sleep(0.001)
        go_on.release()
        began.acquire()
        assert first.result().reached == 1
        assert not any(answer.done() for answer in later), "what was asked before they came is not theirs"
        go_on.release()
        assert {answer.result().reached for answer in later} == {2}
