"""What the doors share: a deed behind what is due before it, and behind a count."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select, text, update
from starlette.testclient import TestClient

from app.kit import clock as kit_clock
from app.kit.db import Database, Db, table
from app.kit.errors import Busy, Refused
from app.kit.models import Visit
from app.kit.pen import Pen
from app.main import create_app
from app.registration.models import Category
from app.registration.settling import settle
from app.web.site import Site
from tests.cast import NOW, SLUG, VANNA, fields, the_forum
from tests.conftest import settings_for, site_behind
from tests.web.visits import seal_on

FORM = f"/en/{SLUG}/register/stu"
STATEMENTS = 18
"""What one registration by itself sends to the database, savepoints and all; more than in one commit with others."""


@pytest.fixture
def site(sqlite_url: str) -> Iterator[Site]:
    with TestClient(create_app(settings_for(sqlite_url, FORM_MIN_SECONDS="0")), base_url="http://localhost") as client:
        yield site_behind(client)


def written(site: Site, deed: Any, **options: Any) -> Any:
    async def write() -> Any:
        return await site.write_settled(SLUG, deed, **options)

    with ThreadPoolExecutor(1) as thread:  # whatever loop runs here already
        return thread.submit(lambda: asyncio.run(write())).result()


def visits(site: Site) -> int:
    with site.database.reading() as db:
        return int(db.execute(select(func.count()).select_from(table(Visit))).scalar_one())


def count(db: Db) -> None:
    db.execute(insert(table(Visit)).values(who="somebody", at=NOW))


def refuse(_db: Db) -> None:
    raise Refused("no_place")


def test_what_is_refused_stays_counted(site: Site) -> None:
    with pytest.raises(Refused, match="no_place"):
        written(site, refuse, counted=count)
    assert visits(site) == 1


def test_what_the_count_refuses_is_not_done(site: Site) -> None:
    with pytest.raises(Refused, match="no_place"):
        written(site, count, counted=refuse)
    assert visits(site) == 0


def test_nothing_is_done_uncounted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = Pen.submit_together

    def lossy(pen: Pen, scope: str, deeds: Any, **options: Any) -> Any:
        return submit(pen, scope, [lambda _db: None, *deeds[1:]], **options)

    monkeypatch.setattr(Pen, "submit_together", lossy)
    with pytest.raises(Busy):
        written(site, count, counted=count)
    assert visits(site) == 0


def test_nothing_is_done_of_which_the_count_could_not_be_kept(site: Site) -> None:
    """Their transaction is lost at first, then each is done by itself, and it is the count's commit that fails."""
    tries: list[Db] = []

    def counts_in_vain(db: Db) -> None:
        db.execute(text("PRAGMA defer_foreign_keys=ON"))
        db.execute(text("INSERT INTO registration_place (forum_id, number, retiring) VALUES (999, 1, 0)"))

    def fails_at_first(db: Db) -> None:
        tries.append(db)
        for _ in range(2 if len(tries) == 1 else 1):
            db.later(table(Visit), {"id": 1, "who": "somebody", "at": NOW})

    with pytest.raises(Busy):
        written(site, fails_at_first, counted=counts_in_vain)
    assert (len(tries), visits(site)) == (1, 0)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What goes to a site's database to be written meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(database.write_engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.write_engine, "before_cursor_execute", note)


def test_a_registration_asks_once_what_is_due_and_counts_the_seats_once(site: Site) -> None:
    """With a clock that never stands still, as outside of tests."""
    passed = 0

    def ticking() -> datetime:
        nonlocal passed
        passed += 1
        return NOW + timedelta(milliseconds=passed)

    browser = TestClient(create_app(site.settings), base_url="http://localhost")
    with browser as client, kit_clock.reading(ticking):
        sent = {name: value for name, value in fields(VANNA).items() if name not in {"category", "language"}}
        form = seal_on(client.get(FORM))
        with statements(site_behind(client).database) as seen:
            assert client.post(FORM, data={**sent, "form": form}).status_code == 200
    assert len([one for one in seen if "UNION ALL" in one]) == 1, "what is due"
    assert len([one for one in seen if "count(" in one and "registration_seat" in one]) == 1, "seats by category"
    assert len([one for one in seen if "registration_terms" in one]) == 1, "the numbers"
    assert len(seen) == STATEMENTS, seen


def test_what_was_settled_ahead_is_taken_over_at_that_very_instant_alone(site: Site) -> None:
    lapsing = table(Category).c.code == "STU"

    def lapse(db: Db) -> None:
        past = {"lapses_at": NOW - timedelta(hours=1), "lapse_settled": False}
        db.execute(update(table(Category)).where(lapsing).values(**past))

    def later(db: Db) -> bool:
        house = settle(db, the_forum(db), now=NOW)
        return bool(house.categories["STU"].lapse_settled)

    assert written(site, later, now=NOW) is False
    site.pen.write_now(SLUG, lapse)
    assert written(site, later, now=NOW) is True, "settled ahead, and the house is as that left it"
