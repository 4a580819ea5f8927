"""Who may do what by a token: every operation of the document against every role."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from app.accounts.rules import PERMISSIONS, Permission, Role
from app.registration.changing_settings import NAMES
from tests.api.programs import BASE, Programs
from tests.breadth import some
from tests.cast import SLUG
from tests.kit.test_pictures import picture
from tests.papers import make_material, pdf
from tests.registration.asked import PDF, send_file

ROLES = tuple(role.value for role in Role)
SEE, PEOPLE, DECIDE = Permission.SEE_DESK, Permission.SEE_PEOPLE, Permission.DECIDE_REGISTRATIONS
EDIT, FORUM, ACCESS = Permission.EDIT_PROGRAMME, Permission.EDIT_FORUM, Permission.MANAGE_ACCESS
EXPORT, PROTOCOL = Permission.EXPORT_PEOPLE, Permission.EDIT_PROTOCOL
TAKES: dict[str, Permission] = {
    "get_forum": SEE,
    "get_token": SEE,
    "get_categories": SEE,
    "get_numbers": FORUM,
    "put_numbers": FORUM,
    "list_hold_backs": PEOPLE,
    "keep_back": DECIDE,
    "change_release": DECIDE,
    "release": DECIDE,
    "list_registrations": PEOPLE,
    "get_registration": PEOPLE,
    "get_answer_file": PEOPLE,
    "enter_registration": DECIDE,
    "approve": DECIDE,
    "decline": DECIDE,
    "cancel": DECIDE,
    "move": DECIDE,
    "confirm": DECIDE,
    "seat_beyond": Permission.SEAT_OVER_LIMITS,
    "seat_held_back": DECIDE,
    "set_priority": DECIDE,
    "erase": DECIDE,
    "list_invitations": PEOPLE,
    "get_invitation": PEOPLE,
    "invite": DECIDE,
    "make_code": DECIDE,
    "send_invitation_again": DECIDE,
    "renew_invitation": DECIDE,
    "set_reply_date": DECIDE,
    "withdraw_invitation": DECIDE,
    "list_delegations": PEOPLE,
    "get_delegation": PEOPLE,
    "invite_delegation": DECIDE,
    "correct_delegation": DECIDE,
    "resize_delegation": DECIDE,
    "hand_back": DECIDE,
    "write_to_delegation_again": DECIDE,
    "renew_delegation": DECIDE,
    "withdraw_delegation": DECIDE,
    "share_evenly": DECIDE,
    "get_programme": SEE,
    "list_sessions": SEE,
    "get_session": SEE,
    "create_session": EDIT,
    "change_session": EDIT,
    "remove_session": EDIT,
    "move_session": EDIT,
    "restore_session": EDIT,
    "list_versions": SEE,
    "get_version": SEE,
    "get_pending": SEE,
    "publish_version": Permission.PUBLISH_PROGRAMME,
    "list_speakers": SEE,
    "get_speaker": SEE,
    "add_speaker": EDIT,
    "change_speaker": EDIT,
    "remove_speaker": EDIT,
    "list_rooms": SEE,
    "get_room": SEE,
    "add_room": FORUM,
    "change_room": FORUM,
    "remove_room": FORUM,
    "list_mails": Permission.SEE_MAIL,
    "try_mail_again": Permission.SEND_MAIL,
    "list_facts": Permission.SEE_FACTS,
    "list_people": ACCESS,
    "give_role": ACCESS,
    "take_role": ACCESS,
    "invite_colleague_again": ACCESS,
    "withdraw_colleague": ACCESS,
    "ask_speaker": EDIT,
    "renew_speakers_link": EDIT,
    "withdraw_asking": EDIT,
    "erase_asking": EDIT,
    "place_room": FORUM,
    "list_edits": EDIT,
    "undo_edit": EDIT,
    "return_to_edit": EDIT,
    "list_conflicts": SEE,
    "explain_conflict": EDIT,
    "list_questions": FORUM,
    "get_question": FORUM,
    "add_question": FORUM,
    "change_question": FORUM,
    "place_question": FORUM,
    "retire_question": FORUM,
    "get_retention": FORUM,
    "set_retention": FORUM,
    "list_sign_ups": SEE,
    "list_names": PEOPLE,
    "change_places": EDIT,
    "add_name": DECIDE,
    "remove_name": DECIDE,
    "list_duplicates": PEOPLE,
    "compare": PEOPLE,
    "list_letters": Permission.SEE_SENSITIVE,
    "get_letter": Permission.SEE_SENSITIVE,
    "merge": DECIDE,
    "say_distinct": DECIDE,
    "erase_invitation": DECIDE,
    "list_materials": EDIT,
    "get_material": EDIT,
    "add_material": EDIT,
    "change_material": EDIT,
    "remove_material": EDIT,
    "restore_material": EDIT,
    "place_material": EDIT,
    "get_material_file": EDIT,
    "put_material_file": EDIT,
    "remove_material_file": EDIT,
    "get_photo": SEE,
    "put_photo": EDIT,
    "remove_photo": EDIT,
    "try_numbers": FORUM,
    "get_table": EDIT,
    "look_at_import": EDIT,
    "import_programme": EDIT,
    "look_at_copying": EDIT,
    "copy_sessions": EDIT,
    "get_together": EDIT,
    "undo_together": EDIT,
    "look_at_return": EDIT,
    "return_to_version": EDIT,
    "get_coverage": SEE,
    "get_voices": EDIT,
    "put_voices": EDIT,
    "list_webhooks": FORUM,
    "list_deliveries": FORUM,
    "try_webhook": FORUM,
    "resume_webhook": FORUM,
    "send_delivery_again": FORUM,
    **{f"{verb}_{part}": FORUM for verb in ("get", "put") for part in NAMES},
    "list_setting_changes": FORUM,
    "get_setting_change": FORUM,
    "undo_setting_change": FORUM,
    "look_at_new_edition": ACCESS,
    "open_next_edition": ACCESS,
    "take_archive": ACCESS,
    "list_precedence": PEOPLE,
    "get_ladder": PEOPLE,
    "choose_alphabet": PROTOCOL,
    "get_rung": PEOPLE,
    "add_rung": PROTOCOL,
    "change_rung": PROTOCOL,
    "remove_rung": PROTOCOL,
    "place_rung": PROTOCOL,
    "get_rank": PEOPLE,
    "put_rank": PROTOCOL,
    "get_head_table": PEOPLE,
    "set_head_table": PROTOCOL,
    "exchange_seats": PROTOCOL,
    "list_lists": SEE,
    "take_list": EXPORT,
    "take_registrations": EXPORT,
    "list_participant_lists": EXPORT,
    "give_participants": EXPORT,
    "give_participants_again": EXPORT,
    "list_tags": PEOPLE,
    "get_tag": PEOPLE,
    "make_tag": DECIDE,
    "change_tag": DECIDE,
    "remove_tag": DECIDE,
    "get_marks": PEOPLE,
    "change_marks": DECIDE,
    "list_notes": PEOPLE,
    "get_note": PEOPLE,
    "write_note": PEOPLE,
    "remove_note": PEOPLE,
    "get_details": DECIDE,
    "correct_details": DECIDE,
    "look_at_many": DECIDE,
    "do_many": DECIDE,
    "get_bulk": DECIDE,
    "undo_many": DECIDE,
    "get_mail": Permission.SEE_MAIL,
    "repeat_mail": Permission.SEND_MAIL,
    "list_messages": Permission.SEE_MAIL,
    "get_message": Permission.SEE_MAIL,
    "word_message": FORUM,
    "unword_message": FORUM,
    "list_editions": Permission.SEE_MAIL,
    "get_example": Permission.SEE_MAIL,
    "try_words": FORUM,
    "list_mailings": Permission.SEE_MAIL,
    "get_mailing": Permission.SEE_MAIL,
    "draft_mailing": Permission.SEND_MAIL,
    "change_mailing": Permission.SEND_MAIL,
    "remove_mailing": Permission.SEND_MAIL,
    "look_at_mailing": Permission.SEND_MAIL,
    "list_meant": Permission.SEND_MAIL,
    "try_mailing": Permission.SEND_MAIL,
    "schedule_mailing": Permission.SEND_MAIL,
    "take_back_mailing": Permission.SEND_MAIL,
    "stop_mailing": Permission.SEND_MAIL,
}


FILES = {"put_material_file": ("application/pdf", pdf()), "put_photo": ("image/jpeg", picture())}
FILES["look_at_import"] = ("text/csv", b"code,title_en,title_km\r\nD1-05,One,Two\r\n")
"""What is sent where the whole body is a file."""


@pytest.fixture(scope="module")
def cast(programs: Programs) -> Programs:
    for role in Role:
        programs.enrol(role.value, role)
    return programs


@pytest.fixture(scope="module")
def operations(programs: Programs) -> dict[str, tuple[str, str, Any, dict[str, str]]]:
    """Every operation of the document: method, address with parts that are there, the example of its body, headers."""
    there = {"forum": SLUG, "number": "1", "name": "delegates"}
    there |= {"template": "registration.approved", "language": "en", "question": "letter"}
    codes = {
        "registrations": programs.doors.register("DIP").code,
        "invitations": programs.doors.invite().code,
        "delegations": programs.doors.delegate(seats=2).code,
        "sessions": "D1-04",
        "speakers": programs.get("/speakers").json()["items"][0]["code"],
        "rooms": "press-room",
        "sign-ups": "D1-04",
        "questions": "no-question",
        "letters": programs.doors.letter(programs.doors.confirmed()),
        "rungs": programs.get("/ladder").json()["rungs"][0]["code"],
        "materials": programs.doors.write(SLUG, make_material),
    }
    there |= dict.fromkeys(("registration", "first", "second"), codes["registrations"])
    found = {}
    document = programs.get("/api/v1/openapi.json").json()
    for path, methods in document["paths"].items():
        kind = path.split("/")[3] if path.count("/") > 2 else ""
        parts = {**there, "code": codes.get(kind, "")}
        address = "/api/v1" + re.sub(r"{(\w+)}", lambda match, parts=parts: parts[match[1]], path)
        for method, one in methods.items():
            content = one.get("requestBody", {}).get("content", {}).get("application/json", {})
            asked = [each for each in one.get("parameters", []) if each["in"] == "query" and each["required"]]
            question = urlencode({each["name"]: each["schema"]["examples"][0] for each in asked})
            body = (content.get("schema", {}).get("examples") or content.get("examples") or [None])[0]
            sent = {"content_type": "application/json", "if_match": "*"}
            if (name := one["operationId"]) in FILES:
                sent["content_type"], body = FILES[name]
            found[name] = (method.upper(), f"{address}?{question}".rstrip("?"), body, sent)
    return found


def test_every_operation_has_its_row_here(operations: dict[str, Any]) -> None:
    assert set(operations) == set(TAKES)


def test_every_role_is_answered_by_its_permissions(cast: Programs, operations: dict[str, Any]) -> None:
    """Whoever may not is refused and writes nothing; whoever may reaches the deed, whatever it says then. One part of
    the door refuses all of them, so of the roles that may not one in three knocks, another at each operation; all of
    them in a soak."""
    before, wrong = cast.doors.rows(), []
    for turn, (name, (method, address, body, headers)) in enumerate(operations.items()):
        refused = [role for role in ROLES if TAKES[name] not in PERMISSIONS[Role(role)]]
        for role in some(refused, turn, each=3) or refused:
            answer = cast.ask(method, address, role, body, **headers)
            if answer.status_code != 403 or answer.json()["code"] != "forbidden":
                wrong.append((name, role, answer.status_code, answer.text[:200]))
    assert not wrong
    assert cast.doors.rows() == before
    for name, (method, address, body, headers) in operations.items():
        allowed = next(role for role in reversed(ROLES) if TAKES[name] in PERMISSIONS[Role(role)])
        answer = cast.ask(method, address, allowed, body, **headers)
        if answer.status_code in {400, 401, 403, 405, 412, 415, 428, 500}:
            wrong.append((name, allowed, answer.status_code, answer.text[:200]))
        elif answer.status_code == 422 and answer.json()["code"] == "invalid" and "_taken" not in answer.text:
            wrong.append((name, "the example is not taken", answer.text[:300]))
    assert not wrong


def test_a_user_without_a_role_has_no_token_and_a_stranger_no_answer(
    cast: Programs, operations: dict[str, Any]
) -> None:
    for name, (method, address, body, headers) in operations.items():
        assert cast.ask(method, address, "", body, **headers).status_code == 401, name


def test_what_is_sensitive_is_told_those_who_may_see_it(cast: Programs) -> None:
    one = cast.doors.register(meals="Nothing from the sea", access="A chair in the shade")
    told = set()
    for role in ROLES:
        answer = cast.get(f"/registrations/{one.code}", role)
        if "Nothing from the sea" in answer.text:
            told.add(role)
        assert ("Nothing from the sea" in answer.text) == ("A chair in the shade" in answer.text)
    assert told == {role.value for role in Role if Permission.SEE_SENSITIVE in PERMISSIONS[role]}
    assert "Nothing from the sea" not in cast.get("/registrations?limit=100", "organiser").text


def test_a_file_that_was_answered_with_is_given_as_it_was_sent_and_a_sensitive_one_to_few(cast: Programs) -> None:
    one, other = cast.doors.register("STU", meals="None"), cast.doors.register("STU", access="None")
    cast.doors.write(SLUG, lambda db: send_file(db, one.id))
    cast.doors.write(SLUG, lambda db: send_file(db, other.id, sensitive=True))
    named = {each["question"]: each["value"] for each in cast.get(f"/registrations/{one.code}").json()["answers"]}
    assert named["letter"] == "letter.pdf"
    address = f"/registrations/{one.code}/answers"
    file = cast.get(f"{address}/letter/file", "registrar", accept="application/pdf")
    assert (file.status_code, file.content, file.headers["content-type"]) == (200, PDF, "application/pdf")
    assert file.headers["content-disposition"].startswith("attachment; ")
    assert "no-store" in file.headers["cache-control"]
    secret = f"/registrations/{other.code}/answers/secret-letter/file"
    told = {role for role in ROLES if cast.get(secret, role).status_code == 200}
    assert told == {role.value for role in Role if {PEOPLE, Permission.SEE_SENSITIVE} <= PERMISSIONS[role]}
    assert cast.get(f"/registrations/{other.code}/answers/letter/file").status_code == 404
    assert cast.get(f"{address}/scholar/file").status_code == 404


def test_a_letter_is_the_one_that_the_desk_prints_and_no_list_tells_of_passports(cast: Programs) -> None:
    one = cast.doors.confirmed(family_name="Written")
    code = cast.doors.letter(one, passport_number="P0000042")
    cast.doors.enrol("printer", Role.PROTOCOL_OFFICER)
    line = next(each for each in cast.get("/letters", "protocol_officer").json()["items"] if each["code"] == code)
    assert (line["registration"], line["is_given"]) == (one.code, True)
    assert "P0000042" not in cast.get("/letters").text
    file = cast.get(f"/letters/{code}/file", "protocol_officer", accept="application/pdf")
    assert file.content == cast.doors.get(f"/desk/{SLUG}/letters/{code}.pdf", "printer").content
    assert (file.headers["content-type"], file.content[:5]) == ("application/pdf", b"%PDF-")
    assert "passport" not in file.headers["content-disposition"].lower()
    assert cast.post(f"/registrations/{one.code}/cancellation", {}).status_code == 200
    assert cast.get(f"/letters/{code}/file").status_code == 404, "whoever has no seat has no letter"


def test_two_of_one_person_are_compared_and_merged_with_what_the_comparison_says(cast: Programs) -> None:
    person = {"family_name": "Twice", "given_name": "Seen", "country": "KH"}
    kept = cast.doors.register("STU", **person, email="twice@crowd.example", phone="")
    dropped = cast.doors.register("STU", **person, email="twice.again@crowd.example", phone="+855 12 345 678")
    chosen = cast.post("/sign-ups/D1-05/names", {"registration": dropped.code, "forced": True})
    assert chosen.status_code == 200, chosen.text
    seen = cast.get(f"/duplicates/{kept.code}/{dropped.code}", "registrar").json()
    assert [(one["code"], one["picks"]) for one in (seen["first"], seen["second"])] == [
        (kept.code, 0),
        (dropped.code, 1),
    ]
    assert (seen["first"]["fields"], seen["first"]["sessions"]) == (["phone"], ["D1-05"])
    assert seen["second"]["fields"] == []
    how = {"keep": kept.code, "editions": [seen[one]["edition"] for one in ("first", "second")]}
    address = f"/duplicates/{kept.code}/{dropped.code}/merge"
    assert cast.post(address, how, "registrar").json()["code"] == "changed_meanwhile", "it chose sessions meanwhile"
    done = cast.post(address, {**how, "picks": [0, 1]}, "registrar")
    assert (done.status_code, done.json()["code"]) == (200, kept.code)
    assert cast.get(f"/registrations/{kept.code}").json()["registration"]["phone"] == "+855 12 345 678"


def test_where_a_speaker_is_reached_is_told_those_who_edit(cast: Programs) -> None:
    one = cast.doors.speaker(email="reach.me@crowd.example")
    told = {role for role in ROLES if "reach.me" in cast.get(f"/speakers/{one.code}", role).text}
    assert told == {role.value for role in Role if EDIT in PERMISSIONS[role]}
    assert "reach.me" not in cast.get("/speakers", "viewer").text


def test_the_history_of_a_registration_is_told_those_who_decide(cast: Programs) -> None:
    one = cast.doors.register()
    assert cast.get(f"/registrations/{one.code}", "finance").json()["history"] is None
    kinds = [fact["kind"] for fact in cast.get(f"/registrations/{one.code}", "registrar").json()["history"]]
    assert kinds[0].startswith("registration.")
    assert BASE
