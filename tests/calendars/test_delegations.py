"""A delegation's calendar: the plenaries, and nothing about any of its people."""

import icalendar
from sqlalchemy import update
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.kit.db import Db, table
from app.registration import delegation_links
from app.registration.delegating import withdraw
from app.registration.delegations import delegation_feed_token
from app.registration.models import Delegation
from app.web.site import Site
from tests.cast import NOW, SECRET, SLUG, the_forum
from tests.embassies import delegate, make_delegation, name_some


def feed_of(client: TestClient, token: str) -> icalendar.Calendar:
    answer = client.get(f"/calendars/{token}.ics")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, max-age=300")
    return icalendar.Calendar.from_ical(answer.content)


def test_it_holds_the_plenaries_and_names_nobody(client: TestClient, site: Site) -> None:
    row = site.pen.write_now(SLUG, lambda db: make_delegation(db, "DIP", 2))
    site.pen.write_now(SLUG, lambda db: name_some(db, row, delegate(1, family_name="Nobodyelse")))
    token = delegation_feed_token(SECRET, row.id, 1)
    calendar = feed_of(client, token)
    assert len(list(calendar.walk("VEVENT"))) > 5
    text = client.get(f"/calendars/{token}.ics").text
    assert "Nobodyelse" not in text
    assert "dara" not in text.lower()
    assert row.institution not in text


def test_a_renewed_address_ends_the_old_one(client: TestClient, site: Site) -> None:
    row = site.pen.write_now(SLUG, lambda db: make_delegation(db, "DIP", 1))
    by = Actor.focal_point(row.id)
    site.pen.write_now(SLUG, lambda db: delegation_links.renew_feed(db, by, the_forum(db), row.code, SECRET, now=NOW))
    assert client.get(f"/calendars/{delegation_feed_token(SECRET, row.id, 1)}.ics").status_code == 404
    assert list(feed_of(client, delegation_feed_token(SECRET, row.id, 2)).walk("VEVENT"))


def test_without_seats_it_is_empty_and_not_an_error(client: TestClient, site: Site) -> None:
    def deed(db: Db) -> int:
        row = make_delegation(db, "DIP", 1)
        withdraw(db, Actor.operator(), the_forum(db), row.code, people=True, now=NOW)
        db.execute(update(table(Delegation)).where(table(Delegation).c.id == row.id).values(language="km"))
        return int(row.id)

    number = site.pen.write_now(SLUG, deed)
    assert not list(feed_of(client, delegation_feed_token(SECRET, number, 1)).walk("VEVENT"))
