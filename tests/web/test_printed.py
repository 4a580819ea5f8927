"""The programme on paper: what it says, that it is one page where it must be, and that nothing closed is in it."""

import re
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from app.kit.i18n import Bilingual
from app.programme.published import PublishedSession
from app.web.printed import booklet_values, poster_values
from app.web.public import read_as_public
from app.web.site import Site
from tests.cast import SLUG
from tests.web.test_programme import only, publish_again

DAY = "2027-03-23"


def page_count(pdf: bytes) -> int:
    """How many pages a PDF has, by the count of its page tree's root."""
    return max(int(n) for n in re.findall(rb"/Type\s*/Pages[^>]*?/Count (\d+)|/Count (\d+)", pdf) for n in n if n)


def asked(client: TestClient, path: str) -> Request:
    app: Any = client.app
    while not hasattr(app, "state"):
        app = app.app
    return Request({"type": "http", "app": app, "path": path, "query_string": b"", "headers": [], "method": "GET"})


@pytest.mark.parametrize("lang", ["en", "km"])
def test_the_booklet_is_kept_as_bytes_and_the_same_each_time(client: TestClient, lang: str) -> None:
    first = client.get(f"/{lang}/{SLUG}/programme.pdf")
    assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf")
    assert first.content.startswith(b"%PDF-")
    assert page_count(first.content) > 8
    again = client.get(f"/{lang}/{SLUG}/programme.pdf", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert client.get(f"/{lang}/{SLUG}/programme.pdf?x=1").content == first.content, "printed anew"


@pytest.mark.parametrize("lang", ["en", "km"])
@pytest.mark.parametrize("day", [DAY, "2027-03-24"])
def test_a_day_is_one_page(client: TestClient, lang: str, day: str) -> None:
    made = client.get(f"/{lang}/{SLUG}/days/{day}.pdf")
    assert made.status_code == 200
    assert page_count(made.content) == 1


def test_letters_that_no_typeface_has_take_the_paper_from_nobody(client: TestClient, site: Site) -> None:
    typed = Bilingual("汉语 😀 ไทย Иван Ə", "ក 😀 Иван")
    publish_again(site, lambda session: replace(session, title=typed, abstract=typed))
    for path in ("programme.pdf", f"days/{DAY}.pdf"):
        assert client.get(f"/en/{SLUG}/{path}").status_code == 200
        assert client.get(f"/km/{SLUG}/{path}").status_code == 200


def test_a_day_with_five_times_as_many_sessions_is_still_one_page(client: TestClient, site: Site) -> None:
    with site.database.reading() as db:
        there = read_as_public(db, "en", SLUG).programme.sessions
    sessions: list[PublishedSession] = []
    for number in range(5):
        sessions += [replace(s, uid=f"{number}-{s.uid}", code=f"{s.code}-{number}") for s in there]
    publish_again(site, lambda session: session, extra=sessions)
    made = client.get(f"/en/{SLUG}/days/{DAY}.pdf")
    assert page_count(made.content) == 1


@pytest.mark.parametrize("day", ["2027-03-22", "tomorrow", "2027-3-23", ".."])
def test_a_day_without_a_session_has_no_poster(client: TestClient, day: str) -> None:
    assert client.get(f"/en/{SLUG}/days/{day}.pdf").status_code == 404


def test_every_public_session_and_speaker_is_in_the_booklet_and_nothing_closed(client: TestClient, site: Site) -> None:
    with site.database.reading() as db:
        seen = read_as_public(db, "en", SLUG)
    values = booklet_values(asked(client, "/"), seen)
    codes = [one["code"] for day in values["days"] for one in day["sessions"]]
    assert len(codes) == len(set(codes)) == 28
    assert "C-01" not in codes
    assert {code for one in values["people"] for code in one["codes"]} <= set(codes)
    assert values["address"].endswith(f"/en/{SLUG}/programme")


def test_a_cancelled_session_is_called_so_in_a_word(client: TestClient, site: Site) -> None:
    publish_again(site, only("D1-07", cancelled=True, sequence=1))
    with site.database.reading() as db:
        seen = read_as_public(db, "en", SLUG)
    days = booklet_values(asked(client, "/"), seen)["days"]
    assert {one["code"]: one["cancelled"] for day in days for one in day["sessions"] if one["cancelled"]} == {
        "D1-07": "Cancelled"
    }
    assert client.get(f"/km/{SLUG}/programme.pdf").status_code == 200


def test_what_organisers_write_is_set_and_never_read_as_markup(client: TestClient, site: Site) -> None:
    evil = '#panic("x") $ *bold* <a> @nowhere #eval("1") \\ [ ]'
    publish_again(site, only("D1-07", title=Bilingual(evil, evil), abstract=Bilingual(evil, evil), sequence=1))
    assert client.get(f"/en/{SLUG}/programme.pdf").status_code == 200
    assert client.get(f"/km/{SLUG}/days/{DAY}.pdf").status_code == 200


def test_before_times_are_announced_the_booklet_says_so(client: TestClient, site: Site) -> None:
    publish_again(site, lambda session: replace(session, starts_at=None, ends_at=None, sequence=1))
    with site.database.reading() as db:
        seen = read_as_public(db, "en", SLUG)
    assert [day["name"] for day in booklet_values(asked(client, "/"), seen)["days"]] == ["Time to be announced"]
    assert client.get(f"/en/{SLUG}/programme.pdf").status_code == 200


def test_a_poster_leads_to_its_own_day(client: TestClient, site: Site) -> None:
    with site.database.reading() as db:
        seen = read_as_public(db, "km", SLUG)
    on = min(seen.local_day(s.starts_at) for s in seen.programme.sessions if s.starts_at)
    assert poster_values(asked(client, "/"), seen, on)["address"].endswith(f"/km/{SLUG}/programme?day={on.isoformat()}")
