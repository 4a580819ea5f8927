"""The programme for programs: what each file says, that it is kept as bytes, and that nothing closed is in any."""

import csv
import io
import json
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from app.web.site import Site
from tests.cast import SLUG
from tests.web.test_programme import only, publish_again

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
FILES = {
    "programme.json": "application/json",
    "programme.xml": "application/xml",
    "programme.csv": "text/csv; charset=utf-8",
    "programme/changes.atom": "application/atom+xml",
}


@pytest.mark.parametrize("lang", ["en", "km"])
@pytest.mark.parametrize("name", FILES)
def test_each_file_is_served_as_published_bytes_with_its_kind_and_304(client: TestClient, name: str, lang: str) -> None:
    first = client.get(f"/{lang}/{SLUG}/{name}")
    assert (first.status_code, first.headers["content-type"]) == (200, FILES[name])
    assert "set-cookie" not in first.headers
    again = client.get(f"/{lang}/{SLUG}/{name}", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert client.get(f"/{lang}/{SLUG}/{name}").content == first.content


@pytest.mark.parametrize("name", [*FILES, "sitemap"])
def test_what_is_closed_is_in_no_file(client: TestClient, name: str) -> None:
    address = f"/sitemaps/{SLUG}.xml" if name == "sitemap" else f"/en/{SLUG}/{name}"
    text = client.get(address).text
    assert "C-01" not in text
    assert "Study Group on Small and Medium States" not in text
    assert "D1-07" in text or name == "programme/changes.atom"


def test_the_json_and_the_xml_name_the_same_sessions(client: TestClient) -> None:
    said = json.loads(client.get(f"/km/{SLUG}/programme.json").content)["schedule"]
    ids = {one["guid"] for day in said["conference"]["days"] for room in day["rooms"].values() for one in room}
    root = ElementTree.fromstring(client.get(f"/km/{SLUG}/programme.xml").content)  # noqa: S314 - our own
    assert {there.get("guid") for there in root.iter("event")} == ids
    assert len(ids) == 28


def test_a_cancelled_session_leaves_the_schedule_and_says_so_in_the_table(client: TestClient, site: Site) -> None:
    publish_again(site, only("D1-07", cancelled=True, sequence=1))
    assert "D1-07" not in client.get(f"/en/{SLUG}/programme.json").text
    rows = list(csv.DictReader(io.StringIO(client.get(f"/en/{SLUG}/programme.csv").content.decode("utf-8-sig"))))
    assert len(rows) == 28
    assert [row["State"] for row in rows if row["Code"] == "D1-07"] == ["Cancelled"]


def test_each_version_is_an_entry_that_stays_the_same(client: TestClient, site: Site) -> None:
    def entries() -> list[tuple[str | None, str | None]]:
        feed = ElementTree.fromstring(client.get(f"/en/{SLUG}/programme/changes.atom").content)  # noqa: S314 - our own
        assert feed.findtext(f"{ATOM}updated") == feed.findtext(f"{ATOM}entry/{ATOM}updated")
        return [(each.findtext(f"{ATOM}id"), each.findtext(f"{ATOM}updated")) for each in feed.iter(f"{ATOM}entry")]

    before = entries()
    assert len(before) == 1
    publish_again(site, only("D1-07", cancelled=True, sequence=1))
    after = entries()
    assert len(after) == 2
    assert after[1] == before[0]
    content = client.get(f"/en/{SLUG}/programme/changes.atom").text
    assert "&lt;li&gt;" in content


def test_the_sitemap_leads_to_every_public_page_in_both_languages(client: TestClient) -> None:
    index = ElementTree.fromstring(client.get("/sitemap.xml").content)  # noqa: S314 - our own
    (address,) = [loc.text or "" for loc in index.iter(f"{SITEMAP}loc")]
    assert address.endswith(f"/sitemaps/{SLUG}.xml")
    found = ElementTree.fromstring(client.get(f"/sitemaps/{SLUG}.xml").content)  # noqa: S314 - our own
    pages = [(loc.text or "").partition("://")[2].partition("/")[2] for loc in found.iter(f"{SITEMAP}loc")]
    assert len(pages) == len(set(pages)) > 70
    assert all(client.get(f"/{page}").status_code == 200 for page in pages)
    assert f"en/{SLUG}/programme/D1-07" in pages


def test_robots_are_told_what_is_nobodys_business(client: TestClient) -> None:
    text = client.get("/robots.txt").text
    assert "Disallow: /desk" in text
    assert "Disallow: /km/my/" in text
    assert "Disallow: /en/speaking/" in text
    assert "/sitemap.xml" in text


@pytest.mark.parametrize("address", ["/en/nowhere/programme.json", "/xx/{slug}/programme.xml", "/sitemaps/nowhere.xml"])
def test_what_is_not_there_is_not_found(client: TestClient, address: str) -> None:
    assert client.get(address.format(slug=SLUG)).status_code == 404
