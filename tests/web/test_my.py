"""A participant's own page: what it says is so."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.kit.db import Db, table
from app.kit.i18n import Bilingual, text_of
from app.kit.pen import Pen
from app.programme.models import Session
from app.programme.publishing import publish
from app.registration.applying import manage_token
from app.registration.models import Application, Terms
from app.registration.picking import put_picks
from app.web.site import Site
from tests.cast import BOPHA, NOW, SECRET, SLUG, VANNA, Figure, holder, make_application, the_forum
from tests.conftest import Clock, opened
from tests.doors import Page
from tests.web.visits import send


def own_page(site: Site, figure: Figure = VANNA, **values: Any) -> str:
    """The address of a figure's own page, the registration brought into the state of `values`."""
    row = site.pen.write_now(SLUG, lambda db: make_application(db, figure))
    if values:
        change = update(table(Application)).where(table(Application).c.id == row.id).values(**values)
        site.pen.write_now(SLUG, lambda db: db.execute(change))
    return f"/en/my/{manage_token(site.settings.secret_key, row.id, row.manage_generation)}"


ENDED = {"ended_at": NOW, "live_key": None}


@pytest.mark.parametrize(
    ("done", "so", "not_so"),
    [
        ("confirmed", {"confirmed_at": NOW}, {}),
        ("accepted", {"state": "seated"}, {"state": "waiting"}),
        ("cancelled", {"state": "cancelled", **ENDED}, {}),
    ],
)
def test_a_notice_stands_only_where_it_is_true(
    client: TestClient, site: Site, done: str, so: dict[str, Any], not_so: dict[str, Any]
) -> None:
    page = own_page(site, **not_so)
    assert 'role="status"' not in client.get(f"{page}?done={done}").text
    other = own_page(site, BOPHA, **so)
    assert 'role="status"' in client.get(f"{other}?done={done}").text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("seated", "your seat goes to the next person"),
        ("offered", "your seat goes to the next person"),
        ("waiting", "give up your place on the waiting list"),
        ("awaiting", "withdraw your request"),
    ],
)
def test_cancelling_names_what_is_given_up(client: TestClient, site: Site, state: str, words: str) -> None:
    assert words in client.get(own_page(site, state=state)).text


def test_while_the_mail_has_not_left_the_hours_are_said_and_no_instant(client: TestClient, site: Site) -> None:
    page = own_page(site)
    assert "You have 48 hours from the moment our mail leaves" in client.get(page).text
    at = {"confirm_by": NOW + timedelta(hours=48)}
    assert "from the moment our mail leaves" not in client.get(own_page(site, BOPHA, state="seated", **at)).text
    offered = update(table(Application)).values(state="offered", confirm_by=None)
    site.pen.write_now(SLUG, lambda db: db.execute(offered))
    assert "You have 48 hours from the moment our mail leaves" in client.get(page).text


@pytest.mark.parametrize(("promotion", "words"), [("seat", "gets it at once"), ("offer", "has 12 hours to accept")])
def test_waiting_says_how_a_freed_seat_is_passed_on(client: TestClient, site: Site, promotion: str, words: str) -> None:
    page = own_page(site, state="waiting")
    terms = update(table(Terms)).values(promotion=promotion, offer_hours=12)
    site.pen.write_now(SLUG, lambda db: db.execute(terms))
    assert words in client.get(page).text


@pytest.mark.parametrize("lang", ["en", "km"])
def test_a_persons_calendar_is_offered_in_every_way_and_whoever_learns_its_address_is_named(
    client: TestClient, site: Site, lang: str
) -> None:
    address = own_page(site).replace("/en/", f"/{lang}/")
    page = Page(client.get(address).text)
    links = page.links
    (file,) = [href for href in links if href.startswith("/calendars/")]
    (google,) = [each for each in page.all("a") if "google.com" in each.attributes["href"]]
    (outlook,) = [each for each in page.all("a") if "outlook.live.com" in each.attributes["href"]]
    (office,) = [each for each in page.all("a") if "outlook.office.com" in each.attributes["href"]]
    assert f"webcal://127.0.0.1:8000{file}" in links
    assert parse_qs(urlsplit(google.attributes["href"]).query) == {"cid": [f"webcal://127.0.0.1:8000{file}"]}
    assert parse_qs(urlsplit(outlook.attributes["href"]).query)["url"] == [f"http://127.0.0.1:8000{file}"]
    assert urlsplit(office.attributes["href"]).query == urlsplit(outlook.attributes["href"]).query
    assert {each.attributes["rel"] for each in (google, outlook, office)} == {"noreferrer"}
    told = text_of(lang, "registration.my.calendar_told")
    for way in ("google", "outlook", "office"):
        (line,) = [each.text for each in page.all("li") if text_of(lang, f"calendars.{way}.how") in each.text]
        assert told in line
        assert text_of(lang, f"calendars.{way}.late") in line
    assert page.text.count(told) == 3
    secret = address.rsplit("/", 1)[1]
    assert all(secret not in href for href in links if not href.startswith("/"))


def test_nothing_of_a_persons_calendar_leaves_the_page_but_by_a_link(client: TestClient, site: Site) -> None:
    page = Page(client.get(own_page(site)).text)
    named = [
        (each.name, value)
        for each in page.elements
        for value in each.attributes.values()
        if "google" in value or "outlook" in value or ("/calendars/" in value and ".ics" in value)
    ]
    assert named
    assert {name for name, _ in named} == {"a"}


def test_an_offer_is_declined_with_one_button(client: TestClient, site: Site) -> None:
    page = own_page(site, state="offered", offer_until=NOW + timedelta(hours=48))
    shown = client.get(page)
    assert 'formaction="' + page + '/refusal"' in shown.text
    answer = send(client, page, f"{page}/refusal")
    assert answer.headers["location"] == f"{page}?done=turned_down"
    told = client.get(answer.headers["location"]).text
    assert "You have declined the seat." in told
    assert "Seat declined" in told
    assert "The organisers could not accept" not in told


def test_what_was_answered_stands_with_the_details(client: TestClient, site: Site) -> None:
    page = own_page(site)
    answered = Page(client.get(f"{page}/details").text)
    sent = {"form": answered.hidden["form"], "edition": answered.hidden["edition"], "questions": "1"}
    typed = {"family_name": "Sok", "attends_as": "official", "q-scholar": "student", "q-university": "A university"}
    assert client.post(f"{page}/details", data={**sent, **typed}).status_code == 303
    shown = client.get(page).text
    details, rest = shown.split(">Details</h2>")[1].split("My sessions</h2>")
    assert "A university" in details
    assert "A university" not in rest


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["en", "km"])
def test_on_paper_stand_the_sessions_and_not_the_ways_to_calendars_and_letters(
    tab: Any, sqlite_url: str, lang: str
) -> None:
    with opened(sqlite_url) as database:
        forum_pen = Pen(database)
        row = forum_pen.write_now(SLUG, lambda db: make_application(db, VANNA))
        change = update(table(Application)).where(table(Application).c.id == row.id).values(confirmed_at=NOW)
        forum_pen.write_now(SLUG, lambda db: db.execute(change))
        wanted = {"D2-04"}
        forum_pen.write_now(
            SLUG, lambda db: put_picks(db, holder(row), the_forum(db), row.code, wanted, 0, now=NOW, forced=False)
        )
    tab.goto(f"/{lang}/my/{manage_token(SECRET, row.id, 1)}")
    seen = {name: tab.locator(where).is_visible() for name, where in PARTS.items()}
    assert all(seen.values()), seen
    tab.emulate_media(media="print")
    printed = {name for name, where in PARTS.items() if tab.locator(where).is_visible()}
    assert printed == {"sessions"}


PARTS = {"sessions": ".chosen", "calendar": "#calendar", "letters": "#letters", "cancelling": "#cannot-come"}


def test_declining_what_is_not_offered_is_refused(client: TestClient, site: Site) -> None:
    page = own_page(site)
    answer = send(client, page, f"{page}/refusal")
    assert answer.status_code == 422
    assert "This seat is not on offer any more." in answer.text


def test_what_changed_is_marked_until_the_button_says_it_was_seen_and_opening_the_page_says_nothing(
    client: TestClient, site: Site, clock: Clock
) -> None:
    def deed(db: Db) -> str:
        row = make_application(db, VANNA)
        put_picks(db, holder(row), the_forum(db), row.code, {"D1-07"}, 0, now=NOW)
        sessions = table(Session)
        db.execute(update(sessions).where(sessions.c.code == "D1-07").values(title=Bilingual("Anew", "ជាថ្មី")))
        publish(db, Actor.operator(), the_forum(db), now=clock.move(hours=1), reason="for the test")
        return manage_token(SECRET, row.id, row.manage_generation)

    mine = f"/en/my/{site.pen.write_now(SLUG, deed)}"
    clock.move(hours=1)
    for _ in range(2):
        page = Page(client.get(mine).text)
        assert "Changed since you last looked" in page.text
        assert "Anew" in page.text
    answer = client.post(f"{mine}/seen", data={"form": page.hidden["form"]})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{mine}?done=seen")
    page = Page(client.get(f"{mine}?done=seen").text)
    assert "Changed since you last looked" not in page.text
    assert "What changes from now on" in page.text
