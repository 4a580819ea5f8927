"""The commands that serve, killed in the middle of their work: nothing acknowledged is lost, nothing is there twice.

People register as fast as they are answered; whoever gets no answer sends the very same form again, as a browser does
that is told to. Meanwhile one process after the other is killed with SIGKILL and started again. Then every form that
was answered must be one registration, and every mail must have reached an SMTP server: a second time only where a
worker was killed between the text and its commit, under the same Message-ID.

SALA_SOAK makes the storms longer by that factor.
"""

import asyncio
import http.client
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from app.audit.recording import first_broken
from app.kit.db import Database, table
from app.mail.models import Message
from app.registration.models import Application, Seat
from tests.cast import SLUG, VANNA, fields
from tests.conftest import opened
from tests.nursery import Child, Nursery, free_port, nursery

SOAK = max(1, min(50, int(os.environ.get("SALA_SOAK", "1"))))
PEOPLE, AT_ONCE = 32 * min(SOAK, 8), 8
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


@dataclass
class Storm:
    """People who register at any of these web processes; `answered` are the addresses that got their page."""

    webs: list[Child]
    answered: list[str] = field(default_factory=list)
    sent_again: int = 0

    def register(self, number: int) -> None:
        """One person, who asks again until there is an answer."""
        email, ports = f"person{number}@storm.example", cycle(web.port for web in self.webs[number % 2 :] + self.webs)
        page = self.until_answered(ports, "GET", "")
        seal = re.search(r'name="form" value="([^"]+)"', page)
        assert seal
        typed = {name: value for name, value in fields(VANNA).items() if name not in {"category", "language"}}
        form = urlencode({**typed, "email": email, "form": seal[1]})
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
            assert answer[0] == 503, answer
            self.sent_again += 1
            time.sleep(0.05)
        raise AssertionError("never answered")


def ask(port: int, method: str, path: str, body: str = "") -> tuple[int, str]:
    """One request on a connection of its own: the status and the page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"content-type": "application/x-www-form-urlencoded"} if body else {}
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def ride_out(house: Nursery, storm: Storm, victims: list[Child], rounds: int) -> None:
    """Have everybody register while one victim after the other is killed and started again."""
    over = threading.Event()

    def kill_in_turn() -> None:
        for killed in range(rounds * len(victims)):
            wanted = PEOPLE * (killed + 1) // (rounds * len(victims) + 2)
            while len(storm.answered) < wanted and not over.is_set():
                time.sleep(0.005)
            victim = victims[killed % len(victims)]
            victim.kill()
            house.start(victim, answers=False)

    with ThreadPoolExecutor(AT_ONCE) as people:
        killing = threading.Thread(target=kill_in_turn)
        killing.start()
        try:
            list(people.map(storm.register, range(PEOPLE)))
        finally:
            over.set()
            killing.join()


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
    """Every mail leaves: first those that wait, then, ten minutes on, those whose worker was killed."""
    assert until(lambda: not states(database) & Counter(["queued", "retrying"]), 60), states(database)
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


@pytest.mark.postgres
def test_two_web_processes_and_two_workers_are_killed_in_turn_in_a_storm_on_postgresql(
    postgres_url: str, tmp_path: Path, post: Post
) -> None:
    with opened(postgres_url) as database, nursery(tmp_path, postgres_url) as house:
        webs = [house.serve(f"web{number}", SMTP_URL=post.url) for number in range(2)]
        workers = [house.work(f"worker{number}", SMTP_URL=post.url) for number in range(2)]
        storm = Storm(webs)
        ride_out(house, storm, [webs[0], workers[0], webs[1], workers[1]], rounds=SOAK)
        all_left(house, database)
        prove(database, storm, post, kills=2 * SOAK)


def test_a_site_of_one_process_is_killed_again_and_again_in_a_storm_on_sqlite(
    sqlite_url: str, tmp_path: Path, post: Post
) -> None:
    with opened(sqlite_url) as database, nursery(tmp_path, sqlite_url) as house:
        site = house.serve("site", WORKER="inline", SMTP_URL=post.url)
        storm = Storm([site])
        ride_out(house, storm, [site], rounds=3 * SOAK)
        all_left(house, database)
        prove(database, storm, post, kills=3 * SOAK)
