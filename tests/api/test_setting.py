"""The forum itself for programs: its settings by parts and taken back, the next edition, the archive."""

import io
import json
import zipfile
from datetime import date
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Permission, Role
from app.registration.changing_settings import NAMES
from app.registration.retaining import put_retention
from tests.api.programs import Programs
from tests.cast import NOW, SLUG, the_forum
from tests.doors import ELSEWHERE

EDITION = {
    "slug": "phnom-penh-2029",
    "title": {"en": "The next", "km": "លើកក្រោយ"},
    "short_title": {"en": "Next", "km": "លើកក្រោយ"},
    "starts_on": "2029-03-20",
    "ends_on": "2029-03-21",
    "takes": ["place", "topics", "numbers", "programme", "speakers"],
}


@pytest.fixture(scope="module", autouse=True)
def _enrolled(programs: Programs) -> None:
    programs.enrol("owner", Role.OWNER)
    programs.enrol("there", Role.OWNER, slug=ELSEWHERE)


def facts(programs: Programs, kind: str) -> list[dict[str, Any]]:
    """What was done of this kind, the newest first."""
    found = programs.get("/facts?limit=100", "owner").json()["items"]
    return [one for one in found if one["kind"] == kind]


@pytest.mark.parametrize("part", NAMES)
def test_a_part_sent_as_it_was_read_changes_nothing(programs: Programs, part: str) -> None:
    seen, before = programs.get(f"/settings/{part}"), programs.doors.rows()
    assert seen.status_code == 200
    again = programs.put(f"/settings/{part}", seen.json()["setting"], if_match=seen.headers["etag"])
    assert (again.status_code, again.json()) == (200, seen.json()), again.text
    assert again.headers["etag"] == seen.headers["etag"]
    assert programs.doors.rows() == before


def test_a_title_is_changed_and_taken_back_and_what_somebody_changed_since_is_not(programs: Programs) -> None:
    seen = programs.get("/settings/words")
    words = {**seen.json()["setting"], "title": {"en": "By a program", "km": "ដោយកម្មវិធី"}}
    done = programs.put("/settings/words", words, if_match=seen.headers["etag"])
    assert done.json()["setting"]["title"]["en"] == "By a program"
    assert "By a program" in programs.doors.get(f"/en/{SLUG}?anew").text
    stale = programs.put("/settings/words", seen.json()["setting"], if_match=seen.headers["etag"])
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    line = programs.get("/setting-changes?limit=1").json()["items"][0]
    assert (line["part"], line["changed"], line["last"]) == ("words", ["title"], True)
    assert line["by_name"] == "Organiser Desk (API)"
    whole = programs.get(f"/setting-changes/{line['id']}").json()
    assert whole["before"]["title"] == seen.json()["setting"]["title"]
    assert whole["after"] == words
    undo = f"/setting-changes/{line['id']}/undo"
    assert programs.post(undo).json() == {"changed": True}
    assert programs.get("/settings/words").json() == seen.json()
    late = programs.post(undo)
    assert (late.status_code, late.json()["code"]) == (409, "setting_moved_on")
    lines = programs.get("/setting-changes").json()["items"]
    assert [one["last"] for one in lines if one["part"] == "words"] == [True, False]
    part = programs.get("/setting-changes?limit=1").json()
    rest = programs.get(f"/setting-changes?limit=50&after={part['after']}").json()
    assert [*part["items"], *rest["items"]] == lines


def test_the_last_day_does_not_come_behind_the_purge_whichever_way_it_is_moved(programs: Programs) -> None:
    seen = programs.get("/settings/dates")
    days = seen.json()["setting"]
    longer = programs.put("/settings/dates", {**days, "ends_on": "2027-06-20"}, if_match=seen.headers["etag"])
    assert longer.status_code == 200, longer.text
    back = programs.put("/settings/dates", days, if_match=longer.headers["etag"])
    assert back.status_code == 200
    purged = date(2027, 6, 1)
    programs.doors.write(SLUG, lambda db: put_retention(db, Actor.operator(), the_forum(db), purged, now=NOW))
    again = programs.put("/settings/dates", {**days, "ends_on": "2027-06-20"}, if_match=back.headers["etag"])
    assert (again.status_code, again.json()["code"]) == (422, "retention_before_end")
    number = programs.get("/setting-changes?limit=1").json()["items"][0]["id"]
    undo = programs.post(f"/setting-changes/{number}/undo")
    assert (undo.status_code, undo.json()["code"]) == (422, "retention_before_end")
    assert programs.get("/settings/dates").json() == seen.json()


def test_what_is_wrong_with_a_part_is_pointed_at_and_what_sessions_name_stays(programs: Programs) -> None:
    before = programs.doors.rows()
    place = programs.get("/settings/place").json()["setting"]
    wrong = programs.put("/settings/place", {**place, "latitude": 91, "venue_name": {"en": "x"}}, if_match="*")
    assert {one["pointer"] for one in wrong.json()["errors"]} == {"#/latitude", "#/venue_name"}
    topics = programs.get("/settings/topics").json()["setting"]
    gone = programs.put("/settings/topics", {**topics, "tracks": topics["tracks"][1:]}, if_match="*")
    assert (gone.status_code, gone.json()["code"]) == (422, "topic_used")
    endless = [{"slug": f"theme-{n}", "title": {"en": "x", "km": "x"}} for n in range(61)]
    many = programs.put(
        "/settings/topics", {**topics, "tracks": [{**topics["tracks"][0], "themes": endless}]}, if_match="*"
    )
    assert many.json()["errors"][0]["pointer"] == "#/tracks/0/themes"
    groups = programs.get("/settings/groups").json()["setting"]["groups"]
    differ = programs.put("/settings/groups", {"groups": groups[1:]}, if_match="*")
    assert (differ.status_code, differ.json()["code"]) == (422, "groups_differ")
    standing = programs.put("/settings/standing", {"public": True, "featured": False}, if_match="*")
    assert (standing.status_code, standing.json()["code"]) == (422, "only_site_features")
    assert programs.get("/settings/mail").status_code == 404
    assert programs.doors.rows() == before


def test_a_change_of_another_forum_is_not_there(programs: Programs) -> None:
    base = f"/api/v1/forums/{ELSEWHERE}"
    seen = programs.get(f"{base}/settings/words", "there")
    words = {**seen.json()["setting"], "title": {"en": "Theirs", "km": "របស់គេ"}}
    assert programs.put(f"{base}/settings/words", words, "there", if_match="*").status_code == 200
    number = programs.get(f"{base}/setting-changes", "there").json()["items"][0]["id"]
    assert programs.get(f"/setting-changes/{number}", "owner").status_code == 404
    assert programs.post(f"/setting-changes/{number}/undo", None, "owner").status_code == 404


def test_an_edition_is_opened_once_with_its_programme_and_nobody_who_takes_part(programs: Programs) -> None:
    counts = programs.get("/editions/new", "owner").json()["takes"]
    assert (counts["programme"], counts["closed"]) == (28, 1)
    first = programs.post("/editions", EDITION, "owner", idempotency_key="next")
    assert (first.status_code, first.json()) == (201, {"slug": EDITION["slug"], "programme": True})
    rows = programs.doors.rows()
    again = programs.post("/editions", EDITION, "owner", idempotency_key="next")
    assert (again.status_code, again.content) == (201, first.content)
    taken = programs.post("/editions", EDITION, "owner")
    assert taken.json()["errors"][0]["pointer"] == "#/slug"
    other = programs.post("/editions", {**EDITION, "slug": "another"}, "owner", idempotency_key="next")
    assert (other.status_code, other.json()["code"]) == (422, "key_used")
    room = {"code": "annex", "name": {"en": "Annex", "km": "អគារ"}, "seats": 4}
    assert programs.post("/rooms", room, "owner", idempotency_key="next").json()["code"] == "key_used"
    assert programs.doors.get("/en/another").status_code == 404
    assert {name: n for name, n in programs.doors.rows().items() if name != "kit_scope"} == {
        name: n for name, n in rows.items() if name != "kit_scope"
    }
    assert programs.doors.get(f"/desk/{EDITION['slug']}", "owner").status_code == 200
    assert programs.doors.get(f"/desk/{EDITION['slug']}", "organiser").status_code == 404
    assert programs.get(f"/api/v1/forums/{EDITION['slug']}", "owner").status_code == 404, "a token is for one forum"


def test_a_token_that_may_less_than_its_owner_opens_no_edition(programs: Programs) -> None:
    see, access = Permission.SEE_DESK, Permission.MANAGE_ACCESS
    scopes = {
        "no edition": tuple(one for one in Permission if one is not access),
        "no programme": (see, access, Permission.EDIT_FORUM),
        "no words": (see, access, Permission.EDIT_PROGRAMME),
    }
    for name, scope in scopes.items():
        programs.tokens[name] = programs.token("owner", scope=scope)
    before = programs.doors.rows()
    for name in scopes:
        for takes in (EDITION["takes"], ["numbers", "questions"]):
            answer = programs.post("/editions", {**EDITION, "slug": "narrow", "takes": takes}, name)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), name
    assert {name for name, n in programs.doors.rows().items() if n != before[name]} <= {"kit_scope"}


def test_the_archive_is_taken_by_an_owner_and_a_repeated_request_writes_no_second_fact(programs: Programs) -> None:
    assert programs.post("/archive").status_code == 403
    assert programs.post("/archive", None, "owner", accept="application/json").status_code == 406
    answer = programs.post("/archive", None, "owner", idempotency_key="archive", accept="application/zip")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].endswith('.zip"')
    assert answer.headers["content-length"] == str(len(answer.content))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        told = json.loads(archive.read("manifest.json"))
        assert archive.testzip() is None
    assert told["forum"] == SLUG
    assert len(facts(programs, "forum.archived")) == 1
    again = programs.post("/archive", None, "owner", idempotency_key="archive")
    with zipfile.ZipFile(io.BytesIO(again.content)) as archive:
        assert json.loads(archive.read("manifest.json"))["head"] == told["head"]
    assert len(facts(programs, "forum.archived")) == 1
    programs.doors.register()
    late = programs.post("/archive", None, "owner", idempotency_key="archive")
    assert (late.status_code, late.json()["code"]) == (409, "file_changed")
