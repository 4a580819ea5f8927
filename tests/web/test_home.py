"""The first page of the forum."""

from datetime import UTC, date, datetime

import pytest
from starlette.testclient import TestClient

from app.forum.queries import forum_by_slug, forum_id
from app.kit.db import Db
from app.kit.pen import republish
from app.registration.models import Terms
from app.web.home import dates, map_href
from app.web.public import read_as_public
from app.web.site import Site
from tests.cast import SLUG
from tests.conftest import Clock


def change(site: Site, **values: object) -> None:
    """Set columns of the forum and say that its pages have changed."""

    def deed(db: Db) -> None:
        forum = forum_by_slug(db, SLUG)
        for name, value in values.items():
            setattr(forum, name, value)
        db.flush()
        republish(db, SLUG)

    site.pen.write_now(SLUG, deed)


@pytest.mark.parametrize(
    ("headers", "lang"),
    [
        ({}, "en"),
        ({"accept-language": "km"}, "km"),
        ({"accept-language": "de, km;q=0.4, en;q=0.3"}, "km"),
        ({"accept-language": "km", "cookie": "lang=en"}, "en"),
        ({"accept-language": ";;;q=x"}, "en"),
    ],
)
def test_the_root_leads_to_the_featured_forum_in_the_readers_language(
    client: TestClient, headers: dict[str, str], lang: str
) -> None:
    answer = client.get("/", headers=headers)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/{lang}/{SLUG}"
    assert answer.headers["vary"] == "Accept-Language, Cookie"


@pytest.mark.parametrize("lang", ["en", "km"])
def test_the_first_page_holds_what_describes_the_forum(client: TestClient, site: Site, lang: str) -> None:
    page = client.get(f"/{lang}/{SLUG}").text
    with site.database.reading() as db:
        seen = read_as_public(db, "km" if lang == "km" else "en", SLUG)
    texts = [seen.forum.format_label, seen.forum.title, seen.forum.central_question, seen.forum.venue_address]
    texts += [text for _, text in seen.page.objectives]
    texts += [track.title for track in seen.page.tracks]
    texts += [title for track in seen.page.tracks for _, title in track.themes]
    for text in texts:
        assert text.of(lang) in page
    assert page.count('class="letter band-') == 11
    assert "Denis Schrey" in page
    assert f'hreflang="{"en" if lang == "km" else "km"}"' in page


def test_it_links_to_its_twin_in_the_other_language(client: TestClient) -> None:
    assert f'href="/km/{SLUG}"' in client.get(f"/en/{SLUG}").text
    assert f'href="/en/{SLUG}"' in client.get(f"/km/{SLUG}").text


def test_dates_that_are_not_known_are_said_to_be_announced_and_the_calendar_waits(
    client: TestClient, site: Site
) -> None:
    assert "/calendar.ics" in client.get(f"/en/{SLUG}").text
    change(site, starts_on=None, ends_on=None)
    page = client.get(f"/en/{SLUG}").text
    assert "To be announced" in page
    assert "Possible as soon as the dates are announced." in page
    assert "calendar.ics" not in page
    assert "នឹងប្រកាសជូននៅពេលក្រោយ" in client.get(f"/km/{SLUG}").text
    assert "The dates are to be announced." in client.get(f"/en/{SLUG}/calendar").text


@pytest.mark.parametrize(
    ("at", "sentence", "may_register"),
    [
        (datetime(2026, 10, 1, tzinfo=UTC), "Registration opens on Sunday 1 November 2026, 09:00", False),
        (datetime(2026, 12, 1, tzinfo=UTC), "Registration is open until Friday 19 March 2027, 17:00", True),
        (datetime(2027, 3, 20, tzinfo=UTC), "Registration has closed.", False),
        (datetime(2027, 4, 1, tzinfo=UTC), "The forum is over.", False),
    ],
)
def test_registration_says_how_it_stands(
    client: TestClient, clock: Clock, at: datetime, sentence: str, may_register: bool
) -> None:
    clock.at = at
    page = client.get(f"/en/{SLUG}").text
    assert sentence in page
    assert (f'class="button" href="/en/{SLUG}/register"' in page) is may_register


def test_a_kept_page_leaves_when_its_sentence_stops_being_true(client: TestClient, clock: Clock) -> None:
    clock.at = datetime(2027, 3, 19, 9, 59, 59, tzinfo=UTC)
    assert "Registration is open until" in client.get(f"/en/{SLUG}").text
    clock.move(seconds=1)
    assert "Registration has closed." in client.get(f"/en/{SLUG}").text


def test_an_opening_that_is_not_known_is_said_to_be_announced(client: TestClient, site: Site) -> None:
    def deed(db: Db) -> None:
        terms = db.get(Terms, forum_id(forum_by_slug(db, SLUG)))
        assert terms is not None
        terms.opens_at = None
        db.flush()
        republish(db, SLUG)

    site.pen.write_now(SLUG, deed)
    assert "The opening of registration is to be announced." in client.get(f"/en/{SLUG}").text


def test_dates_are_in_words_for_one_day_two_days_and_over_new_year(client: TestClient, site: Site) -> None:
    def words(first: date, last: date) -> str:
        change(site, starts_on=first, ends_on=last)
        with site.database.reading() as db:
            return dates(read_as_public(db, "en", SLUG))

    assert words(date(2027, 3, 23), date(2027, 3, 24)) == "Tuesday 23 March – Wednesday 24 March 2027"
    assert words(date(2027, 3, 23), date(2027, 3, 23)) == "Tuesday 23 March 2027"
    assert words(date(2026, 12, 31), date(2027, 1, 1)) == "Thursday 31 December 2026 – Friday 1 January 2027"


def test_without_coordinates_there_is_no_map(client: TestClient, site: Site) -> None:
    assert "openstreetmap.org" in client.get(f"/en/{SLUG}").text
    change(site, latitude=None, longitude=None)
    assert "openstreetmap.org" not in client.get(f"/en/{SLUG}").text
    with site.database.reading() as db:
        assert not map_href(forum_by_slug(db, SLUG))


@pytest.mark.parametrize("address", [f"/de/{SLUG}", "/en/no-such-forum", "/en/..%2f..", f"/en/{SLUG.upper()}", "/en/"])
def test_what_is_no_forum_is_not_found(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("tail", ["", "/speakers", "/calendar", "/programme/changes", "/programme/D1-07"])
def test_only_the_plain_address_of_a_page_is_kept(client: TestClient, tail: str) -> None:
    assert "etag" in client.get(f"/en/{SLUG}{tail}").headers
    assert "etag" not in client.get(f"/en/{SLUG}{tail}?x=1").headers
