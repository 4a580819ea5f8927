"""Precedence and the head table for programs: as at the desk, in order, and in private capacity without an office."""

from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.forum.queries import forum_id
from app.registration.rank_queries import ladder_of, people_in_order
from tests.api.programs import Programs
from tests.cast import the_forum
from tests.doors import ELSEWHERE

RUNG = {"name": {"en": "Doyens", "km": "បុព្វបុរស"}, "titles": ["Doyen"], "heads": False}


@pytest.fixture(scope="module", autouse=True)
def _enrolled(programs: Programs) -> None:
    programs.enrol("protocol", Role.PROTOCOL_OFFICER)
    programs.enrol("finance", Role.FINANCE)


def order(programs: Programs, by: str = "finance") -> list[dict[str, Any]]:
    return list(programs.get("/precedence?limit=100", by).json()["items"])


def test_the_order_is_the_desks_and_comes_in_parts(programs: Programs) -> None:
    for name, category in (("Aaa", "INT"), ("Bbb", "STU"), ("Ccc", "INT"), ("Ddd", "INT")):
        programs.doors.confirmed(category, family_name=name)
    with programs.doors.site.database.reading() as db:
        ladder = ladder_of(db, forum_id(the_forum(db)))
        there = [one.row.code for one in people_in_order(db, Actor.operator(), the_forum(db), ladder)]
    shown = order(programs)
    assert [one["code"] for one in shown] == there
    assert [one["place"] for one in shown] == list(range(1, len(there) + 1))
    address, seen = "/precedence?limit=3", []
    while address:
        part = programs.get(address, "finance").json()
        seen += [one["code"] for one in part["items"]]
        address = f"/precedence?limit=3&after={part['after']}" if part["after"] else ""
    assert seen == there
    assert programs.get("/precedence?after=NOSUCH", "finance").status_code == 404


def test_whoever_attends_for_themselves_stands_without_institution_function_and_delegation(programs: Programs) -> None:
    one = programs.doors.confirmed(
        "INT", attends_as="private", institution="A secret ministry", position_title="Director", family_name="Quiet"
    )
    for address in ("/precedence?limit=100", f"/registrations/{one.code}/precedence", "/head-table"):
        text = programs.get(address, "protocol").text
        assert "secret ministry" not in text
        assert "Director" not in text
    line = next(each for each in order(programs) if each["code"] == one.code)
    assert (line["attends_as"], line["institution"], line["heads_delegation"]) == ("private", "", False)


def test_a_rung_is_added_placed_changed_and_removed(programs: Programs) -> None:
    usual = programs.get("/ladder", "finance").json()
    assert usual["is_usual"]
    made = programs.post("/rungs", RUNG, "protocol")
    assert made.status_code == 201, made.text
    code = made.json()["code"]
    seen = programs.get(f"/rungs/{code}", "finance")
    assert programs.get("/ladder").json()["rungs"][-1] == seen.json()
    assert programs.post(f"/rungs/{code}/place", {"up": True}, "protocol").json() == {"changed": True}
    assert programs.get("/ladder").json()["rungs"][-2]["code"] == code
    wanted = {**seen.json()["rung"], "titles": ["Doyen", "The doyen"]}
    done = programs.put(f"/rungs/{code}", wanted, "protocol", if_match=seen.headers["etag"])
    assert done.json()["rung"]["titles"] == ["Doyen", "The doyen"]
    stale = programs.put(f"/rungs/{code}", wanted, "protocol", if_match=seen.headers["etag"])
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    wrong = programs.put(f"/rungs/{code}", {**RUNG, "categories": ["NONE"]}, "protocol", if_match="*")
    assert wrong.json()["errors"][0]["code"] == "unknown_category"
    assert programs.post("/ladder/alphabet", {"alphabet": "fr"}, "protocol").json() == {"changed": True}
    assert programs.get("/ladder").json()["alphabet"] == "fr"
    for other in usual["rungs"]:
        same = programs.get(f"/rungs/{other['code']}")
        answer = programs.put(f"/rungs/{other['code']}", other["rung"], "protocol", if_match=same.headers["etag"])
        assert (answer.status_code, answer.json()["rung"]) == (200, other["rung"])
    gone = programs.ask("DELETE", f"/rungs/{code}", "protocol", if_match=done.headers["etag"])
    assert gone.status_code == 204
    assert programs.get(f"/rungs/{code}").status_code == 404


def test_a_person_is_put_on_a_rung_with_a_reason(programs: Programs) -> None:
    one = programs.doors.confirmed("STU", family_name="Placed")
    top, address = programs.get("/ladder").json()["rungs"][0]["code"], f"/registrations/{one.code}/precedence"
    seen = programs.get(address, "protocol")
    assert (seen.json()["rung"], seen.json()["put"]) == ("", False)
    tag = {"if_match": seen.headers["etag"]}
    silent = programs.put(address, {"rung": top}, "protocol", **tag)
    assert [(fault["pointer"], fault["code"]) for fault in silent.json()["errors"]] == [("#/reason", "missing")]
    assert programs.put(address, {"rung": top, "reason": "x"}, "finance", **tag).status_code == 403
    done = programs.put(address, {"rung": top, "reason": "Speaks for the King"}, "protocol", **tag)
    assert (done.json()["stands_on"], done.json()["put"]) == (top, True), done.text
    line = next(each for each in order(programs) if each["code"] == one.code)
    assert (line["rung"], line["put"]) == (top, True)
    kept = programs.ask("DELETE", f"/rungs/{top}", "protocol", if_match="*")
    assert (kept.status_code, kept.json()["code"]) == (422, "rung_used")
    assert programs.put(address, {"rung": ""}, "protocol", **tag).status_code == 412
    back = programs.put(address, {"rung": ""}, "protocol", if_match=done.headers["etag"])
    assert back.json() == seen.json()


def test_the_table_is_set_in_order_and_two_seats_are_exchanged(programs: Programs) -> None:
    codes = [one["code"] for one in order(programs)][:4]
    seen = programs.get("/head-table", "finance")
    assert seen.json()["edition"] == 0
    sent = {"seats": 4, "shape": "row", "guests": codes[1:], "host": codes[0]}
    assert programs.put("/head-table", sent, "finance", if_match=seen.headers["etag"]).status_code == 403
    done = programs.put("/head-table", sent, "protocol", if_match=seen.headers["etag"])
    at = {one["seat"]: one["guest"] and one["guest"]["code"] for one in done.json()["at"]}
    assert at == {0: codes[0], 1: codes[1], 2: codes[2], 3: codes[3], 4: None}
    assert done.json()["head"] == [3, 1, 0, 2, 4]
    assert programs.put("/head-table", sent, "protocol", if_match=seen.headers["etag"]).status_code == 412
    swap = {"first": 1, "second": 2, "reason": "The doyen first", "edition": done.json()["edition"]}
    assert programs.post("/head-table/exchange", swap, "protocol").json() == {"changed": True}
    late = programs.post("/head-table/exchange", swap, "protocol")
    assert (late.status_code, late.json()["code"]) == (409, "table_changed")
    now = programs.get("/head-table", "finance")
    assert [one["guest"]["code"] for one in now.json()["at"][1:3]] == [codes[2], codes[1]]
    assert "The doyen first" not in now.text
    full = programs.put("/head-table", {**sent, "seats": 2}, "protocol", if_match="*")
    assert [(fault["pointer"], fault["code"]) for fault in full.json()["errors"]] == [("#/guests", "table_full")]


def test_what_is_of_another_forum_is_no_choice_here(programs: Programs) -> None:
    theirs = programs.doors.register("INT", slug=ELSEWHERE).code
    programs.enrol("there", Role.OWNER, slug=ELSEWHERE)
    rung = programs.post(f"/api/v1/forums/{ELSEWHERE}/rungs", RUNG, "there").json()["code"]
    before = programs.doors.rows()
    for address in (f"/registrations/{theirs}/precedence", f"/rungs/{rung}"):
        assert programs.get(address, "protocol").status_code == 404
    assert programs.put(f"/registrations/{theirs}/precedence", {}, "protocol", if_match="*").status_code == 404
    assert programs.put(f"/rungs/{rung}", RUNG, "protocol", if_match="*").status_code == 404
    assert programs.ask("DELETE", f"/rungs/{rung}", "protocol", if_match="*").status_code == 404
    table = {"seats": 4, "shape": "row", "guests": [theirs], "host": ""}
    answer = programs.put("/head-table", table, "protocol", if_match="*")
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [("#/guests", "not_a_choice")]
    mine = order(programs)[0]["code"]
    put = programs.put(f"/registrations/{mine}/precedence", {"rung": rung, "reason": "x"}, "protocol", if_match="*")
    assert [(fault["pointer"], fault["code"]) for fault in put.json()["errors"]] == [("#/rung", "not_a_choice")]
    assert programs.doors.rows() == before
