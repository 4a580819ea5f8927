"""Lists as files for programs: what the desk gives, as what the caller takes, and each leaving is a fact once."""

import csv
import io
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import PERMISSIONS, Permission, Role
from app.api.giving import MEDIA, PDF
from app.kit.db import table as table_of
from app.kit.i18n import LANGS, text_of
from app.kit.models import GivenAnswer
from app.registration import erasing
from app.registration.exporting import COLUMNS
from app.reports.lists import BY_NAME, LISTS
from tests.api.programs import Programs
from tests.cast import NOW, SLUG, the_forum
from tests.doors import A_MAILING, ELSEWHERE
from tests.embassies import delegate

CSV, XLSX = "text/csv", MEDIA["xlsx"]
ROLES = tuple(role.value for role in Role)


@pytest.fixture(scope="module", autouse=True)
def _enrolled(programs: Programs) -> None:
    for role in Role:
        programs.enrol(role.value, role)


def names(name: str) -> list[str]:
    return [one.name for one in BY_NAME[name].columns]


def table(answer: Any) -> list[list[str]]:
    """The rows of a CSV, its headings first."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def facts(programs: Programs, *kinds: str) -> list[dict[str, Any]]:
    """What was done of these kinds, the newest first."""
    return [one for one in programs.get("/facts?limit=100").json()["items"] if one["kind"] in kinds]


@pytest.mark.parametrize("role", ROLES)
def test_a_list_is_for_exactly_those_who_may_take_it_and_so_are_its_columns(programs: Programs, role: str) -> None:
    may, before = PERMISSIONS[Role(role)], len(facts(programs, "list.exported"))
    offered = {one["name"]: one["columns"] for one in programs.get("/lists", role).json()["items"]}
    assert set(offered) == {one.name for one in LISTS if set(one.needs) <= may}
    taken = 0
    for listed in LISTS:
        guarded = [one.name for one in listed.columns if one.need and one.need not in may]
        wanted = [name for name in names(listed.name) if name not in guarded]
        answer = programs.post(f"/lists/{listed.name}/file", {"columns": wanted}, role, accept=CSV)
        if listed.name not in offered:
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), listed.name
            continue
        taken += 1
        assert [one["name"] for one in offered[listed.name]] == wanted
        assert table(answer)[0] == [text_of("en", f"lists.column.{name}") for name in wanted]
        if guarded:
            refused = programs.post(f"/lists/{listed.name}/file", {"columns": guarded}, role, accept=CSV)
            assert [one["code"] for one in refused.json()["errors"]] == ["not_a_choice"], listed.name
    assert len(facts(programs, "list.exported")) == before + taken


def test_a_scope_narrows_lists_and_their_columns(programs: Programs) -> None:
    programs.enrol("narrow", Role.OWNER, scope=(Permission.SEE_DESK, Permission.SEE_MAIL, Permission.SEE_PEOPLE))
    offered = {one["name"]: one["columns"] for one in programs.get("/lists", "narrow").json()["items"]}
    assert "outbox" in offered
    assert not {"registrations", "invitations", "facts", "colleagues"} & set(offered)
    assert not {"email", "name"} & {one["name"] for one in offered["outbox"]}
    assert programs.post("/lists/outbox/file", {"columns": ["email"]}, "narrow").status_code == 422
    assert programs.post("/registrations/file", {"columns": ["code"]}, "narrow").status_code == 403
    assert programs.post("/participants/file", {"language": "en", "group": "category"}, "narrow").status_code == 403


def test_a_list_is_the_one_that_the_desk_gives_and_its_fact_the_same(programs: Programs) -> None:
    programs.doors.register("DIP", family_name="=HYPERLINK(1)", institution="@embassy")
    sent = {"form": programs.doors.seal(f"/desk/{SLUG}/lists/rooms", "owner"), "columns": names("rooms"), "kind": "csv"}
    for lang in LANGS:
        by_form = programs.doors.post(f"/desk/{SLUG}/lists/rooms?lang={lang}", "owner", sent)
        answer = programs.post("/lists/rooms/file", {"columns": names("rooms")[::-1]}, accept=CSV, accept_language=lang)
        assert answer.content == by_form.content
        assert answer.headers["content-language"] == lang
        assert answer.headers["content-disposition"] == by_form.headers["content-disposition"]
        mine, theirs = facts(programs, "list.exported")[:2]
        assert mine["after"] == theirs["after"]
        assert (mine["actor_name"], theirs["actor_name"]) == ("Organiser Desk (API)", "Owner Desk")
    rows = table(programs.post("/registrations/file", {"columns": list(COLUMNS)}, accept=CSV))
    cells = [cell for row in rows for cell in row]
    assert "'=HYPERLINK(1)" in " ".join(cells)
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))], "nobody's text is computed"


def test_registrations_leave_as_they_are_asked_for_and_without_whoever_may_not_be_told(programs: Programs) -> None:
    quiet = programs.doors.register("DIP", attends_as="private", institution="A secret ministry", family_name="Quiet")
    wanted = {"state": "awaiting", "category": "DIP", "q": "Quiet", "columns": ["institution", "code"]}
    answer = programs.post("/registrations/file", wanted, "finance", accept=CSV)
    assert [row[0] for row in table(answer)[1:]] == [quiet.code], "columns stand in their own order"
    assert "secret ministry" not in answer.content.decode()
    fact = facts(programs, "people.exported")[0]
    assert fact["after"] == {"columns": ["code", "institution"], "people": 1, "state": "awaiting", "category": "DIP"}
    assert fact["personal"] == {"words": "Quiet"}
    further = programs.post("/registrations/file", {"columns": ["code"], "capacity": "private"}, "finance", accept=CSV)
    assert [quiet.code] in table(further)[1:]
    assert facts(programs, "people.exported")[0]["personal"] == {"question": "capacity=private"}
    needs = programs.post("/registrations/file", {"columns": ["code"], "needs": "any"}, "finance")
    assert (needs.status_code, needs.json()["code"]) == (403, "forbidden"), "who has needs is sensitive"
    assert programs.post("/registrations/file", {**wanted, "state": "sleeping"}, "finance").status_code == 422
    for columns, code in (([], "none_chosen"), (["meals"], "not_a_choice"), (["code", "code"], "not_a_choice")):
        refused = programs.post("/registrations/file", {"columns": columns}, "finance")
        assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [("#/columns", code)]
    assert len(facts(programs, "people.exported")) == 3, "what is refused leaves no fact"


def test_the_caller_says_as_what_a_file_comes(programs: Programs) -> None:
    body, before = {"columns": ["code"]}, len(facts(programs, "list.exported"))
    for accept, kind in (
        ("*/*", XLSX),
        ("", XLSX),
        ("text/*", CSV),
        (f"{CSV};q=0.5, {XLSX};q=0.4", CSV),
        (f"{CSV}, */*;q=0.1", CSV),
        (f"{XLSX};q=0, */*", CSV),
        (f"{CSV};q=0.5, {XLSX}", XLSX),
    ):
        answer = programs.post("/lists/rooms/file", body, accept=accept)
        assert answer.headers["content-type"].partition(";")[0] == kind, accept
    sheet = load_workbook(io.BytesIO(programs.post("/lists/rooms/file", body).content)).active
    assert sheet["A1"].value == text_of("en", "lists.column.code")
    for accept in ("application/json", PDF, f"{CSV};q=0", "text/html", "x" * 5000, "text/csv;q=0.000, */json"):
        refused = programs.post("/lists/rooms/file", body, accept=accept)
        assert (refused.status_code, refused.headers["content-type"]) == (406, "application/problem+json"), accept
    assert len(facts(programs, "list.exported")) == before + 8
    assert programs.get("/lists", accept=XLSX).status_code == 406


def test_sent_again_a_file_is_the_same_and_noted_once_or_it_is_refused(programs: Programs) -> None:
    body = {"columns": ["code", "listed_name"], "state": "awaiting"}
    key = {"accept": CSV, "idempotency_key": "people"}
    first, before = programs.post("/registrations/file", body, **key), len(facts(programs, "people.exported"))
    again = programs.post("/registrations/file", body, **key)
    assert (again.status_code, again.content) == (200, first.content)
    other = programs.post("/registrations/file", {**body, "columns": ["email"]}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "key_used")
    other = programs.post("/registrations/file", body, accept=XLSX, idempotency_key="people")
    assert (other.status_code, other.json()["code"]) == (422, "key_used"), "its fact says as what it left"
    one = programs.doors.register("DIP")
    late = programs.post("/registrations/file", body, **key)
    assert (late.status_code, late.json()["code"]) == (409, "file_changed"), "nothing leaves but what was noted"
    assert one.code not in late.text
    assert len(facts(programs, "people.exported")) == before
    assert programs.post("/registrations/file", body, accept=CSV, idempotency_key="").status_code == 400
    with programs.doors.site.database.reading() as db:
        kept = db.execute(select(table_of(GivenAnswer).c.body)).scalars().all()
    assert kept
    assert not [body for body in kept if b"Someone" in body], "an answer that is kept holds nobody"


def test_the_list_of_participants_is_given_out_and_a_final_one_again(programs: Programs) -> None:
    quiet = programs.doors.confirmed("INT", attends_as="private", institution="A secret ministry", family_name="Hushed")
    programs.doors.confirmed("INT", family_name="Loud")
    sent, final = {"language": "en", "group": "category"}, {"language": "en", "group": "category", "final": True}
    plain = programs.post("/participants/file", sent, "finance", accept=XLSX)
    text = " ".join(str(cell.value) for row in load_workbook(io.BytesIO(plain.content)).active for cell in row)
    assert "HUSHED" in text
    assert "secret ministry" not in text
    assert "provisional" in plain.headers["content-disposition"]
    assert programs.post("/participants/file", final, "finance").status_code == 403
    assert programs.get("/participants", "finance").json()["items"] == []
    first = programs.post("/participants/file", final, "protocol_officer", accept=PDF, idempotency_key="final")
    assert first.content.startswith(b"%PDF-")
    assert "participants-final-1-en.pdf" in first.headers["content-disposition"]
    again = programs.post("/participants/file", final, "protocol_officer", accept=PDF, idempotency_key="final")
    assert again.content == first.content
    kept = programs.get("/participants", "finance").json()["items"]
    assert [(one["number"], one["group"], one["all_live"]) for one in kept] == [(1, "category", False)]
    once_more = programs.post("/participants/1/file", None, "finance", accept=PDF)
    assert once_more.content == first.content
    done = [
        one["kind"] for one in facts(programs, "participants.provisional", "participants.final", "participants.again")
    ]
    assert done == ["participants.again", "participants.final", "participants.provisional"]
    programs.doors.write(SLUG, lambda db: erasing.erase(db, Actor.operator(), the_forum(db), quiet.code, now=NOW))
    late = programs.post("/participants/file", final, "protocol_officer", accept=PDF, idempotency_key="final")
    assert (late.status_code, late.json()["code"]) == (409, "file_changed")
    assert programs.post("/participants/1/file", None, "finance", accept=PDF).content != first.content
    assert programs.post("/participants/2/file", None, "finance").status_code == 404
    assert programs.post("/participants/1/file", None, "finance", accept=CSV).status_code == 406
    programs.enrol("there", Role.OWNER, slug=ELSEWHERE)
    assert programs.post(f"/api/v1/forums/{ELSEWHERE}/participants/1/file", None, "there").status_code == 404


def test_a_list_that_is_none_is_not_found(programs: Programs) -> None:
    for name in ("no-such-list", "registrations", "participants", "Rooms", "rooms.csv"):
        assert programs.post(f"/lists/{name}/file", {"columns": ["code"]}).status_code == 404, name


def test_who_chose_a_session_under_the_chatham_house_rule_is_told_by_no_answer_and_no_file(programs: Programs) -> None:
    one = programs.doors.confirmed("INT", family_name="Quietly")
    for session in ("D1-05", "D1-07"):  # on the record, and under the rule
        chosen = programs.post(f"/sign-ups/{session}/names", {"registration": one.code, "forced": True})
        assert chosen.status_code == 200, chosen.text
    assert one.code in programs.get("/sign-ups/D1-05/names").text
    refused = programs.get("/sign-ups/D1-07/names")
    assert (refused.status_code, refused.json()["code"]) == (403, "attendance_withheld")
    figures = {each["session"]: each["picked"] for each in programs.get("/sign-ups").json()["items"]}
    assert (figures["D1-05"], figures["D1-07"]) == (1, None)
    history = programs.get(f"/registrations/{one.code}").json()["history"]
    told = [each for each in programs.get("/facts?limit=100").json()["items"] if one.code in each["subject"]]
    rows = table(programs.post("/lists/facts/file", {"columns": names("facts")}, "owner", accept=CSV))
    in_file = [row for row in rows if f"registration:{one.code}" in row]
    for texts in (str(history), str(told), str(in_file)):
        assert ("D1-05" in texts, "D1-07" in texts) == (True, False)
    other = programs.doors.confirmed("INT", family_name="Quietly")
    compared = programs.get(f"/duplicates/{other.code}/{one.code}").json()
    assert compared["first"]["sessions"] == ["D1-05"]
    for session, status in (("D1-05", 200), ("D1-07", 403)):
        number = programs.post("/mailings", {**A_MAILING, "session": session}).json()["id"]
        assert programs.get(f"/mailings/{number}/people").status_code == status, session
        assert ("Quietly" in programs.get(f"/mailings/{number}/example").text) == (status == 200)


def test_the_file_of_the_log_says_of_nobody_what_a_private_capacity_keeps(programs: Programs) -> None:
    someone = delegate(5, email="apart@crowd.example", attends_as="private", institution="A secret ministry")
    party = programs.doors.delegate(someone, seats=2)
    private = party.people[0]
    rows = table(programs.post("/lists/facts/file", {"columns": names("facts")}, "owner", accept=CSV))
    theirs = [row for row in rows if f"registration:{private}" in row]
    assert theirs
    assert party.code not in str(theirs)
