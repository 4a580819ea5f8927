"""The commands that serve, killed in the middle of their work: nothing acknowledged is lost, nothing is there twice.

People register as fast as they are answered; whoever gets no answer sends the very same form again, as a browser does
that is told to. Meanwhile one process after the other is killed with SIGKILL and started again. Then every form that
was answered must be one registration, and every mail must have reached an SMTP server: a second time only where a
worker was killed between the text and its commit, under the same Message-ID.

SALA_SOAK makes the storms longer, up to eight times.
"""

import asyncio
import http.client
import json
import os
import re
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from app.accounts.rules import Permission, Role
from app.audit.recording import first_broken
from app.editions.form import ForumFile
from app.forum.tokens import TokenInput, make_token
from app.kit import keeping
from app.kit.db import Database, Db, table
from app.kit.i18n import text_of
from app.kit.pen import Pen
from app.mail.models import Message
from app.registration.models import Application, Seat
from tests import cluster
from tests.api.programs import BASE
from tests.breadth import SOAK, some
from tests.cast import NOW, SECRET_KEY, SLUG, SOKHA, VANNA, fields, make_actor, the_forum
from tests.conftest import ROOT, fill, opened
from tests.nursery import Child, Nursery, free_port, listens, mothering, nursery
from tests.pooler import pooling
from tests.proxy import proxying

LENGTH = max(1, min(8, SOAK))
PEOPLE, AT_ONCE = 32 * LENGTH, 8
SEATS = 90
"""That students can have: forty are kept for them, fifty are open to all."""
FORM = f"/en/{SLUG}/register/stu"
_messages = table(Message)


@dataclass
class Post:
    """An SMTP server that keeps of each mail who it went to and under which Message-ID; it takes its time, so that
    kills meet it in the middle."""

    url: str = ""
    came: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.01

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as it is called
        found = re.search(rb"^Message-ID: (\S+)", envelope.content, re.MULTILINE)
        assert found
        self.came.append((found[1].decode(), envelope.rcpt_tos[0]))
        await asyncio.sleep(self.seconds)
        return "250 OK"


@pytest.fixture
def post() -> Iterator[Post]:
    kept, port = Post(), free_port()
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    kept.url = f"smtp://127.0.0.1:{port}"
    yield kept
    controller.stop()


@pytest.fixture(scope="module")
def mother() -> Iterator[Any]:
    """The process that every site of these tests is forked from."""
    with mothering() as found:
        yield found


@dataclass
class Storm:
    """People who register at any of these web processes; `answered` are the addresses that got their page."""

    webs: list[Child]
    answered: list[str] = field(default_factory=list)
    sent_again: int = 0

    def register(self, number: int) -> None:
        """One person, who asks again until there is an answer."""
        email, ports = f"person{number}@storm.example", cycle(web.port for web in self.webs[number % 2 :] + self.webs)
        form = form_of(self.until_answered(ports, "GET", ""), email)
        assert email in self.until_answered(ports, "POST", form)
        self.answered.append(email)

    def until_answered(self, ports: Iterator[int], method: str, body: str) -> str:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                answer = ask(next(ports), method, FORM, body)
            except (OSError, http.client.HTTPException):
                self.sent_again += 1
                time.sleep(0.02)
                continue
            if answer[0] == 200:
                return answer[1]
            assert answer[0] in {502, 503}, answer  # 502: the proxy, of a process that was just killed
            self.sent_again += 1
            time.sleep(0.05)
        raise AssertionError("never answered")


def form_of(page: str, email: str) -> str:
    """The page's form, filled in."""
    seal = re.search(r'name="form" value="([^"]+)"', page)
    assert seal
    typed = {name: value for name, value in fields(VANNA).items() if name not in {"category", "language"}}
    return urlencode({**typed, "email": email, "form": seal[1]})


def ask(port: int, method: str, path: str, body: str = "", *, bearer: str = "") -> tuple[int, str]:
    """One request on a connection of its own: the status and the page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"content-type": "application/x-www-form-urlencoded"} if body else {}
        headers |= {"authorization": f"Bearer {bearer}"} if bearer else {}
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def ride_out(storm: Storm, strikes: list[Callable[[], object]]) -> None:
    """Have everybody register while one strike after the other comes, spread over the storm."""
    over = threading.Event()

    def strike_in_turn() -> None:
        for number, strike in enumerate(strikes, 1):
            while len(storm.answered) < PEOPLE * number // (len(strikes) + 2) and not over.is_set():
                time.sleep(0.005)
            strike()

    with ThreadPoolExecutor(AT_ONCE) as people:
        striking = threading.Thread(target=strike_in_turn)
        striking.start()
        try:
            list(people.map(storm.register, range(PEOPLE)))
        finally:
            over.set()
            striking.join()


def killing(house: Nursery, victim: Child) -> Callable[[], object]:
    """Kills one of the processes with SIGKILL and starts it again."""

    def kill() -> None:
        victim.kill()
        house.start(victim, answers=False)

    return kill


def until(reached: Callable[[], bool], seconds: float) -> bool:
    """Wait for something; whether it came."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if reached():
            return True
        time.sleep(0.05)
    return reached()


def states(database: Database) -> Counter[str]:
    with database.reading() as db:
        return Counter(db.execute(select(_messages.c.state)).scalars())


def all_left(house: Nursery, database: Database) -> None:
    """Every mail leaves: first those that wait; ten minutes on those whose worker was killed, or whose database."""
    assert until(lambda: not states(database) & Counter(["queued"]), 60), states(database)
    house.set_clock(minutes=11)
    assert until(lambda: set(states(database)) == {"sent"}, 60), states(database)


def prove(database: Database, storm: Storm, post: Post, kills: int) -> None:
    """Every answered form is one registration, with one seat while there are any; every mail came; the log is whole."""
    with database.reading() as db:
        emails = Counter(db.execute(select(table(Application).c.email)).scalars())
        seats = list(db.execute(select(table(Seat).c.application_id)).scalars())
        mails = list(db.execute(select(_messages)))
        assert first_broken(db, SLUG) is None
    assert len(storm.answered) == PEOPLE
    assert emails == Counter(storm.answered), "each is there, once"
    assert len(seats) == len(set(seats)) == min(PEOPLE, SEATS)
    came = Counter(post.came)
    assert Counter(mail.to_address for mail in mails) == emails, "one mail for each"
    assert set(came) == {(mail.message_id, mail.to_address) for mail in mails}, "each came, and no other"
    twice = {message_id for (message_id, _), times in came.items() if times > 1}
    assert twice <= {mail.message_id for mail in mails if mail.possibly_repeated}
    assert came.total() - len(came) <= kills


def a_full_disk_is_told_and_nothing_is_lost(database: Database, site: Child) -> None:
    """A limit on the size of its files that a process cannot pass does what a full disk does; then it is lifted."""
    assert database.path is not None
    until(lambda: listens(site.port), 30)
    room = database.path.stat().st_size + 30_000  # the log beside it passes that sooner or later, if it has not yet
    _, most = resource.prlimit(site.process, resource.RLIMIT_FSIZE)
    refused, taken = "", []
    resource.prlimit(site.process, resource.RLIMIT_FSIZE, (room, most))
    for number in range(1000):
        email = f"late{number}@storm.example"
        refused = form_of(ask(site.port, "GET", FORM)[1], email)
        status, answer = ask(site.port, "POST", FORM, refused)
        if status != 200:
            break
        taken.append(email)
    assert status == 503
    assert text_of("en", "errors.unwritable.title") in answer
    assert ask(site.port, "GET", f"/km/{SLUG}/programme")[0] == 200
    emails = select(table(Application).c.email).where(table(Application).c.email.startswith("late"))
    assert database.read(lambda db: sorted(db.execute(emails).scalars())) == sorted(taken)
    resource.prlimit(site.process, resource.RLIMIT_FSIZE, (most, most))
    assert until(lambda: ask(site.port, "POST", FORM, refused)[0] == 200, 10), "no restart is needed"
    assert database.read(lambda db: first_broken(db, SLUG)) is None


@pytest.mark.postgres
@pytest.mark.skipif(LENGTH == 1, reason="takes a server of its own: SALA_SOAK=3")
def test_the_database_server_itself_is_killed_in_a_storm(
    shared: Path, forum_file: ForumFile, post: Post, mother: Any
) -> None:
    folder = shared / "killed"
    folder.mkdir()
    shared.chmod(0o755)  # the server's account has to get at its own folder below
    base = cluster.start(folder)
    try:
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE storm")
        url = f"{base}/storm"
        with opened(url) as database, nursery(mother, folder, url) as house:
            fill(database, forum_file)
            storm = Storm([house.serve(f"web{number}", SMTP_URL=post.url) for number in range(2)])
            house.work("worker", SMTP_URL=post.url)
            ride_out(storm, [lambda: cluster.restart(folder)] * LENGTH)
            all_left(house, database)
            prove(database, storm, post, kills=LENGTH)
    finally:
        cluster.stop(folder)


@pytest.mark.postgres
@pytest.mark.skipif(not SOAK, reason="takes two servers of its own: SALA_SOAK=1")
def test_the_primary_is_gone_in_a_storm_and_its_synchronous_replica_takes_over(
    shared: Path, forum_file: ForumFile, post: Post, mother: Any
) -> None:
    """The site is told of both servers and goes to the one that writes; nobody touches the site itself."""
    first, second = shared / "over-first", shared / "over-second"
    for folder in (first, second):
        folder.mkdir()
    shared.chmod(0o755)  # as above
    base = cluster.start(first)
    try:
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE storm")
        with opened(f"{base}/storm") as database:
            fill(database, forum_file)
        there = cluster.replicate(first, second)
        acknowledge_by_two(base)
        hosts = [each.rpartition("@")[2] for each in (base, there)]
        url = f"postgresql://sala@/storm?host={hosts[0]}&host={hosts[1]}&target_session_attrs=read-write"
        with opened(url) as database, nursery(mother, first, url) as house:
            webs = [house.serve(f"web{number}", SMTP_URL=post.url) for number in range(2)]
            house.work("worker", SMTP_URL=post.url)
            ready = f"/km/{SLUG}/programme"
            assert [ask(web.port, "GET", ready)[0] for web in webs] == [200, 200]

            def fail_over() -> None:
                cluster.stop(first)
                for web in webs:
                    assert ask(web.port, "GET", ready)[0] == 200, "pages that are ready are read on"
                    status, page = ask(web.port, "GET", f"/km/{SLUG}/register/stu")
                    assert (status, text_of("km", "errors.unreachable.title") in page) == (503, True)
                with psycopg.connect(f"{there}/postgres", autocommit=True) as connection:
                    assert connection.execute("SELECT pg_promote()").fetchone() == (True,)

            storm = Storm(webs)
            ride_out(storm, [fail_over])
            assert storm.sent_again, "somebody met it"
            all_left(house, database)
            prove(database, storm, post, kills=1)
    finally:
        cluster.stop(second)
        cluster.stop(first)


def acknowledge_by_two(base: str) -> None:
    """From now on the primary acknowledges only what its replica has on its disk too. Said to the primary alone: a
    replica that has taken over would wait for one of its own."""
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        connection.execute("SELECT pg_reload_conf()")
        asked = "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"
        assert until(lambda: connection.execute(asked).fetchone() == (1,), 20)


@pytest.mark.postgres
@pytest.mark.pooler
@pytest.mark.proxy
@pytest.mark.skipif(not SOAK, reason="takes two servers, a pooler and a proxy of its own: SALA_SOAK=1")
def test_the_parts_of_the_compose_file_together_while_the_replica_and_a_web_process_are_killed(
    shared: Path, forum_file: ForumFile, post: Post, mother: Any
) -> None:
    """Proxy, web processes, worker, pooler, primary, replica: whoever was answered is on the desk's list at once, by
    whichever process and server it is read."""
    first, second = shared / "whole-first", shared / "whole-second"
    for folder in (first, second):
        folder.mkdir()
    shared.chmod(0o755)  # as above
    base = cluster.start(first)
    try:
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE storm")
        with opened(f"{base}/storm") as database:
            fill(database, forum_file)
            token = program(database)
        replica = cluster.replicate(first, second)
        with ExitStack() as stack:
            url = f"{stack.enter_context(pooling(first, base))}/storm"
            house = stack.enter_context(nursery(mother, first, url))
            given = {
                "DATABASE_POOLED": "1",
                "SMTP_URL": post.url,
                "TRUSTED_PROXIES": "127.0.0.1",
                "API_PER_MINUTE": "0",
            }
            reading = {"DATABASE_READ_URL": f"{replica}/storm"}
            webs = [house.serve(f"web{number}", **given, **reading) for number in range(2)]
            house.work("worker", **given)
            proxy = Child("proxy", "caddy", {}, port=stack.enter_context(proxying(first, [web.port for web in webs])))
            database = stack.enter_context(opened(f"{base}/storm"))
            storm, over = Storm([proxy]), threading.Event()
            looked = stack.enter_context(ThreadPoolExecutor(1)).submit(watch, storm, token, over)
            try:
                ride_out(storm, [lambda: cluster.restart(second), killing(house, webs[0])] * LENGTH)
            finally:
                over.set()
            assert looked.result() > 2, "the desk was looked at all the while"
            all_left(house, database)
            prove(database, storm, post, kills=0)
            with psycopg.connect(f"{replica}/storm") as connection:
                read = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%registration_%'")
                assert read.fetchone() > (0,), "the processes read there"
    finally:
        cluster.stop(second)
        cluster.stop(first)


def watch(storm: Storm, token: str, over: threading.Event) -> int:
    """Ask the desk's list for whoever was answered last, until it is over: they are on it. How often."""
    times = 0
    while not over.is_set():
        last = storm.answered[-1] if storm.answered else ""
        try:
            status, page = ask(storm.webs[0].port, "GET", f"{BASE}/registrations?q={last}", bearer=token)
        except (OSError, http.client.HTTPException):
            continue
        if status == 200:
            assert not last or last in {one["email"] for one in json.loads(page)["items"]}
            times += 1
        else:
            assert status in {502, 503}, page
    return times


def program(database: Database) -> str:
    """The token of a program that sees the desk."""

    def deed(db: Db) -> str:
        sent = TokenInput(forum=SLUG, name="A program", scope=(Permission.SEE_DESK, Permission.SEE_PEOPLE))
        return make_token(db, make_actor(db, SOKHA, Role.ORGANISER), the_forum(db), sent, now=NOW)

    return str(Pen(database).write_now(SLUG, deed))


@pytest.mark.postgres
def test_two_web_processes_and_two_workers_are_killed_in_turn_in_a_storm_on_postgresql(
    postgres_url: str, tmp_path: Path, post: Post, mother: Any
) -> None:
    with opened(postgres_url) as database, nursery(mother, tmp_path, postgres_url) as house:
        webs = [house.serve(f"web{number}", SMTP_URL=post.url) for number in range(2)]
        workers = [house.work(f"worker{number}", SMTP_URL=post.url) for number in range(2)]
        storm = Storm(webs)
        victims = [webs[0], workers[0], webs[1], workers[1]]
        ride_out(storm, [killing(house, victim) for victim in victims * LENGTH])
        all_left(house, database)
        prove(database, storm, post, kills=2 * LENGTH)


def test_a_site_of_one_process_is_killed_again_and_again_in_a_storm_on_sqlite(
    sqlite_url: str, tmp_path: Path, post: Post, mother: Any
) -> None:
    with opened(sqlite_url) as database, nursery(mother, tmp_path, sqlite_url) as house:
        site = house.serve("site", WORKER="inline", SMTP_URL=post.url)
        storm = Storm([site])
        ride_out(storm, [killing(house, site)] * 3 * LENGTH)
        all_left(house, database)
        prove(database, storm, post, kills=3 * LENGTH)
        a_full_disk_is_told_and_nothing_is_lost(database, site)


@pytest.mark.parametrize("kind", some(["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], 0, each=2))
def test_whoever_is_answered_while_a_copy_is_brought_back_is_in_what_was_there_or_in_what_is(
    request: pytest.FixtureRequest, tmp_path: Path, post: Post, mother: Any, kind: str
) -> None:
    """The site should have been stopped first. It was not, and people register all the while. On PostgreSQL in a soak;
    that its pens wait is shown without a storm in `tests/kit/test_keeping.py`."""
    url = request.getfixturevalue(f"{kind}_url")
    copy, numbers, over = tmp_path / "copy", count(), threading.Event()
    with opened(url) as database, nursery(mother, tmp_path, url) as house:
        keeping.back_up(database, copy)
        storm = Storm([house.serve("site", SMTP_URL=post.url)])

        def register_on() -> None:
            while not over.is_set():
                storm.register(next(numbers))
                over.wait(0.02)  # room for the other command on the same processor

        with ThreadPoolExecutor(4) as people:
            registering = [people.submit(register_on) for _ in range(4)]
            try:
                assert until(lambda: len(storm.answered) > AT_ONCE, 60)
                done = brought_back(copy, url, tmp_path)
                so_far = len(storm.answered)
                assert done.returncode == 0, done.stdout + done.stderr
                assert until(lambda: len(storm.answered) > so_far + AT_ONCE, 60), (
                    "it goes on with what was brought back"
                )
            finally:
                over.set()
            for each in registering:
                each.result()
        now_there = registered(database)
        with opened_copy(
            request, kind, next((database.path or tmp_path / "x").parent.glob("before-restore-*"))
        ) as kept:
            before = registered(kept)
        assert set(storm.answered) <= before | now_there
        assert before
        assert before.isdisjoint(now_there), "whoever is in both was asked twice for one place"
        with database.reading() as db:
            assert first_broken(db, SLUG) is None


def brought_back(copy: Path, url: str, var: Path) -> "subprocess.CompletedProcess[str]":
    """`sala restore` in a process of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, "SECRET_KEY": SECRET_KEY, "DATABASE_URL": url, "SALA_VAR": str(var)}
    command = [sys.executable, "-m", "app", "restore", str(copy), "--yes"]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def registered(database: Database) -> set[str]:
    people = table(Application).c.email
    return set(
        database.read(lambda db: db.execute(select(people).where(people.like("%@storm.example"))).scalars().all())
    )


@contextmanager
def opened_copy(request: pytest.FixtureRequest, kind: str, copy: Path) -> Iterator[Database]:
    """A database made of a copy."""
    if kind == "sqlite":
        with opened(f"sqlite:///{copy}") as database:
            yield database
        return
    base = request.getfixturevalue("postgres_base")
    with cluster.copy_of(base, "what_was_there", "template0") as url, opened(url) as database:
        keeping.restore(database, copy)
        yield database
