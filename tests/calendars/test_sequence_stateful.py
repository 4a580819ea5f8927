"""Random lives of a programme: whatever is published, cancelled, brought back, exported and loaded, SEQUENCE never
falls in any calendar, what was cancelled stays to be seen until the forum is over, and what did not change is the same
to the byte.
"""

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from icalendar import Calendar
from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.calendars.feeds import whole_forum
from app.calendars.shelves import Shelves
from app.editions.exporting import export
from app.editions.form import ForumFile
from app.editions.loading import load
from app.editions.reading import read_forum_file
from app.forum.founding import put_forum
from app.forum.queries import ends_at
from app.kit.codes import public_code
from app.kit.db import Database, Db, table
from app.kit.errors import Refused
from app.kit.i18n import Bilingual
from app.kit.migrating import migrate
from app.kit.pen import Pen
from app.programme.models import Session
from app.programme.publishing import pending, publish
from app.registration.applying import confirm
from app.registration.enclosing import enclose
from app.registration.picking import put_picks
from tests.breadth import EXAMPLES
from tests.cast import NOW, SLUG, VANNA, holder, make_application, the_forum

CODES = ("D1-07", "D1-08", "D2-05")
COLUMNS = ("starts_at", "ends_at", "room_id", "title", "cancelled")
SEQUENCED = ("DTSTART", "DTEND", "SUMMARY", "LOCATION", "STATUS")
BASE_URL = "https://forum.example"
OPERATOR = Actor.operator()
_sessions = table(Session)


def vevents(body: bytes) -> dict[str, Any]:
    return {str(one["UID"]): one for one in Calendar.from_ical(body).walk("VEVENT")}


class Programme(RuleBasedStateMachine):
    """What editors, publishing and a move to another installation may do."""

    source: Path
    empty: Path
    folder: Path
    file: ForumFile

    def __init__(self) -> None:
        super().__init__()
        self.now, self.moves = NOW, 0
        self.reached: dict[str, int] = {}
        self.seen: set[str] = set()
        self.said: dict[str, list[bytes]] = {}
        self.kept: list[dict[str, dict[str, Any]]] = []

    @initialize()
    def begin(self) -> None:
        self.open(self.source)
        self.keep_state()
        self.person()

    def open(self, source: Path) -> None:
        self.moves += 1
        self.database = Database(f"sqlite:///{shutil.copy(source, self.folder / f'{public_code(12)}.sqlite')}")
        self.pen = Pen(self.database)

    def do(self, deed: Any) -> Any:
        self.now += timedelta(minutes=5)
        return self.pen.write_now(SLUG, deed)

    def feed(self, at: Any = None) -> bytes:
        """The public calendar, made anew."""
        made = self.database.read(lambda db: whole_forum(Shelves().at(db, SLUG, "km", BASE_URL), now=at or self.now))
        return made.body

    def person(self) -> None:
        """Vanna registers here and chooses."""

        def deed(db: Db) -> int:
            row, there = make_application(db, VANNA), self.state(db)
            wanted = [code for code in CODES if not there[code]["cancelled"]]
            put_picks(db, holder(row), the_forum(db), row.code, wanted, None, now=self.now, forced=True)
            confirm(db, holder(row), the_forum(db), row.code, now=self.now)
            return int(row.id)

        self.application = self.do(deed)

    def state(self, db: Db) -> dict[str, dict[str, Any]]:
        rows = db.execute(select(_sessions).where(_sessions.c.code.in_(CODES)))
        return {row.code: {name: getattr(row, name) for name in COLUMNS} for row in rows}

    def keep_state(self) -> None:
        self.kept.append(self.database.read(self.state))

    def edit(self, code: str, **columns: Any) -> None:
        self.do(lambda db: db.execute(update(_sessions).where(_sessions.c.code == code).values(**columns)))

    @rule(code=st.sampled_from(CODES), minutes=st.sampled_from([-10, 10, 20]))
    def move(self, code: str, minutes: int) -> None:
        at = self.database.read(self.state)[code]
        later = timedelta(minutes=minutes)
        self.edit(code, starts_at=at["starts_at"] + later, ends_at=at["ends_at"] + later)

    @rule(code=st.sampled_from(CODES), title=st.sampled_from(["One", "Another"]))
    def retitle(self, code: str, title: str) -> None:
        self.edit(code, title=Bilingual(title, "ចំណងជើង"))

    @rule(code=st.sampled_from(CODES), cancelled=st.booleans())
    def cancel(self, code: str, cancelled: bool) -> None:
        self.edit(code, cancelled=cancelled)

    @rule(which=st.integers(0, 20))
    def restore(self, which: int) -> None:
        """The working copy as it once was."""
        for code, columns in self.kept[which % len(self.kept)].items():
            self.edit(code, **{name: value for name, value in columns.items() if name != "room_id"})

    @rule()
    def publish(self) -> None:
        before = self.feed()
        if self.database.read(lambda db: pending(db, the_forum(db), now=self.now)).is_anything:
            self.do(lambda db: publish(db, OPERATOR, the_forum(db), now=self.now, reason="for the test"))
        else:
            with pytest.raises(Refused, match="nothing_to_publish"):
                self.do(lambda db: publish(db, OPERATOR, the_forum(db), now=self.now, reason="for the test"))
            assert self.feed() == before
        self.keep_state()

    @rule(day=st.sampled_from([24, 25]))
    def longer(self, day: int) -> None:
        """The forum itself gets a day more, or loses it."""
        wanted = self.file.forum.model_copy(update={"ends_on": date(2027, 3, day)})
        self.do(lambda db: put_forum(db, OPERATOR, wanted, now=self.now))

    @precondition(lambda self: self.moves < 3)
    @rule()
    def move_house(self) -> None:
        """The forum is exported and loaded into an empty installation, which publishes it as it stands; where nothing
        waited for that, its calendars say the very same."""
        waits = self.database.read(lambda db: pending(db, the_forum(db), now=self.now)).is_anything
        text, before = self.database.read(lambda db: export(db, SLUG)), self.feed()
        forum = self.database.read(the_forum)
        self.database.close()
        self.open(self.empty)
        self.do(lambda db: load(db, OPERATOR, read_forum_file(text.encode()), now=self.now))
        assert waits or self.feed() == before
        here = self.database.read(the_forum)
        assert (here.uid, here.sequence) == (forum.uid, forum.sequence)
        self.kept = []
        self.keep_state()
        self.person()

    @rule()
    def mail_leaves(self) -> None:
        """A mail to Vanna takes along what is due; a second one right after it has nothing to bring."""
        for number in range(2):
            name = f"<{self.now.timestamp()}-{number}@sala>"
            rows = self.do(lambda db, name=name: enclose(db, the_forum(db), self.application, name, now=self.now))
            assert number == 0 or not rows
            for row in rows:
                self.reach(row.uid, row.sequence)

    def reach(self, uid: str, sequence: int) -> None:
        assert sequence >= self.reached.get(uid, 0), "SEQUENCE fell"
        self.reached[uid] = sequence

    @invariant()
    def sequence_never_falls_and_nothing_that_was_public_is_gone(self) -> None:
        if not hasattr(self, "application"):
            return
        found = vevents(self.feed())
        assert self.seen <= found.keys()
        self.seen |= found.keys()
        for uid, vevent in found.items():
            says, sequence = [vevent[name].to_ical() for name in SEQUENCED], int(vevent["SEQUENCE"])
            if says != self.said.get(uid, says):
                assert sequence > self.reached[uid], "it changed, and calendars would not take it in"
            self.said[uid] = says
            self.reach(uid, sequence)
        forum = self.database.read(the_forum)
        self.reach(forum.uid, forum.sequence)

    def teardown(self) -> None:
        """Once the forum is over what was cancelled goes."""
        over = self.feed(self.database.read(lambda db: ends_at(the_forum(db))))
        self.database.close()
        assert b"STATUS:CANCELLED" not in over


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with no forum in it."""
    path = tmp_path_factory.mktemp("empty") / "sala.sqlite"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture
def small_file(empty_file: Path, shared: Path, forum_file: ForumFile) -> Path:
    """The real forum with a programme of three sessions."""
    path = shared / f"{public_code(12)}.sqlite"
    database = Database(f"sqlite:///{shutil.copy(empty_file, path)}")
    few = [part for part in forum_file.sessions if part.code in CODES]
    file = forum_file.model_copy(update={"sessions": tuple(few), "calendar": {}})
    Pen(database).write_now(SLUG, lambda db: load(db, OPERATOR, file, now=NOW))
    database.close()
    return path


def test_sequence_never_falls(small_file: Path, empty_file: Path, shared: Path, forum_file: ForumFile) -> None:
    class Here(Programme):
        source, empty, folder, file = small_file, empty_file, shared, forum_file

    bounded = settings(
        max_examples=EXAMPLES or 6,
        stateful_step_count=14,
        deadline=None,
        derandomize=not EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Here, settings=bounded)
