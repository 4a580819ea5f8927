"""Who speaks."""

import pytest
from starlette.testclient import TestClient

from app.kit.i18n import Bilingual
from app.web.public import read_as_public
from app.web.site import Site
from app.web.speakers import people_of
from tests.cast import SLUG
from tests.web.test_programme import closed, only, publish_again


@pytest.mark.parametrize("lang", ["en", "km"])
def test_everybody_of_the_public_programme_is_listed_and_has_a_page(client: TestClient, site: Site, lang: str) -> None:
    with site.database.reading() as db:
        people = people_of(read_as_public(db, "km" if lang == "km" else "en", SLUG))
    listing = client.get(f"/{lang}/{SLUG}/speakers").text
    assert len(people) > 30
    for code, one in people.items():
        assert f'href="/{lang}/{SLUG}/speakers/{code}"' in listing
        page = client.get(f"/{lang}/{SLUG}/speakers/{code}").text
        assert f"/{lang}/{SLUG}/speakers/{code}.ics" in page
        for part in one.parts:
            assert part.card.href in page


def test_who_speaks_only_behind_closed_doors_is_not_listed_and_not_found(client: TestClient, site: Site) -> None:
    hidden = closed(site)
    with site.database.reading() as db:
        seen = {person.code for s in read_as_public(db, "en", SLUG).programme.sessions for person in s.people}
    only_there = [person.code for person in hidden.people if person.code not in seen]
    listing = client.get(f"/en/{SLUG}/speakers").text
    assert only_there
    for code in only_there:
        assert code not in listing
        assert client.get(f"/en/{SLUG}/speakers/{code}").status_code == 404
    assert hidden.title.en not in listing


def test_a_name_once_announced_stands_before_the_function(client: TestClient, site: Site) -> None:
    with site.database.reading() as db:
        session = next(s for s in read_as_public(db, "en", SLUG).programme.sessions if s.people)
    person = session.people[0]
    named = type(person)(
        person.code,
        person.role,
        Bilingual("Bopha Example", "បុប្ផា"),
        person.function,
        person.institution,
        "KH",
        Bilingual("Chairs things.", "ដឹកនាំ។"),
    )
    assert "No name has been announced yet." in client.get(f"/en/{SLUG}/speakers/{person.code}").text
    publish_again(site, only(session.code, people=(named, *session.people[1:])))
    page = client.get(f"/en/{SLUG}/speakers/{person.code}").text
    assert "<h1>Bopha Example</h1>" in page
    assert person.function.en in page
    assert "Chairs things." in page
    assert "<h1>បុប្ផា</h1>" in client.get(f"/km/{SLUG}/speakers/{person.code}").text


@pytest.mark.parametrize("code", ["nobody", "NOBODY", "-x", "a" * 100])
def test_an_unknown_speaker_is_not_found(client: TestClient, code: str) -> None:
    assert client.get(f"/en/{SLUG}/speakers/{code}").status_code == 404
