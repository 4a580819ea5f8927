"""Tags, notes, details and many at once through the API: the deeds of the desk's table."""

from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission, Role
from app.jobs import many
from app.jobs.crew import Crew
from app.kit import clock
from app.kit.db import table
from app.kit.repeating import GivenAnswer
from app.registration import deciding_many
from app.registration.desk_inputs import TagInput
from app.registration.tagging import put_tag
from tests.api.programs import Programs
from tests.api.test_calling import problem
from tests.cast import NOW, the_forum
from tests.doors import ELSEWHERE

FRONT = {"name": "Front row", "letter": "F", "tone": "red"}


@pytest.fixture(scope="module", autouse=True)
def _cast(programs: Programs) -> None:
    programs.enrol("finance", Role.FINANCE)
    programs.enrol("registrar", Role.REGISTRAR)


def test_a_tag_is_made_put_on_changed_and_removed(programs: Programs) -> None:
    one = programs.doors.register()
    made = programs.post("/tags", FRONT)
    number = made.json()["id"]
    assert (made.status_code, made.headers["location"].endswith(f"/tags/{number}")) == (201, True)
    problem(programs.post("/tags", {**FRONT, "letter": "F2"}), 422, "tag_twice")
    marks = programs.get(f"/registrations/{one.code}/tags")
    done = programs.put(f"/registrations/{one.code}/tags", {"tags": [number]}, if_match=marks.headers["etag"])
    assert done.json() == {"tags": [number]}
    late = programs.put(f"/registrations/{one.code}/tags", {"tags": []}, if_match=marks.headers["etag"])
    problem(late, 412, "stale")
    problem(programs.put(f"/registrations/{one.code}/tags", {"tags": []}, "finance", if_match="*"), 403, "forbidden")
    seen = programs.get(f"/tags/{number}")
    assert seen.json() == {"id": number, **FRONT, "used": 1}
    changed = programs.put(f"/tags/{number}", {**FRONT, "name": "Second row"}, if_match=seen.headers["etag"])
    assert changed.json()["name"] == "Second row"
    assert [one["name"] for one in programs.get("/tags", "finance").json()["items"]] == ["Second row"]
    problem(programs.ask("DELETE", f"/tags/{number}", "organiser", if_match=seen.headers["etag"]), 412, "stale")
    gone = programs.ask("DELETE", f"/tags/{number}", "organiser", if_match=changed.headers["etag"])
    assert gone.status_code == 204
    assert programs.get(f"/registrations/{one.code}/tags").json() == {"tags": []}


def test_another_forums_tags_and_registrations_are_not_there(programs: Programs) -> None:
    theirs, mine = programs.doors.register("DIP", slug=ELSEWHERE), programs.doors.register()
    there = TagInput.model_validate(FRONT)
    tag = programs.doors.write(
        ELSEWHERE, lambda db: put_tag(db, Actor.operator(), the_forum(db, ELSEWHERE), there, now=NOW)
    )
    before = programs.doors.rows()
    for method, address, body in (
        ("GET", f"/tags/{tag}", None),
        ("PUT", f"/tags/{tag}", FRONT),
        ("DELETE", f"/tags/{tag}", None),
        ("PUT", f"/registrations/{mine.code}/tags", {"tags": [tag]}),
        ("GET", f"/registrations/{theirs.code}/tags", None),
        ("PUT", f"/registrations/{theirs.code}/tags", {"tags": []}),
        ("GET", f"/registrations/{theirs.code}/notes", None),
        ("POST", f"/registrations/{theirs.code}/notes", {"words": "x"}),
        ("GET", f"/registrations/{theirs.code}/details", None),
        ("PUT", f"/registrations/{theirs.code}/details", {"family_name": "X", "attends_as": "official"}),
    ):
        problem(programs.ask(method, address, "organiser", body, if_match="*"), 404)
    assert programs.doors.rows() == before


def test_a_note_is_written_read_and_taken_out_by_whom_it_is_of_or_who_decides(programs: Programs) -> None:
    one, other = programs.doors.register(), programs.doors.register()
    address = f"/registrations/{one.code}/notes"
    made = programs.post(address, {"words": "Pays later"}, "finance")
    number = made.json()["id"]
    assert made.status_code == 201
    (note,) = programs.get(address, "registrar").json()["items"]
    assert (note["id"], note["words"], note["author"]) == (number, "Pays later", "Finance Desk (API)")
    assert "Pays later" not in programs.get("/facts?limit=5").text
    problem(programs.get(f"/registrations/{other.code}/notes/{number}"), 404)
    problem(programs.ask("DELETE", f"/registrations/{other.code}/notes/{number}", "organiser", if_match="*"), 404)
    of_another = programs.post(address, {"words": "Of the registrar"}, "registrar").json()["id"]
    tag = programs.get(f"{address}/{of_another}").headers["etag"]
    problem(programs.ask("DELETE", f"{address}/{of_another}", "finance", if_match=tag), 403, "forbidden")
    problem(programs.ask("DELETE", f"{address}/{number}", "finance", if_match='"other"'), 412, "stale")
    for note in (number, of_another):
        tag = programs.get(f"{address}/{note}").headers["etag"]
        by = "finance" if note == number else "organiser"
        assert programs.ask("DELETE", f"{address}/{note}", by, if_match=tag).status_code == 204
    assert programs.get(address).json()["items"] == []
    assert "missing" in problem(programs.post(address, {"words": " "}), 422, "invalid")["errors"][0]["code"]
    assert programs.post(f"/registrations/{one.code}/erasure", {"sure": True}).status_code == 200
    problem(programs.post(address, {"words": "x"}), 422, "erased")
    problem(programs.get(f"/registrations/{one.code}/details"), 404)


def test_details_are_put_right_against_what_was_seen(programs: Programs) -> None:
    one = programs.doors.register("INT", family_name="Rihgt", institution="Rivers", phone="+85512345678")
    address = f"/registrations/{one.code}/details"
    seen = programs.get(address)
    sent = {**seen.json()["details"], "family_name": "Right"}
    done = programs.put(address, sent, if_match=seen.headers["etag"])
    assert (done.status_code, done.json()["details"]["family_name"]) == (200, "Right")
    problem(programs.put(address, sent, if_match=seen.headers["etag"]), 412, "stale")
    line = programs.get(f"/registrations/{one.code}").json()["registration"]
    assert (line["family_name"], line["phone"]) == ("Right", "+855 12 345 678"), "all else stands as it was"
    faulty = programs.put(address, {**sent, "family_name": "www.example.org/x", "name_km": ""}, if_match="*")
    assert problem(faulty, 422, "invalid")["errors"][0]["pointer"] == "#/family_name"
    assert programs.put(address, {**sent, "country": "XX"}, if_match="*").status_code == 422
    programs.post(f"/registrations/{one.code}/cancellation", {})
    problem(programs.put(address, {**sent, "family_name": "Late"}, if_match="*"), 422, "ended")


def test_where_somebody_works_who_attends_privately_is_neither_told_nor_lost(programs: Programs) -> None:
    one = programs.doors.register("INT", institution="A hidden ministry", attends_as="private")
    address = f"/registrations/{one.code}/details"
    seen = programs.get(address)
    assert "hidden" not in seen.text
    assert seen.json()["details"]["institution"] is None
    done = programs.put(address, {**seen.json()["details"], "country": "KH"}, if_match=seen.headers["etag"])
    assert (done.status_code, "hidden" in done.text) == (200, False)
    official = {**done.json()["details"], "attends_as": "official"}
    told = programs.put(address, official, if_match=done.headers["etag"])
    assert told.json()["details"]["institution"] == "A hidden ministry"


# ---- many at once


def prospect(programs: Programs, question: str, by: str = "organiser") -> Any:
    answer = programs.get(f"/bulks/prospect?{question}", by)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_many_are_looked_at_approved_just_so_and_taken_back(programs: Programs) -> None:
    people = [programs.doors.register("DIP", country="FR") for _ in range(3)]
    seen = prospect(programs, "act=approve&country=FR&state=awaiting")
    assert (seen["possible"], seen["mails"], seen["counts"]) == (3, 3, {"seated": 3})
    assert [one["code"] for one in seen["items"]] == [one.code for one in people], "in the order of the rule"
    many = {"act": "approve", "of": {"country": "FR", "state": "awaiting"}, "mark": seen["mark"], "note": "Together"}
    before = programs.doors.rows()
    problem(programs.post("/bulks", {**many, "mark": "0" * 32}), 409, "bulk_changed")
    problem(programs.post("/bulks", {**many, "of": {"country": "FR"}, "act": "move"}), 422, "invalid")
    assert programs.doors.rows() == before
    begun = programs.post("/bulks", many, idempotency_key="many-once")
    assert (begun.status_code, begun.json()["state"], begun.json()["left"]) == (201, "done", 0)
    number = begun.json()["id"]
    assert programs.post("/bulks", many, idempotency_key="many-once").content == begun.content
    problem(programs.post("/bulks", many), 422, "nobody_chosen")
    found = programs.get(f"/bulks/{number}")
    assert found.json()["counts"] == {"seated": 3}
    assert [one["reversible"] for one in found.json()["items"]] == [True] * 3
    assert programs.doors.state(people[0]) == "seated"
    undone = programs.post(f"/bulks/{number}/undo")
    assert (undone.status_code, undone.json()["state"]) == (200, "taken_back")
    assert {programs.doors.state(one) for one in people} == {"awaiting"}
    problem(programs.post(f"/bulks/{number}/undo"), 422, "taken_back_already")
    assert {one["back"] for one in programs.get(f"/bulks/{number}").json()["items"]} == {"done"}


def test_what_is_left_is_done_by_the_worker(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [programs.doors.register("DIP", country="DE") for _ in range(3)]
    monkeypatch.setattr(deciding_many.go_on, "__kwdefaults__", {"most": 2})
    seen = prospect(programs, "act=decline&country=DE")
    begun = programs.post("/bulks", {"act": "decline", "of": {"country": "DE"}, "mark": seen["mark"]}).json()
    assert (begun["state"], begun["left"]) == ("doing", 1)
    site = programs.doors.site
    with clock.reading(lambda: NOW):
        assert many.go_on(Crew(site.settings, site.database, site.pen)) == 1
    found = programs.get(f"/bulks/{begun['id']}").json()
    assert (found["state"], found["left"], found["counts"]) == ("done", 0, {"declined": 3})
    assert {programs.doors.state(one) for one in people} == {"declined"}
    problem(programs.post(f"/bulks/{begun['id']}/undo"), 422, "not_reversible")


def test_many_are_marked_and_moved_one_by_one_named(programs: Programs) -> None:
    tag = programs.post("/tags", {**FRONT, "name": "Delegates"}).json()["id"]
    one, other = programs.doors.register("DIP"), programs.doors.register("DIP")
    chosen = f"code={one.code}&code={other.code}"
    seen = prospect(programs, f"act=tag&with_tag={tag}&{chosen}")
    sent = {"act": "tag", "with_tag": tag, "of": {"code": [one.code, other.code]}, "mark": seen["mark"]}
    number = programs.post("/bulks", sent).json()["id"]
    assert programs.get(f"/bulks/{number}").json()["with_tag"] == tag
    assert programs.get(f"/registrations/{one.code}/tags").json() == {"tags": [tag]}
    problem(programs.get(f"/bulks/prospect?act=tag&with_tag=99999&{chosen}"), 404)
    problem(programs.get(f"/bulks/prospect?act=tag&{chosen}"), 422, "invalid")
    problem(programs.get("/bulks/prospect?act=approve&code=NOSUCH"), 422, "nobody_chosen")
    problem(programs.get("/bulks/99"), 404)
    moved = prospect(programs, f"act=move&to=ORG&{chosen}")
    done = {"act": "move", "to": "ORG", "of": {"code": [one.code, other.code]}, "mark": moved["mark"]}
    assert programs.post("/bulks", done).status_code == 201
    assert programs.get(f"/registrations/{other.code}").json()["registration"]["category"] == "ORG"


def test_many_are_for_those_who_decide_and_needs_for_those_who_may_see_them(programs: Programs) -> None:
    problem(programs.get("/bulks/prospect?act=approve", "finance"), 403, "forbidden")
    problem(programs.get("/bulks/prospect?act=decline&needs=any", "registrar"), 403, "forbidden")
    many = {"act": "decline", "of": {"needs": "any"}, "mark": "0" * 32}
    problem(programs.post("/bulks", many, "registrar"), 403, "forbidden")
    programs.tokens["narrow"] = programs.token("registrar", scope=(Permission.DECIDE_REGISTRATIONS,))
    problem(programs.get("/bulks/prospect?act=decline", "narrow"), 403, "forbidden")


def test_the_answers_that_are_kept_name_nobody(programs: Programs) -> None:
    one = programs.doors.register(family_name="Keptname")
    programs.post(f"/registrations/{one.code}/notes", {"words": "Keptwords"})
    answers = table(GivenAnswer)
    with programs.doors.site.database.reading() as db:
        bodies = b"".join(db.execute(select(answers.c.body)).scalars())
    assert bodies
    for word in (b"Keptname", b"Keptwords", b"Pays later", b"Rivers"):
        assert word not in bodies
