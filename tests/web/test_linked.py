"""What search engines and messengers read: true, complete, and nothing that ends the element it stands in."""

import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.kit.i18n import Bilingual
from app.web.site import Site
from tests.cast import SLUG
from tests.doors import Page
from tests.web.test_programme import only, publish_again


def linked(client: TestClient, address: str) -> Any:
    """The linked data of a page, or None."""
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', client.get(address).text, re.DOTALL)
    return json.loads(found[0]) if found else None


@pytest.mark.parametrize(("lang", "words"), [("en", "Security Cooperation"), ("km", "កិច្ចសហប្រតិបត្តិការសន្តិសុខ")])
def test_the_first_page_tells_the_forum_with_its_days_and_place(client: TestClient, lang: str, words: str) -> None:
    told = linked(client, f"/{lang}/{SLUG}")
    assert (told["@type"], told["startDate"], told["endDate"]) == ("Event", "2027-03-23", "2027-03-24")
    assert words in told["name"]
    assert told["location"]["name"]
    assert told["location"]["address"]
    assert told["url"].endswith(f"/{lang}/{SLUG}")


def test_a_session_tells_its_hours_with_the_zone_and_the_forum_it_is_of(client: TestClient) -> None:
    told = linked(client, f"/en/{SLUG}/programme/D1-07")
    assert told["startDate"].endswith("+07:00")
    assert told["startDate"] < told["endDate"]
    assert told["superEvent"]["@id"] == linked(client, f"/en/{SLUG}")["@id"]
    assert told["eventStatus"].endswith("EventScheduled")


def test_a_cancelled_session_says_so(client: TestClient, site: Site) -> None:
    publish_again(site, only("D1-07", cancelled=True, sequence=1))
    assert linked(client, f"/en/{SLUG}/programme/D1-07")["eventStatus"].endswith("EventCancelled")


def test_while_a_time_is_to_be_announced_nothing_is_told_of_it(client: TestClient, site: Site) -> None:
    publish_again(site, only("D1-07", starts_at=None, ends_at=None, sequence=1))
    assert linked(client, f"/en/{SLUG}/programme/D1-07") is None


def test_a_title_cannot_end_the_block_it_stands_in(client: TestClient, site: Site) -> None:
    evil = "Sea </script><script>alert(1)</script> & <!-- lanes"
    publish_again(site, only("D1-07", title=Bilingual(evil, evil), sequence=1))
    page = client.get(f"/en/{SLUG}/programme/D1-07")
    assert "<script>" not in page.text
    assert linked(client, f"/en/{SLUG}/programme/D1-07")["name"] == evil


@pytest.mark.parametrize("tail", ["", "/programme", "/programme/D1-07", "/speakers", "/calendar"])
def test_every_public_page_says_its_one_address_its_twin_and_a_title(client: TestClient, tail: str) -> None:
    page = Page(client.get(f"/en/{SLUG}{tail}").text)
    said = {
        each.attributes["property"]: each.attributes["content"]
        for each in page.all("meta")
        if "property" in each.attributes
    }
    (canonical,) = page.all("link", rel="canonical")
    assert said["og:url"] == canonical.attributes["href"]
    assert canonical.attributes["href"].endswith(f"/en/{SLUG}{tail}")
    assert said["og:title"]
    assert said["og:locale"] == "en_GB"
    twins = {
        each.attributes["hreflang"]: each.attributes["href"]
        for each in page.all("link", rel="alternate")
        if "hreflang" in each.attributes
    }
    assert twins["km"].endswith(f"/km/{SLUG}{tail}")


def test_a_page_with_a_question_names_the_plain_one_as_its_address(client: TestClient) -> None:
    page = Page(client.get(f"/en/{SLUG}/programme?track=A&q=sea").text)
    (canonical,) = page.all("link", rel="canonical")
    assert canonical.attributes["href"].endswith("/programme")


def test_no_secret_page_says_its_address(client: TestClient) -> None:
    for address in ("/login", "/en/no-such-page"):
        assert "og:url" not in client.get(address).text
