"""Numbers tried through the API: what they would do is said, and what saving them would refuse; nothing is written."""

from typing import Any

import pytest

from app.accounts.rules import Permission, Role
from tests.api.programs import Programs
from tests.doors import ELSEWHERE


@pytest.fixture(scope="module")
def numbers(programs: Programs) -> dict[str, Any]:
    """The numbers, whose hall is full for two who wait."""
    seen = programs.get("/numbers")
    numbers: dict[str, Any] = seen.json()
    seated = programs.doors.register("STU").code
    taken = sum(row["taken"] for row in programs.get("/categories").json()["categories"] if row["in_hall"])
    full = {**numbers["terms"], "capacity": taken, "target": taken, "promotion": "seat"}
    none = [{**row, "guarantee": 0} for row in numbers["categories"]]
    body = {"terms": full, "categories": none}
    done = programs.put("/numbers", body, if_match=seen.headers["etag"])
    assert done.status_code == 200, done.text
    body["waiting"] = [programs.doors.register("STU").code for _ in range(2)]
    body["seated"] = seated
    return body


def trial(programs: Programs, numbers: dict[str, Any], by: str = "organiser", **changes: Any) -> Any:
    categories = [{**row, **changes.get(row["code"], {})} for row in numbers["categories"]]
    terms = {**numbers["terms"], **changes.get("terms", {})}
    return programs.post("/numbers/trial", {"terms": terms, "categories": categories}, by)


def test_what_other_numbers_would_do_is_said_and_nothing_is_done(programs: Programs, numbers: dict[str, Any]) -> None:
    before = programs.doors.rows()
    capacity = numbers["terms"]["capacity"]
    same = trial(programs, numbers).json()
    assert (same["given"], same["waiting"], same["over"]) == ([], numbers["waiting"], [])
    one_more = trial(programs, numbers, terms={"capacity": capacity + 1}).json()
    assert (one_more["given"], one_more["waiting"]) == (numbers["waiting"][:1], numbers["waiting"][1:])
    (students,) = [row for row in one_more["categories"] if row["code"] == "STU"]
    assert (students["given"], students["waiting"]) == (1, 1)
    less = trial(programs, numbers, terms={"capacity": capacity - 1, "target": 0}, STU={"limit": 0}).json()
    assert {"code": "over_capacity", "category": None, "seats": 1} in less["over"]
    assert {"code": "over_limit", "category": "STU", "seats": students["taken"]} in less["over"]
    assert numbers["seated"] in less["losing"]
    assert programs.doors.rows() == before
    # what was said is what saving does
    more = {**numbers["terms"], "capacity": capacity + 1}
    programs.put("/numbers", {"terms": more, "categories": numbers["categories"]}, if_match="*")
    assert programs.get(f"/registrations/{numbers['waiting'][0]}").json()["registration"]["state"] == "seated"


def test_people_are_named_to_those_who_may_see_them(programs: Programs, numbers: dict[str, Any]) -> None:
    programs.tokens["blind"] = programs.token("organiser", scope=(Permission.SEE_DESK, Permission.EDIT_FORUM))
    told = trial(programs, numbers, "blind", terms={"capacity": numbers["terms"]["capacity"] + 2}).json()
    assert [told[who] for who in ("given", "waiting", "gaining", "losing")] == [None] * 4
    states = [programs.get(f"/registrations/{code}").json()["registration"]["state"] for code in numbers["waiting"]]
    assert sum(row["given"] for row in told["categories"]) == states.count("waiting") > 0, "both, or one by now"
    programs.enrol("elsewhere", Role.ORGANISER, slug=ELSEWHERE)
    assert trial(programs, numbers, "elsewhere").status_code == 404


def test_numbers_that_contradict_each_other_are_refused_as_saving_them_is(
    programs: Programs, numbers: dict[str, Any]
) -> None:
    before = programs.doors.rows()
    categories, terms = numbers["categories"], numbers["terms"]
    inside = [row for row in categories if row["in_hall"]]
    for sent in (
        {"terms": terms, "categories": [{**row, "guarantee": 5, "limit": 3} for row in inside]},
        {"terms": {**terms, "capacity": 1}, "categories": [{**row, "guarantee": 9} for row in inside]},
        {"terms": terms, "categories": [*categories, categories[0]]},
        {"terms": terms, "categories": []},
        {"terms": terms, "categories": [row for row in categories if row["code"] != "STU"]},
        {
            "terms": terms,
            "categories": [{**row, "in_hall": row["code"] != "STU" and row["in_hall"]} for row in categories],
        },
        {"terms": {**terms, "capacity": -1}, "categories": categories},
        {"terms": terms},
    ):
        saved = programs.put("/numbers", sent, if_match="*")
        tried = programs.post("/numbers/trial", sent)
        assert saved.status_code == 422, sent
        assert (tried.status_code, tried.json()["code"]) == (saved.status_code, saved.json()["code"]), sent
        assert tried.json().get("errors") == saved.json().get("errors")
    assert programs.doors.rows() == before
