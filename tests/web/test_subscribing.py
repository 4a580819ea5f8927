"""How to take the forum along."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from tests.cast import SLUG


@pytest.mark.parametrize("lang", ["en", "km"])
def test_every_calendar_is_offered_in_every_way(client: TestClient, lang: str) -> None:
    page = client.get(f"/{lang}/{SLUG}/calendar").text
    tails = ["calendar.ics", "days/2027-03-23.ics", "days/2027-03-24.ics"]
    tails += [f"tracks/{slug}.ics" for slug in re.findall(r'/tracks/([a-z-]+)\.ics"', page)]
    assert len(set(tails)) == 6
    links = [unescape(href) for href in re.findall(r'href="([^"]+)"', page)]
    for tail in set(tails):
        path = f"/{lang}/{SLUG}/{tail}"
        assert path in links
        assert f"webcal://127.0.0.1:8000{path}" in links
        fetched = [parse_qs(urlsplit(link).query) for link in links if "google" in link or "outlook" in link]
        assert {"cid": [f"webcal://127.0.0.1:8000{path}"]} in fetched
        assert any(query.get("url") == [f"http://127.0.0.1:8000{path}"] and query["name"] for query in fetched)


def test_the_page_says_how_late_each_application_may_be(client: TestClient) -> None:
    page = client.get(f"/en/{SLUG}/calendar").text
    for promise in ("8 to 24 hours", "about once an hour", "about three hours", "never changes by itself"):
        assert promise in page
    assert "Your own calendar" in page
