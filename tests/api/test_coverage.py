"""The report on coverage through the API, and whose voices the speakers are."""

import re

import pytest

from app.accounts.rules import Permission, Role
from tests.api.programs import Programs
from tests.cast import SLUG
from tests.doors import ELSEWHERE


@pytest.fixture(scope="module")
def desk(programs: Programs) -> Programs:
    programs.enrol("viewer", Role.VIEWER)
    programs.enrol("elsewhere", Role.ORGANISER, slug=ELSEWHERE)
    programs.tokens["narrow"] = programs.token("organiser", scope=(Permission.SEE_DESK,))
    return programs


def test_every_figure_of_the_desks_report_is_told_with_the_sessions_behind_it(desk: Programs) -> None:
    told = desk.get("/coverage", "viewer")
    assert told.status_code == 200
    found = told.json()
    page = f"/desk/{SLUG}/programme/coverage"
    for part, key in (
        ("objectives", "1"),
        ("tracks", "A"),
        ("themes", "maritime-lanes"),
        ("alike", "no_civil_society"),
    ):
        (one,) = [each for each in found[part] if each["key"] == key]
        shown = desk.doors.page(f"{page}?show={part}-{key}", "organiser").one("section", id="shown")
        assert one["sessions"]
        assert re.findall(r"[A-Z]\d?-\d\d", shown.text) == one["sessions"]
    chairs = [each for each in found["groups"] if each["role"] == "chair"]
    assert chairs
    assert {part["session"] for each in chairs for part in each["parts"]} <= {
        one["session"]["code"] for one in desk.get("/sessions").json()["items"]
    }
    assert desk.get("/coverage", "viewer", if_none_match=told.headers["etag"]).status_code == 304


def test_whose_voice_somebody_is_is_said_whole_and_held_against_what_was_seen(desk: Programs) -> None:
    seen = desk.get("/voices")
    voices = seen.json()["voices"]
    assert voices["forum-chair"] is None
    said = {**voices, "forum-chair": "academia"}
    done = desk.put("/voices", {"voices": said}, if_match=seen.headers["etag"])
    assert (done.status_code, done.json()["voices"]) == (200, said)
    assert desk.put("/voices", {"voices": voices}, if_match=seen.headers["etag"]).status_code == 412
    emptied = desk.put("/voices", {"voices": {}}, if_match=done.headers["etag"])
    assert set(emptied.json()["voices"].values()) == {None}
    before = desk.doors.rows()
    for wrong, status in (
        ({"nobody-here": "academia"}, 404),
        ({"forum-chair": "friend"}, 422),
        ({"Not a code": None}, 422),
        ({f"x-{n}": None for n in range(2001)}, 422),
    ):
        assert desk.put("/voices", {"voices": wrong}, if_match="*").status_code == status
    for by, status in (("viewer", 403), ("narrow", 403), ("elsewhere", 404)):
        assert desk.put("/voices", {"voices": said}, by, if_match="*").status_code == status
        assert desk.get("/voices", by).status_code == status
    assert desk.get("/coverage", "elsewhere").status_code == 404
    assert desk.doors.rows() == before
