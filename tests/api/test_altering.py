"""Several sessions at once through the API: looked at first, then done just so, and taken back as a whole."""

from typing import Any

import pytest
from sqlalchemy import update

from app.accounts.rules import Permission, Role
from app.forum.models import Forum
from app.kit.db import Db, table
from app.kit.sheets import csv_file, read_file, workbook
from tests.api.programs import Programs
from tests.cast import SLUG
from tests.doors import ELSEWHERE

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NAMES = ["code", "type", "title_en", "title_km", "room", "date", "start", "end"]
NEW = ["Q-01", "panel", "One more", "មួយទៀត", "press-room", "2027-03-23", "22:00", "22:30"]


@pytest.fixture(scope="module")
def desk(programs: Programs) -> Programs:
    programs.enrol("viewer", Role.VIEWER)
    programs.enrol("elsewhere", Role.ORGANISER, slug=ELSEWHERE)
    programs.tokens["narrow"] = programs.token("organiser", scope=(Permission.SEE_DESK,))
    return programs


def look(desk: Programs, *rows: list[str], by: str = "organiser", names: list[str] = NAMES, **headers: str) -> Any:
    return send(desk, csv_file(names, rows), by=by, **headers)


def send(desk: Programs, body: bytes, kind: str = CSV, by: str = "organiser", **headers: str) -> Any:
    return desk.post("/programme/import/trial", body, by, content_type=kind, **headers)


def accept(desk: Programs, seen: Any, by: str = "organiser", *, reason: str = "", **headers: str) -> Any:
    body = {"table": seen["table"], "mark": seen["alteration"]["mark"], "reason": reason}
    return desk.post("/programme/import", body, by, **headers)


def codes(desk: Programs) -> list[str]:
    return [one["session"]["code"] for one in desk.get("/sessions").json()["items"]]


def test_a_table_is_looked_at_imported_once_and_taken_back_as_a_whole(desk: Programs) -> None:
    before = desk.doors.rows()
    seen = look(desk, NEW)
    assert seen.status_code == 200, seen.text
    told = seen.json()
    (change,) = told["alteration"]["changes"]
    assert (change["kind"], change["code"], change["row"], change["before"]) == ("new", "Q-01", 2, None)
    assert change["after"]["starts_at"] == "2027-03-23T15:00:00Z"
    assert (told["faults"], told["wrong"], told["alteration"]["can_be_done"]) == ([], 0, True)
    assert desk.doors.rows() == before, "nothing is written before it is imported"
    done = accept(desk, told, idempotency_key="import-1")
    assert done.status_code == 200, done.text
    again = accept(desk, told, idempotency_key="import-1")
    assert again.content == done.content
    late = accept(desk, told)
    assert (late.status_code, late.json()["code"]) == (409, "working_copy_changed")
    assert codes(desk).count("Q-01") == 1
    number = done.json()["number"]
    (edit,) = [one for one in desk.get("/edits").json()["items"] if one["code"] == "Q-01"]
    assert (edit["kind"], edit["together"]) == ("imported", number)
    made = desk.get(f"/edits/together/{number}").json()
    assert (made["kind"], made["by_name"].endswith("(API)"), made["since"]) == ("imported", True, [])
    assert [one["kind"] for one in made["alteration"]["changes"]] == ["removed"]
    back = desk.post(f"/edits/together/{number}/undo", {"mark": made["alteration"]["mark"]})
    assert back.json()["sessions"] == 1
    assert "Q-01" not in codes(desk)
    empty = desk.get(f"/edits/together/{number}").json()["alteration"]
    assert (empty["changes"], empty["can_be_done"]) == ([], False)
    nothing = desk.post(f"/edits/together/{number}/undo", {"mark": empty["mark"]})
    assert (nothing.status_code, nothing.json()["code"]) == (422, "nothing_differs")


@pytest.mark.parametrize("kind", [CSV, XLSX])
def test_the_programme_goes_out_and_comes_back_with_what_was_edited_alone(desk: Programs, kind: str) -> None:
    ending = "csv" if kind == CSV else "xlsx"
    table = desk.get(f"/programme/table?kind={ending}", accept=kind)
    assert table.headers["content-type"].startswith(kind)
    assert table.headers["content-disposition"] == f'attachment; filename="programme.{ending}"'
    same = send(desk, table.content, kind).json()
    assert (same["alteration"]["changes"], same["table"], same["unchanged"]) == ([], None, len(codes(desk)))
    rows = [cells for _, cells in read_file(table.content)]
    width = len(rows[0])
    (row,) = [cells for cells in rows if cells[0] == "D1-04"]
    row[rows[0].index(rows[0][2])] = f"Edited as {ending}"
    edited = [cells + [""] * (width - len(cells)) for cells in rows]
    body = csv_file(edited[0], edited[1:]) if kind == CSV else workbook(edited[0], edited[1:], "x")
    seen = send(desk, body, kind).json()
    (change,) = seen["alteration"]["changes"]
    assert (change["kind"], change["code"]) == ("changed", "D1-04")
    assert accept(desk, seen).status_code == 200
    assert desk.get("/sessions/D1-04").json()["session"]["title"]["en"] == f"Edited as {ending}"


def test_what_a_spreadsheet_would_compute_goes_out_guarded_and_comes_back_as_it_was(desk: Programs) -> None:
    draft = desk.get("/sessions/D1-07").json()["session"]
    for title in ("=1+1", "＝1+1", "＠home", "'=quoted"):
        sent = {"session": {**draft, "title": {"en": title, "km": "ក"}}}
        assert desk.put("/sessions/D1-07", sent, if_match="*").status_code == 200
        at_the_desk = desk.doors.get(f"/desk/{SLUG}/programme/import/programme.csv", "organiser").content
        for file in (desk.get("/programme/table").content, at_the_desk):
            (cell,) = [cells[2] for _, cells in read_file(file) if cells[0] == "D1-07"]
            assert cell == f"'{title}"
            assert send(desk, file).json()["alteration"]["changes"] == [], title
    assert desk.put("/sessions/D1-07", {"session": draft}, if_match="*").status_code == 200


def test_what_is_wrong_is_told_by_row_and_column_and_nothing_can_be_imported(desk: Programs) -> None:
    before = desk.doors.rows()
    wrong = ["Q-02", "panel", "=1+1", "ក", "nowhere", "2027-03-23", "", "26:00"]
    told = look(desk, NEW, wrong).json()
    assert (told["alteration"], told["table"], told["wrong"]) == (None, None, len(told["faults"]))
    assert {(one["letter"], one["row"], one["code"]) for one in told["faults"]} >= {
        ("C", 3, "formula"),
        ("E", 3, "not_known_word"),
        ("G", 3, "missing"),
    }
    khmer = look(desk, wrong, accept_language="km").json()["faults"][0]["detail"]
    assert any("\u1780" <= letter <= "\u17ff" for letter in khmer)
    many = look(desk, *([f"Q-{n}", "nothing", "", "", "nowhere"] for n in range(300))).json()
    assert (len(many["faults"]), many["wrong"] >= 900) == (200, True)
    ignored = look(desk, [*NEW, "x"], names=[*NAMES, "colour"]).json()
    assert ignored["ignored"] == ["colour"]
    assert desk.doors.rows() == before


def test_a_table_that_cannot_be_read_is_refused_as_at_the_desk(desk: Programs) -> None:
    before = desk.doors.rows()
    for body, kind, said in (
        (b"", CSV, "table_empty"),
        (b"a,b\r\n1,2", CSV, "table_no_header"),
        (b"code,title_en,title_en\r\n1,2,3", CSV, "table_column_twice"),
        (b"\xd0\xcf\x11\xe0 old", XLSX, "old_office"),
        (b"PK\x03\x04 broken", XLSX, "list_unreadable"),
        (b"\xff\xfe\x00", CSV, "list_encoding"),
        (b"code,title_en\r\n" + b"x" * 1_000_000, CSV, "list_too_large"),
        (csv_file(NAMES, [[f"Q-{n}", "panel", "a", "ក"] for n in range(1001)]), CSV, "table_too_long"),
    ):
        answer = send(desk, body, kind)
        assert (answer.status_code, answer.json()["code"]) == (422, said)
    assert send(desk, b"x" * 1_100_000).status_code == 413
    assert send(desk, b"{}", "application/json").status_code == 415
    assert desk.doors.rows() == before


def test_what_was_not_looked_at_is_not_imported(desk: Programs) -> None:
    seen = look(desk, NEW).json()
    other = look(desk, [*NEW[:2], "Another title", *NEW[3:]]).json()
    before = desk.doors.rows()
    crossed = accept(desk, {"table": other["table"], "alteration": seen["alteration"]})
    assert (crossed.status_code, crossed.json()["code"]) == (409, "working_copy_changed")
    spoilt = [seen["table"][:-1] + "x", seen["table"][1:], "eJw.x", "x" * 500, "\u1780.\u1780"]
    for text in spoilt:
        answer = accept(desk, {**seen, "table": text})
        assert (answer.status_code, answer.json()["code"]) == (422, "table_spoilt"), text
    at = f"/api/v1/forums/{ELSEWHERE}/programme/import"
    theirs = desk.post(at, {"table": seen["table"], "mark": seen["alteration"]["mark"]}, "elsewhere")
    assert (theirs.status_code, theirs.json()["code"]) == (422, "table_spoilt"), "sealed for one forum alone"
    assert desk.doors.rows() == before


def test_conflicts_that_a_table_makes_take_a_reason(desk: Programs) -> None:
    taken = desk.get("/sessions/D1-05").json()["session"]
    desk_row = ["Q-03", "panel", "In the way", "ជាប់", taken["room"], "2027-03-23", "09:00", "18:00"]
    seen = look(desk, desk_row).json()
    assert "room_taken" in {one["kind"] for one in seen["alteration"]["conflicts"]}
    refused = accept(desk, seen)
    assert (refused.status_code, refused.json()["code"]) == (422, "new_conflicts")
    done = accept(desk, seen, reason="The hall is divided")
    assert done.status_code == 200, done.text
    reasons = [
        one["reason"] for one in desk.get("/conflicts").json()["items"] if "Q-03" in one["codes"] and one["hard"]
    ]
    assert "The hall is divided" in reasons
    made = desk.get(f"/edits/together/{done.json()['number']}").json()
    assert desk.post(f"/edits/together/{made['number']}/undo", {"mark": made["alteration"]["mark"]}).status_code == 200


def test_a_version_comes_back_as_it_was_looked_at(desk: Programs) -> None:
    latest = desk.get("/programme").json()["number"]
    session = desk.get("/sessions/D1-06")
    draft = {**session.json()["session"], "title": {"en": "Other words", "km": "ពាក្យផ្សេង"}}
    assert desk.put("/sessions/D1-06", {"session": draft}, if_match="*").status_code == 200
    added = {"code": "EX-07", "type": "panel", "title": {"en": "New", "km": "ថ្មី"}, "attribution": "REC"}
    assert desk.post("/sessions", {"session": added}).status_code == 201
    here = f"/versions/{latest}/return"
    left, out = (desk.get(f"{here}?since={since}").json() for since in ("leave", "take_out"))
    kinds = [{one["code"]: one["kind"] for one in seen["changes"]} for seen in (left, out)]
    assert kinds[0]["D1-06"] == kinds[1]["D1-06"] == "changed"
    assert ("EX-07" in kinds[0], kinds[1]["EX-07"]) == (False, "removed")
    crossed = desk.post(here, {"mark": left["mark"], "since": "take_out"})
    assert (crossed.status_code, crossed.json()["code"]) == (409, "working_copy_changed")
    done = desk.post(here, {"mark": out["mark"], "since": "take_out"})
    assert done.json()["sessions"] == len(out["changes"])
    assert desk.get("/sessions/D1-06").json()["session"]["title"] == session.json()["session"]["title"]
    assert desk.get("/sessions/EX-07").status_code == 404
    assert desk.get("/programme").json()["number"] == latest, "nothing is published by it"
    for number in (latest + 1, 2**31 - 1):
        assert desk.get(f"/versions/{number}/return").status_code == 404
        assert desk.post(f"/versions/{number}/return", {"mark": out["mark"]}).status_code == 404
    assert desk.get(f"{here}?since=whatever").status_code == 422


def test_another_editions_programme_is_copied_by_whoever_has_a_token_for_each(desk: Programs) -> None:
    desk.enrol("both", Role.PROGRAMME_EDITOR)
    desk.enrol("both", Role.VIEWER, slug=ELSEWHERE)
    there, here = desk.tokens["both"], desk.token("both")
    desk.tokens["both"] = here
    asked = {"source": ELSEWHERE, "first_day": "2027-05-01", "speakers": True}
    look_at = "/programme/copy?" + "&".join(f"{name}={str(value).lower()}" for name, value in asked.items())
    seen = desk.get(look_at, "both", source_token=there)
    assert seen.status_code == 200, seen.text
    alteration = seen.json()["alteration"]
    new = {one["code"] for one in alteration["changes"]}
    assert {one["kind"] for one in alteration["changes"]} == {"new"}
    assert not any(one["after"]["attribution"] == "CLO" for one in alteration["changes"])
    with_closed = desk.get(f"{look_at}&closed=true", "both", source_token=there).json()["alteration"]
    assert any(one["after"]["attribution"] == "CLO" for one in with_closed["changes"])
    narrow = desk.token("both", scope=(Permission.SEE_DESK,))
    before, sent = desk.doors.rows(), {**asked, "mark": alteration["mark"], "reason": "As arranged"}
    strangers = {
        "none": "",
        "that of the same forum": here,
        "somebody else's": desk.tokens["elsewhere"],
        "none that is good": f"{there[:-1]}{'a' if there[-1] != 'a' else 'b'}",
        "no token": "x" * 200,
    }
    for whose, token in strangers.items():
        assert desk.get(look_at, "both", source_token=token).status_code == 404, whose
        assert desk.post("/programme/copy", sent, "both", source_token=token).status_code == 404, whose
    # a second token lets its user see, and never do
    at = f"/api/v1/forums/{ELSEWHERE}/programme/copy"
    turned = {**sent, "source": SLUG}
    desk.tokens["there"] = there
    assert desk.post(at, turned, "there", source_token=here).status_code == 403
    desk.tokens["both"] = narrow
    assert desk.post("/programme/copy", sent, "both", source_token=there).status_code == 403
    desk.tokens["both"] = here
    assert desk.doors.rows() == before
    done = desk.post("/programme/copy", sent, "both", source_token=there)
    assert (done.status_code, done.json()["sessions"]) == (200, len(new)), done.text
    assert new <= set(codes(desk))
    late = desk.post("/programme/copy", sent, "both", source_token=there)
    assert (late.status_code, late.json()["code"]) == (409, "working_copy_changed")


def test_a_second_token_opens_no_forum_that_asks_for_a_second_factor(desk: Programs) -> None:
    there = desk.token("both", slug=ELSEWHERE)

    def ask_for_one(asks: bool) -> None:
        def deed(db: Db) -> None:
            db.execute(update(table(Forum)).where(table(Forum).c.slug == ELSEWHERE).values(second_factor=asks))

        desk.doors.write(ELSEWHERE, deed)

    look_at = f"/programme/copy?source={ELSEWHERE}&first_day=2027-06-01"
    ask_for_one(True)
    refused = desk.get(look_at, "both", source_token=there)
    ask_for_one(False)
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")
    assert desk.get(look_at, "both", source_token=there).status_code == 200


def test_who_may_not_edit_learns_and_changes_nothing(desk: Programs) -> None:
    seen = look(desk, NEW).json()
    done = accept(desk, seen).json()
    made = desk.get(f"/edits/together/{done['number']}").json()["alteration"]
    before = desk.doors.rows()
    for by, status in (("viewer", 403), ("narrow", 403), ("elsewhere", 404)):
        for answer in (
            send(desk, b"x" * 900_000, by=by),
            accept(desk, seen, by),
            desk.get("/programme/table", by),
            desk.get(f"/edits/together/{done['number']}", by),
            desk.post(f"/edits/together/{done['number']}/undo", {"mark": made["mark"]}, by),
            desk.get("/versions/1/return", by),
            desk.post("/versions/1/return", {"mark": made["mark"]}, by),
        ):
            assert answer.status_code == status, (by, answer.request.url)
            assert SLUG not in answer.text
    theirs = f"/api/v1/forums/{ELSEWHERE}/edits/together/{done['number']}"
    assert desk.get(theirs, "elsewhere").status_code == 404
    assert desk.doors.rows() == before


def test_why_a_conflict_may_stand_is_said_of_the_conflict_as_it_is_listed(programs: Programs) -> None:
    first = programs.get("/sessions/D1-04").json()["session"]
    twice = {**first, "code": "EX-77", "title": {"en": "At the same time", "km": "ក្នុងពេលតែមួយ"}}
    assert programs.post("/sessions", {"session": twice, "reason": "For now"}).status_code == 201
    there = next(one for one in programs.get("/conflicts").json()["items"] if one["hard"] and "EX-77" in one["codes"])
    named = {name: there[name] for name in ("kind", "codes", "where")}
    done = programs.post("/conflicts/reasons", {**named, "reason": "The hall is divided"})
    assert done.status_code == 200, done.text
    again = [one for one in programs.get("/conflicts").json()["items"] if {**one, **named} == one]
    assert [one["reason"] for one in again] == ["The hall is divided"]
    wrong = programs.post("/conflicts/reasons", {**named, "codes": ["D1-04", "NONE"], "reason": "x"})
    assert (wrong.status_code, wrong.json()["code"]) == (404, "no_such_conflict")
    seen = programs.get("/sessions/EX-77").headers["etag"]
    assert programs.ask("DELETE", "/sessions/EX-77", "organiser", if_match=seen).status_code == 204
