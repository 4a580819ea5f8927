"""A clock that is set back while people register."""

from datetime import datetime, timedelta

from sqlalchemy import select

from app.accounts.actor import Actor
from app.audit.recording import first_broken, record
from app.kit.db import Database, Db, table
from app.kit.pen import Pen
from app.registration.applying import apply
from app.registration.models import Application
from tests.cast import NOW, SECRET, SLUG, somebody, the_forum

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
