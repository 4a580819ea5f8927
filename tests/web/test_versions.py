"""Older versions at their addresses."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from app.kit.i18n import Bilingual
from app.web.site import Site
from tests.cast import SLUG
from tests.web.test_programme import only, publish_again

FIRST, SECOND = (f"/en/{SLUG}/programme/versions/{number}" for number in (1, 2))


def test_the_first_version_shows_what_stood_in_it_and_says_when_it_is_not_the_present_one(
    client: TestClient, site: Site
) -> None:
    assert "This is the programme as it is now." in client.get(FIRST).text
    publish_again(site, only("D1-07", title=Bilingual("Another title", "ចំណងជើងផ្សេង"), sequence=1))
    first, second = client.get(FIRST).text, client.get(SECOND).text
    assert "Strategic Sea Lanes" in first
    assert "Another title" not in first
    assert "what holds now may be different" in first.lower()
    assert "Another title" in second
    assert f'href="/en/{SLUG}/programme/versions/1"' in client.get(f"/en/{SLUG}/programme/changes").text


def test_what_is_closed_today_is_in_no_old_version(client: TestClient, site: Site) -> None:
    publish_again(site, only("D2-14", attribution="CLO"))
    assert "Certificates for Students" not in client.get(FIRST).text
    assert "C-01" not in client.get(FIRST).text


def test_a_session_that_is_gone_leads_nowhere_but_stands_in_the_version_it_was_in(
    client: TestClient, site: Site
) -> None:
    publish_again(site, lambda session: None if session.code == "D1-13" else session)
    page = client.get(FIRST).text
    assert "Reception" in page
    assert "programme/D1-13" not in page


@pytest.mark.parametrize("number", ["0", "2", "01", "one", "9999999999", "-1", "១"])
def test_a_version_that_was_never_told_of_is_not_found(client: TestClient, number: str) -> None:
    assert client.get(f"/en/{SLUG}/programme/versions/{number}").status_code == 404


def test_a_version_that_changed_only_what_is_closed_is_none(client: TestClient, site: Site) -> None:
    def later(session):  # type: ignore[no-untyped-def]
        moved = session.starts_at + timedelta(minutes=5) if session.starts_at else None
        return only("C-01", starts_at=moved)(session)

    before = client.get(FIRST).content
    publish_again(site, later)
    assert client.get(SECOND).status_code == 404
    assert client.get(FIRST).content == before
