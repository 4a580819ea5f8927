"""What changed since somebody last said they had looked: their own, and only what exists for them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.accounts.actor import Actor
from app.calendars.common import common_sessions
from app.forum.queries import forum_id
from app.kit.db import Database, Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Bilingual
from app.kit.pen import Pen
from app.programme.models import Session, Version
from app.programme.publishing import publish
from app.programme.queries import published
from app.registration.looking import look, moved_since
from app.registration.picking import pick, put_picks
from tests.cast import NOW, RITH, SLUG, VANNA, holder, make_application, the_forum

MINE, OTHER, OPENING = "D1-07", "D1-08", "D1-02"
HOUR = timedelta(hours=1)
_sessions, _versions = table(Session), table(Version)


def version(db: Db, code: str, at: datetime, **columns: Any) -> None:
    """A version published at this time, with this session changed."""
    db.execute(update(_sessions).where(_sessions.c.code == code).values(**columns))
    publish(db, Actor.operator(), the_forum(db), now=at, reason="for the test")


def moved(db: Db, row: Any) -> list[tuple[str, str]]:
    """What is marked for this person, as (kind, code)."""
    own = forum_id(the_forum(db))
    newest = published(db, own)
    found = moved_since(db, the_forum(db), row, newest, common_sessions(db, own, newest))
    return [(change.kind.value, change.entry.code) for change in found]


@pytest.fixture
def row(db: Db) -> Any:
    """Vanna, who has a seat and chose one session."""
    row = make_application(db, VANNA)
    put_picks(db, holder(row), the_forum(db), row.code, {MINE}, None, now=NOW)
    return row


def test_what_changed_since_one_registered_is_marked_until_one_has_looked(db: Db, row: Any) -> None:
    assert moved(db, row) == []
    version(db, MINE, NOW + HOUR, title=Bilingual("New", "ថ្មី"))
    version(db, OTHER, NOW + 2 * HOUR, title=Bilingual("Not mine", "មិនមែន"))
    assert moved(db, row) == [("retitled", MINE)]
    assert look(db, holder(row), the_forum(db), row.code, seen_at=NOW + 3 * HOUR)
    assert moved(db, row) == []
    version(db, MINE, NOW + 4 * HOUR, room_id=None)
    assert moved(db, row) == [("moved", MINE)]


def test_who_registered_before_there_was_a_programme_is_told_of_changes_too(db: Db) -> None:
    asked_at = db.execute(select(func.min(_versions.c.published_at))).scalar_one() - timedelta(days=14)
    early = make_application(db, VANNA, now=asked_at)
    put_picks(db, holder(early), the_forum(db), early.code, {MINE}, None, now=NOW)
    assert moved(db, early) == []
    version(db, MINE, NOW + HOUR, room_id=None)
    assert moved(db, early) == [("moved", MINE)]


def test_what_was_taken_back_in_between_has_not_changed(db: Db, row: Any) -> None:
    version(db, MINE, NOW + HOUR, cancelled=True)
    version(db, MINE, NOW + 2 * HOUR, cancelled=False)
    assert moved(db, row) == []


def test_what_was_published_after_the_page_was_opened_stays_to_be_seen(db: Db, row: Any) -> None:
    version(db, MINE, NOW + HOUR, title=Bilingual("New", "ថ្មី"))
    look(db, holder(row), the_forum(db), row.code, seen_at=NOW + HOUR)
    assert moved(db, row) == [("retitled", MINE)]


def test_a_page_opened_long_ago_takes_nothing_back(db: Db, row: Any) -> None:
    version(db, MINE, NOW + HOUR, title=Bilingual("New", "ថ្មី"))
    assert look(db, holder(row), the_forum(db), row.code, seen_at=NOW + 2 * HOUR)
    assert not look(db, holder(row), the_forum(db), row.code, seen_at=NOW + HOUR / 2)
    assert not look(db, holder(row), the_forum(db), row.code, seen_at=NOW + 2 * HOUR)
    assert moved(db, row) == []


def test_a_session_picked_after_it_changed_has_not_changed_for_its_reader(db: Db, row: Any) -> None:
    version(db, OTHER, NOW + HOUR, room_id=None)
    pick(db, holder(row), the_forum(db), row.code, OTHER, now=NOW + 2 * HOUR, forced=True)
    assert moved(db, row) == []
    version(db, OTHER, NOW + 3 * HOUR, title=Bilingual("New", "ថ្មី"))
    assert ("retitled", OTHER) in moved(db, row)


def test_a_plenary_at_another_time_is_marked_for_everybody_with_a_seat(db: Db, row: Any) -> None:
    at = db.execute(select(_sessions).where(_sessions.c.code == OPENING)).one()
    version(db, OPENING, NOW + HOUR, starts_at=at.starts_at + timedelta(minutes=5))
    assert moved(db, row) == [("moved", OPENING)]


def test_a_session_closed_meanwhile_is_in_no_mark(db: Db, row: Any) -> None:
    version(db, MINE, NOW + HOUR, title=Bilingual("Hush", "ស្ងាត់"))
    version(db, MINE, NOW + 2 * HOUR, attribution="CLO")
    assert moved(db, row) == []


def test_the_page_asks_as_many_queries_whatever_changed(database: Database, queries: Callable[[], Any]) -> None:
    pen, counts = Pen(database), []
    row = pen.write_now(SLUG, lambda db: make_application(db, VANNA))
    picks = {MINE, "D1-13", "D1-11"}
    pen.write_now(
        SLUG, lambda db: put_picks(db, holder(row), the_forum(db), row.code, picks, None, now=NOW, forced=True)
    )
    for hour, codes in ((1, [MINE]), (2, sorted(picks))):
        for code in codes:
            title = Bilingual(f"New {hour}", "ថ្មី")
            pen.write_now(SLUG, lambda db, c=code, t=title, h=hour: version(db, c, NOW + h * HOUR, title=t))  # type: ignore[misc]
        with queries() as counted:
            assert len(database.read(lambda db: moved(db, row))) == len(codes)
        counts.append(len(counted))
    assert counts[0] == counts[1]


def test_nobody_else_looks_for_somebody(db: Db, row: Any) -> None:
    other = make_application(db, RITH, category="STU")
    for by in (holder(other), Actor.visitor(), Actor.operator()):
        with pytest.raises(NotFound):
            look(db, by, the_forum(db), row.code, seen_at=NOW)
