"""The pictures messengers show: a picture of the right size, kept as bytes, and none of what is not public."""

import re
import struct
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.kit.i18n import Bilingual
from app.web.pictures import MOST_LETTERS, forum_values, session_values
from app.web.public import read_as_public
from app.web.site import Site
from tests.cast import SLUG
from tests.web.test_programme import only, publish_again

TAILS = ("/picture.png", "/programme/D1-07/picture.png")


def size(png: bytes) -> Any:
    """Width and height in pixels, from the header (PNG §11.2.2)."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize("lang", ["en", "km"])
@pytest.mark.parametrize("tail", TAILS)
def test_each_is_drawn_once_in_the_size_its_page_says(client: TestClient, lang: str, tail: str) -> None:
    first = client.get(f"/{lang}/{SLUG}{tail}")
    assert (first.status_code, first.headers["content-type"]) == (200, "image/png")
    assert size(first.content) == (1200, 630)
    again = client.get(f"/{lang}/{SLUG}{tail}", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(("tail", "picture"), [("", "/picture.png"), ("/speakers", "/picture.png")])
def test_a_page_names_the_forums_picture_by_its_whole_address(client: TestClient, tail: str, picture: str) -> None:
    page = client.get(f"/en/{SLUG}{tail}").text
    (told,) = re.findall('property="og:image" content="([^"]+)"', page)
    assert re.fullmatch(f"http://[^/]+/en/{SLUG}{picture}", told)


def test_a_session_has_a_picture_of_its_own_and_its_page_names_it(client: TestClient) -> None:
    page = client.get(f"/en/{SLUG}/programme/D1-07").text
    (told,) = re.findall('property="og:image" content="([^"]+)"', page)
    assert told.endswith(f"/en/{SLUG}/programme/D1-07/picture.png")
    own, forums = (client.get(f"/en/{SLUG}{tail}").content for tail in (TAILS[1], TAILS[0]))
    assert own != forums


@pytest.mark.parametrize("code", ["C-01", "D9-99"])
def test_a_closed_session_has_no_picture_as_one_that_is_none(client: TestClient, code: str) -> None:
    assert client.get(f"/en/{SLUG}/programme/{code}/picture.png").status_code == 404


def test_a_cancelled_session_and_one_without_a_time_say_so(client: TestClient, site: Site) -> None:
    def words(code: str) -> str:
        with site.database.reading() as db:
            seen = read_as_public(db, "en", SLUG)
        one = seen.programme.session(code)
        assert one is not None
        return str(session_values(seen, one)["when"])

    assert "2027" in words("D1-07")
    publish_again(site, only("D1-07", cancelled=True, sequence=1))
    assert "ancelled" in words("D1-07")
    publish_again(site, only("D1-08", starts_at=None, ends_at=None, sequence=1))
    assert "announced" in words("D1-08")


@pytest.mark.parametrize("space", [" ", "\u200b"])
def test_a_title_too_long_for_it_ends_between_two_words(client: TestClient, site: Site, space: str) -> None:
    word = "ស្ត្រី"
    long = space.join([word] * 200)
    publish_again(site, only("D1-07", title=Bilingual(long, long), sequence=1))
    with site.database.reading() as db:
        seen = read_as_public(db, "km", SLUG)
    one = seen.programme.session("D1-07")
    assert one is not None
    title = session_values(seen, one)["title"]
    assert len(title) <= MOST_LETTERS + 1
    assert title.endswith(word + "…")
    assert client.get(f"/km/{SLUG}/programme/D1-07/picture.png").status_code == 200


def test_the_forums_tells_its_days_and_place(client: TestClient, site: Site) -> None:
    with site.database.reading() as db:
        values = forum_values(read_as_public(db, "en", SLUG))
    assert "2027" in values["when"]
    assert values["where"] == "Cambodiana Hotel"
