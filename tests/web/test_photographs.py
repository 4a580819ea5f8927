"""Photographs at the doors: taken from both pages, made anew, and public only with a version that names the speaker."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.kit.db import Db
from app.kit.i18n import Bilingual, text_of
from app.programme.portraits import PHOTO_BYTES, keep_portrait
from app.programme.published import PublishedPerson, PublishedSession
from app.programme.rules.visibility import Attribution
from app.web.public import read_as_public
from tests.cast import NOW, SLUG, the_forum
from tests.doors import ELSEWHERE, Doors, Page, open_doors
from tests.kit.test_pictures import SECRET_WORDS, picture, tagged
from tests.web.test_programme import publish_again


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("photographs"), forum_file) as found:
        found.enrol("owner", Role.OWNER)
        yield found


def send(doors: Doors, page: str, body: bytes, name: str = "me.jpg", by: str = "", **fields: str) -> Any:
    """A photograph chosen in the form of this page."""
    data = {"form": doors.seal(page, by), **fields}
    return doors.ask("POST", f"{page}/photo", by, data=data, files={"photo": (name, body, "image/jpeg")})


def test_a_speaker_sends_one_sees_it_made_anew_and_takes_it_away(doors: Doors) -> None:
    page = f"/en/speaking/{doors.speaker().secret}"
    assert doors.get(f"{page}/photo.jpg").status_code == 404
    sent = send(doors, page, tagged(6))
    assert sent.headers["location"] == f"{page}?done=photo"
    shown = doors.get(f"{page}/photo.jpg")
    assert (shown.headers["content-type"], shown.headers["cache-control"]) == ("image/jpeg", "private, no-store")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert SECRET_WORDS.encode() not in shown.content
    assert Image.open(io.BytesIO(shown.content)).size == (40, 60)
    assert doors.page(page).all("img", class_="portrait")
    gone = doors.post(f"{page}/photo", fields={"form": doors.seal(page), "drop": "yes"})
    assert gone.headers["location"] == f"{page}?done=no_photo"
    assert doors.get(f"{page}/photo.jpg").status_code == 404


def test_an_organiser_keeps_one_for_a_speaker(doors: Doors) -> None:
    page = f"/desk/{SLUG}/speakers/{doors.speaker(asked=False).code}"
    assert send(doors, page, picture("WEBP"), by="owner").headers["location"] == f"{page}?done=photo"
    assert doors.get(f"{page}/photo.jpg", "owner").headers["content-type"] == "image/jpeg"
    refused = send(doors, page, b"<html>", by="owner")
    assert refused.status_code == 422
    assert text_of("en", "refused.picture_kind") in Page(refused.text).one("p", id="photo-fault").text


@pytest.mark.parametrize(
    ("body", "code", "values"),
    [
        (b"<!doctype html><script>alert(1)</script>", "picture_kind", {}),
        (picture("GIF"), "picture_kind", {}),
        (b"", "photo_missing", {}),
        (picture(size=(400, 300))[:900], "picture_broken", {}),
        (b"\xff\xd8\xff" + b"x" * PHOTO_BYTES, "picture_too_large", {"most": 8}),
    ],
    ids=["page", "gif", "nothing", "half", "large"],
)
def test_what_is_no_photograph_is_refused_beside_the_field_and_keeps_nothing(
    doors: Doors, body: bytes, code: str, values: dict[str, int]
) -> None:
    page = f"/km/speaking/{doors.speaker().secret}"
    before = doors.rows()
    refused = send(doors, page, body)
    assert refused.status_code == 422
    assert text_of("km", f"refused.{code}", **values) in Page(refused.text).one("p", id="photo-fault").text
    assert doors.rows() == before


def test_more_than_the_largest_photograph_is_not_even_read(doors: Doors) -> None:
    page = f"/en/speaking/{doors.speaker().secret}"
    assert send(doors, page, b"x" * (PHOTO_BYTES + 2_000_000)).status_code == 413


# ---- what everybody sees


def keep(doors: Doors, code: str) -> str:
    def deed(db: Db) -> str:
        from app.kit.pictures import made_anew

        made = made_anew(picture(), most_bytes=PHOTO_BYTES)
        return keep_portrait(db, the_forum(db).id or 0, code, made, now=NOW)

    return str(doors.write(SLUG, deed))


def published_with(doors: Doors, code: str, attribution: Attribution | None = None, *, named: bool = True) -> None:
    """One more version, in which a speaker with a photograph is in a session with this rule."""
    name = Bilingual("Bopha Example", "") if named else None
    photo = keep(doors, code) if named else None
    who = PublishedPerson(code, "speaker", name, Bilingual("Minister", "រដ្ឋមន្ត្រី"), None, None, None, photo)
    with doors.site.database.reading() as db:
        like = next(s for s in read_as_public(db, "en", SLUG).programme.sessions if s.starts_at)
    number = 50 + len(code)
    extra: PublishedSession = replace(
        like, uid=f"{code}@example", code=f"P-{number}", people=(who,), attribution=attribution
    )
    publish_again(doors.site, lambda one: one, [extra])


def test_a_public_photograph_has_an_etag_and_stands_on_both_pages(doors: Doors) -> None:
    published_with(doors, "shown")
    address = f"/en/{SLUG}/speakers/shown/photo.jpg"
    found = doors.get(address)
    assert (found.status_code, found.headers["content-type"]) == (200, "image/jpeg")
    assert found.headers["x-content-type-options"] == "nosniff"
    assert doors.get(address, headers={"if-none-match": found.headers["etag"]}).status_code == 304
    for page in (f"/en/{SLUG}/speakers", f"/km/{SLUG}/speakers/shown"):
        (image,) = [one for one in doors.page(page).all("img") if "/shown/" in one.attributes["src"]]
        assert doors.get(image.attributes["src"]).content == found.content
    assert doors.get(f"/en/{ELSEWHERE}/speakers/shown/photo.jpg").status_code == 404


def test_of_who_is_not_announced_or_speaks_behind_closed_doors_there_is_none(doors: Doors) -> None:
    published_with(doors, "hidden-one", Attribution.CLO)
    published_with(doors, "by-function", named=False)
    keep(doors, "by-function")
    for code in ("hidden-one", "by-function", "nobody", "keynote-scholar"):
        assert doors.get(f"/en/{SLUG}/speakers/{code}/photo.jpg").status_code == 404, code


def test_a_photograph_waits_for_the_next_version(doors: Doors) -> None:
    one = doors.speaker(announced="yes")
    assert send(doors, f"/en/speaking/{one.secret}", picture()).status_code == 303
    assert doors.get(f"/en/{SLUG}/speakers/{one.code}/photo.jpg").status_code == 404
