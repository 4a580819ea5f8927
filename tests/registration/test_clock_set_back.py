"""A clock that is set back while people register."""

from datetime import datetime, timedelta

from sqlalchemy import select

from app.accounts.actor import Actor
from app.audit.recording import first_broken, record
from app.kit.db import Database, Db, table
from app.kit.pen import Pen
from app.registration.applying import apply, cancel
from app.registration.models import Application
from app.registration.rules.seats import asks_at
from tests.cast import NOW, SECRET, SLUG, holder, somebody, the_forum
from tests.registration.hall import SmallHall
from tests.registration.test_picking import choose, room_of, stands

_applications = table(Application)


def test_who_asks_after_the_clock_was_set_back_stands_behind_those_before(either_database: Database) -> None:
    """Also on another machine, whose clock may differ a little without that: there its own time holds."""

    def ask(db: Db, number: int, at: datetime) -> None:
        apply(db, Actor.visitor(), the_forum(db), somebody(number), f"key{number}", SECRET, now=at)

    pen = Pen(either_database)
    for number, hours in enumerate((0.0, 2.0, 1.0, 1.999)):
        pen.write_now(SLUG, lambda db, number=number, hours=hours: ask(db, number, NOW + timedelta(hours=hours)))  # type: ignore[misc]
    times = select(_applications.c.asked_at).order_by(_applications.c.id)
    found = either_database.read(lambda db: db.execute(times).scalars().all())
    asked = [(at - NOW).total_seconds() / 3600 for at in found]
    assert [round(hours, 3) for hours in asked] == [0, 2, 2, 1.999]
    pen.write_now(SLUG, lambda db: record(db, SLUG, Actor.operator().signature, "b", "b", now=NOW - timedelta(days=9)))
    assert either_database.read(lambda db: first_broken(db, SLUG)) is None, "the log goes by numbers"


SESSION = "D1-07"
"""It asks for sign-up."""


def test_who_asks_for_a_session_after_the_clock_was_set_back_stands_behind_those_before(hall: SmallHall) -> None:
    """Those too who chose it long before and come to hold a seat only then: they ask from that moment."""
    ahead, right = NOW + timedelta(hours=2), NOW + timedelta(hours=1)
    hall.arrange(capacity=4)
    inside, first, second, leaving, last = (hall.ask() for _ in range(5))
    room_of(hall, SESSION, 1)
    for row, at in ((last, NOW), (inside, NOW), (first, ahead), (second, right)):
        assert choose(hall, row, SESSION, now=at)
    cancel(hall.db, holder(leaving), hall.forum, leaving.code, now=right)
    came = []
    for places in (1, 2, 3, 4):
        room_of(hall, SESSION, places, right)
        names = {"inside": inside, "first": first, "second": second, "last": last}
        came += [name for name, row in names.items() if stands(hall, row)[SESSION][0] == "seated" and name not in came]
    assert came == ["inside", "first", "second", "last"]


def test_where_clocks_differ_by_a_little_each_has_asked_at_its_own_time() -> None:
    assert asks_at(NOW, None) == NOW
    assert asks_at(NOW, NOW + timedelta(minutes=1)) == NOW
    assert asks_at(NOW, NOW + timedelta(minutes=2)) > NOW + timedelta(minutes=2)
