"""A delegation's calendar: the plenaries, its members' places in sessions, and nothing about any of its people."""

from datetime import timedelta
from typing import Any

import icalendar
from sqlalchemy import select, update
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.calendars.delegations import delegation_holder
from app.calendars.personal import Holder
from app.kit.db import Database, Db, table
from app.kit.pen import Pen
from app.programme.models import Session
from app.registration import delegation_links, nominating
from app.registration.applying import application_of
from app.registration.delegating import withdraw
from app.registration.delegations import delegation_feed_token
from app.registration.models import Delegation, Pick
from app.registration.picking import change_places, put_picks
from app.registration.reviewing import move
from app.web.site import Site
from tests.cast import NOW, SECRET, SLUG, make_application, the_forum
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


REC, OTHER, CHATHAM, OPEN = "D1-08", "D2-05", "D1-07", "D1-13"
"""Sessions with places: two on the record and one under Chatham House; the last has open seating."""


def uid_of(db: Db, code: str) -> str:
    sessions = table(Session)
    return str(db.execute(select(sessions.c.uid).where(sessions.c.code == code)).scalar_one())


def chosen(db: Db, code: str, *sessions: str, now: Any = NOW) -> None:
    forum = the_forum(db)
    by = Actor.participant(application_of(db, forum, code).id)
    put_picks(db, by, forum, code, set(sessions), None, now=now, forced=True)


def holder_now(db: Db, row: Any) -> Holder:
    found = delegation_holder(db, delegation_feed_token(SECRET, row.id, 1))
    assert found
    return found


def test_a_place_several_members_have_is_in_it_once(client: TestClient, site: Site) -> None:
    row = site.pen.write_now(SLUG, lambda db: make_delegation(db, "DIP", 3))
    one, other = site.pen.write_now(SLUG, lambda db: name_some(db, row, delegate(1), delegate(2)))
    token = delegation_feed_token(SECRET, row.id, 1)
    before = len(list(feed_of(client, token).walk("VEVENT")))
    site.pen.write_now(SLUG, lambda db: chosen(db, one, REC, CHATHAM, OPEN))
    site.pen.write_now(SLUG, lambda db: chosen(db, other, REC))
    site.recent._kept.clear()
    uids = [str(vevent["UID"]) for vevent in feed_of(client, token).walk("VEVENT")]
    wanted, withheld = site.database.read(lambda db: (uid_of(db, REC), uid_of(db, CHATHAM)))
    assert (uids.count(wanted), len(uids)) == (1, before + 1)
    assert withheld not in uids, "sign-ups under Chatham House stay inside"


def test_who_waits_or_has_left_puts_nothing_into_it(db: Db) -> None:
    row = make_delegation(db, "DIP", 2)
    first, second = name_some(db, row, delegate(1), delegate(2))
    stranger = make_application(db)
    for code in (REC, OTHER):
        change_places(db, Actor.operator(), the_forum(db), code, 1, now=NOW)
    chosen(db, stranger.code, OTHER)
    chosen(db, first, REC)
    chosen(db, second, REC, OTHER)
    assert holder_now(db, row).picks == {uid_of(db, REC)}
    nominating.withdraw_member(db, Actor.focal_point(row.id), the_forum(db), row.code, second, now=NOW)
    assert holder_now(db, row).picks == {uid_of(db, REC)}
    nominating.withdraw_member(db, Actor.focal_point(row.id), the_forum(db), row.code, first, now=NOW)
    assert holder_now(db, row).picks == frozenset()


def test_it_has_changed_when_a_members_places_have(db: Db) -> None:
    row = make_delegation(db, "DIP", 2)
    first, second = name_some(db, row, delegate(1), delegate(2))
    assert holder_now(db, row).changed_at == NOW
    hours = [NOW + timedelta(hours=n) for n in range(1, 5)]
    change_places(db, Actor.operator(), the_forum(db), REC, 1, now=NOW)
    chosen(db, first, REC, now=hours[0])
    assert holder_now(db, row).changed_at == hours[0]
    chosen(db, second, REC, now=hours[1])
    by, forum = Actor.focal_point(row.id), the_forum(db)
    nominating.withdraw_member(db, by, forum, row.code, first, now=hours[2])
    assert holder_now(db, row).changed_at == hours[2]
    move(db, Actor.operator(), forum, second, "STU", now=hours[3])
    assert (holder_now(db, row).changed_at, holder_now(db, row).picks) == (hours[3], frozenset())


def test_it_is_read_on_either_database(either_database: Database) -> None:
    def deed(db: Db) -> Any:
        row = make_delegation(db, "DIP", 1)
        chosen(db, *name_some(db, row, delegate(1)), REC, now=NOW + timedelta(hours=1))
        return row

    row = Pen(either_database).write_now(SLUG, deed)
    found = either_database.read(lambda db: holder_now(db, row))
    assert (found.holds_seat, len(found.picks), found.changed_at) == (True, 1, NOW + timedelta(hours=1))


def test_a_cancelled_session_stays_in_it_as_cancelled(db: Db) -> None:
    row = make_delegation(db, "DIP", 1)
    (code,) = name_some(db, row, delegate(1))
    chosen(db, code, REC)
    picks = table(Pick)
    db.execute(update(picks).values(state="picked", number=None))
    assert holder_now(db, row).picks == {uid_of(db, REC)}


def test_as_many_queries_for_two_members_as_for_one(db: Db, queries: Any) -> None:
    row = make_delegation(db, "DIP", 3)
    for number in (1, 2):
        (code,) = name_some(db, row, delegate(number))
        chosen(db, code, REC, OTHER)
        with queries() as counted:
            holder_now(db, row)
        assert len(counted) == 2


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
