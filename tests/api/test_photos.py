"""Photographs of speakers through the API: what is kept of a file, and what is refused."""

import pytest

from app.accounts.rules import Permission, Role
from app.programme.portraits import PHOTO_BYTES
from tests.api.programs import Programs
from tests.doors import ELSEWHERE
from tests.kit.test_pictures import SECRET_WORDS, picture, read, tagged


@pytest.fixture(scope="module")
def code(programs: Programs) -> str:
    programs.enrol("viewer", Role.VIEWER)
    programs.enrol("elsewhere", Role.ORGANISER, slug=ELSEWHERE)
    programs.tokens["narrow"] = programs.token("organiser", scope=(Permission.SEE_DESK,))
    return str(programs.doors.speaker().code)


def test_a_photograph_is_made_anew_given_back_and_taken_away(programs: Programs, code: str) -> None:
    speaker = programs.get(f"/speakers/{code}")
    assert (speaker.json()["photo"], programs.get(f"/speakers/{code}/photo").status_code) == (None, 404)
    seen = speaker.headers["etag"]
    address, sent = f"/speakers/{code}/photo", tagged()
    unsaid = programs.put(address, sent, content_type="image/jpeg")
    assert (unsaid.status_code, unsaid.json()["code"]) == (428, "if_match_missing")
    done = programs.put(address, sent, content_type="image/jpeg", if_match=seen)
    assert done.status_code == 200, done.text
    assert done.json()["photo"]
    assert programs.put(address, sent, content_type="image/jpeg", if_match=seen).status_code == 412
    taken = programs.get(address, "viewer", accept="image/*")
    assert taken.headers["content-type"] == "image/jpeg"
    assert read(taken.content).size == (60, 40)
    assert SECRET_WORDS.encode() not in taken.content
    tag = programs.get(address).headers["etag"]
    assert tag == done.headers["etag"] == programs.get(f"/speakers/{code}").headers["etag"]
    assert programs.get(address, if_none_match=tag).status_code == 304
    assert programs.ask("DELETE", address, "organiser", if_match=tag).status_code == 204
    again = programs.ask("DELETE", address, "organiser", if_match="*")
    assert again.status_code == 404, "there is none to take away"
    assert programs.get(f"/speakers/{code}").json()["photo"] is None


def test_what_is_no_photograph_and_who_may_not_keep_one_is_refused_and_nothing_is_kept(
    programs: Programs, code: str
) -> None:
    before = programs.doors.rows()
    for body, kind, said in (
        (b"<!doctype html><script>alert(1)</script>", "image/jpeg", "picture_kind"),
        (picture("GIF"), "application/octet-stream", "picture_kind"),
        (b"", "image/png", "photo_missing"),
        (picture(size=(400, 300))[:900], "image/jpeg", "picture_broken"),
        (b"\xff\xd8\xff" + b"x" * PHOTO_BYTES, "image/jpeg", "picture_too_large"),
    ):
        answer = programs.put(f"/speakers/{code}/photo", body, content_type=kind, if_match="*")
        assert (answer.status_code, answer.json()["code"]) == (422, said)
    huge = b"\xff\xd8\xff" + b"x" * (PHOTO_BYTES + 2_000_000)
    for address, by, kind, status in (
        (f"/speakers/{code}/photo", "organiser", "image/jpeg", 413),
        (f"/speakers/{code}/photo", "organiser", "image/svg+xml", 415),
        (f"/speakers/{code}/photo", "viewer", "image/jpeg", 403),
        (f"/speakers/{code}/photo", "narrow", "image/jpeg", 403),
        (f"/speakers/{code}/photo", "elsewhere", "image/jpeg", 404),
        ("/speakers/nobody-here/photo", "organiser", "image/jpeg", 404),
    ):
        body = huge if status == 413 else picture()
        assert programs.put(address, body, by, content_type=kind, if_match="*").status_code == status, (by, kind)
    assert programs.put(f"/speakers/{code}", huge, if_match="*").status_code == 413, "no other body may be as large"
    assert programs.doors.rows() == before
