"""The forum is published again and again while many read it in two processes: nobody sees old bytes a second later, nor
bytes of two versions in one page.

A version is acknowledged when its commit is, and a reader has begun before the request leaves: what the machine keeps
waiting in between makes a page newer, never older. So on SQLite, where the revision is read in the loop, the second is
held to exactly; on PostgreSQL it is read in a thread, and those who come meanwhile get what is known: half a second
more is given for that, and it is asked in a soak alone: other tests can keep that thread waiting for longer. The usual
run shows there that no page is of two versions and none goes back.

SALA_SOAK makes it longer, up to a minute.
"""

import http.client
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.forum.models import Forum
from app.kit.db import Database, Db, table
from app.kit.i18n import Bilingual
from app.kit.pen import Pen, republish
from tests.breadth import SOAK
from tests.cast import SLUG
from tests.conftest import opened
from tests.nursery import mothering, nursery

SECONDS = min(60.0, 2.0 * max(1, SOAK))
BETWEEN = 0.2
READERS = 6
RULE = 1.0
SLACK = {"sqlite": 0.0, "postgresql": 0.5 if SOAK else 60.0}
PAGES = (
    f"/en/{SLUG}",
    f"/km/{SLUG}",
    f"/en/{SLUG}/programme",
    f"/en/{SLUG}/programme.json",
    f"/en/{SLUG}/calendar.ics",
)
_NUMBER = re.compile(r" v(\d{6})x")
_forums = table(Forum)


@pytest.fixture(scope="module")
def mother() -> Iterator[Any]:
    """The process that both sites are forked from."""
    with mothering() as found:
        yield found


@dataclass
class Publishing:
    """What was published and when it was acknowledged, and what readers found wrong."""

    database: Database
    acknowledged: list[tuple[float, int]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seen: dict[tuple[int, str], set[int]] = field(default_factory=lambda: defaultdict(set))
    answers: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def publish(self, number: int) -> None:
        """Put the same number into each text of the forum, in one transaction with its revision."""

        def deed(db: Db) -> None:
            texts = {name: Bilingual(f"{name} v{number:06d}x", f"{name} v{number:06d}x") for name in TEXTS}
            db.execute(update(_forums).where(_forums.c.slug == SLUG).values(**texts))
            republish(db, SLUG)

        Pen(self.database).write_now(SLUG, deed)
        self.acknowledged.append((time.monotonic(), number))

    def go_on(self) -> None:
        """One version after the other."""
        number = len(self.acknowledged)
        while not self.over.wait(BETWEEN):
            self.publish(number)
            number += 1

    def read(self, turn: int, port: int) -> None:
        """One reader, on one line to one of the processes."""
        slack = RULE + SLACK[self.database.url.get_backend_name()]
        newest: dict[str, int] = {}
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while not self.over.is_set():
            turn += 1
            path = PAGES[turn % len(PAGES)]
            began = time.monotonic()
            line.request("GET", path)
            answer = line.getresponse()
            page = answer.read().decode().replace("\r\n ", "")
            numbers = {int(number) for number in _NUMBER.findall(page)}
            self.answers += 1
            if answer.status != 200 or len(numbers) != 1:
                self.wrong.append(f"{path}: {answer.status}, versions {numbers}")
                continue
            (number,) = numbers
            at_least = max((one for at, one in [*self.acknowledged] if at <= began - slack), default=0)
            if number < at_least:
                self.wrong.append(f"{path}: version {number} where {at_least} was acknowledged in time")
            if number < newest.get(path, 0):
                self.wrong.append(f"{path}: version {number} after {newest[path]}")
            newest[path] = number
            self.seen[port, path].add(number)
        line.close()

    def has_shown_enough(self) -> bool:
        """Was often published, and were several versions read of some page of some process?"""
        return len(self.acknowledged) > 4 and max((len(each) for each in [*self.seen.values()]), default=0) > 2


TEXTS = ("title", "short_title", "summary", "about", "venue_note")


def test_who_reads_while_the_forum_is_published_sees_one_version_and_none_that_is_a_second_old(
    either_url: str, mother: Any, tmp_path: Path
) -> None:
    with opened(either_url) as database, nursery(mother, tmp_path, either_url) as house:
        publishing = Publishing(database)
        publishing.publish(0)
        ports = [house.serve(name).port for name in ("one", "two")]
        people = [
            threading.Thread(target=publishing.read, args=(turn, ports[turn % len(ports)])) for turn in range(READERS)
        ]
        people.append(threading.Thread(target=publishing.go_on))
        for thread in people:
            thread.start()
        until = time.monotonic() + 60
        time.sleep(SECONDS)
        while not publishing.has_shown_enough() and time.monotonic() < until:
            time.sleep(0.1)  # on a machine that others work on, too
        publishing.over.set()
        for thread in people:
            thread.join()
    assert not publishing.wrong, publishing.wrong[:5]
    assert {*publishing.seen} == {(port, path) for port in ports for path in PAGES}, "each was read, in each process"
    assert publishing.has_shown_enough(), "several versions came to be read"
    assert publishing.answers > 10 * len(publishing.acknowledged), "most of it from memory"
