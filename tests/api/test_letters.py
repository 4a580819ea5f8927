"""Mails, the site's messages and mailings through the API: read without any link, written as the desk writes them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.accounts.rules import Permission, Role
from app.correspondence import mailing
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.repeating import GivenAnswer
from app.mail.models import Message
from app.mail.outbox import queue_mail
from app.programme.queries import published
from app.registration.models import Application
from tests.api.programs import Programs
from tests.api.test_calling import problem
from tests.cast import NOW, SECRET, SLUG, the_forum
from tests.doors import A_MAILING, ELSEWHERE
from tests.embassies import delegate
from tests.web.test_desk_mail import left

OWN = {"subject_en": "A seat for {name}", "text_en": "Within {hours} hours, please."}
APPROVED = "/messages/registration.approved"


@pytest.fixture(scope="module", autouse=True)
def _cast(programs: Programs) -> None:
    programs.enrol("registrar", Role.REGISTRAR)
    programs.tokens["writer"] = programs.token("registrar", scope=(Permission.SEE_MAIL, Permission.SEND_MAIL))


def draft(programs: Programs, **changes: Any) -> int:
    made = programs.post("/mailings", {**A_MAILING, **changes}, "registrar")
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


# ---- one mail


def test_a_mail_is_read_with_its_tries_and_without_its_link_and_written_once_more(programs: Programs) -> None:
    one = programs.doors.register("STU", family_name="Sok", given_name="Vanna", language="en")
    number, people = left(programs.doors, one), table(Application)
    seen = programs.get(f"/outbox/{number}")
    assert [each["outcome"] for each in seen.json()["tries"]] == ["temporary", "sent"]
    assert one.code in seen.json()["letter"]["text"]
    assert one.secret not in seen.text
    assert "/my/" not in seen.text
    assert seen.json()["moved_to"] == ""
    moved = {"email": "corrected@crowd.example", "email_normal": "corrected@crowd.example"}
    programs.doors.write(SLUG, lambda db: db.execute(update(people).where(people.c.id == one.id).values(**moved)))
    assert programs.get(f"/outbox/{number}").json()["moved_to"] == "corrected@crowd.example"
    assert programs.post(f"/outbox/{number}/repetition").json() == {"changed": True}
    again = programs.get("/outbox?limit=1").json()["items"][0]
    assert (again["to_address"], again["state"]) == ("corrected@crowd.example", "queued")
    assert programs.get(f"/outbox/{again['id']}").json()["resend_of"] == number
    problem(programs.post(f"/outbox/{again['id']}/repetition"), 409, "mail_under_way")
    assert programs.get("/outbox?state=bounced").json()["items"] == []


def test_another_forums_mails_and_mailings_are_not_there(programs: Programs) -> None:
    theirs, number = programs.doors.register("DIP", slug=ELSEWHERE), programs.doors.mailing(slug=ELSEWHERE)
    wanted = select(table(Message).c.id).where(table(Message).c.subject == f"registration:{theirs.code}")
    mail = programs.doors.site.database.read(lambda db: db.execute(wanted).scalars().first())
    before = programs.doors.rows()
    for method, address, body in (
        ("GET", f"/outbox/{mail}", None),
        ("POST", f"/outbox/{mail}/repetition", None),
        ("GET", f"/mailings/{number}", None),
        ("PUT", f"/mailings/{number}", {**A_MAILING}),
        ("DELETE", f"/mailings/{number}", None),
        ("GET", f"/mailings/{number}/example", None),
        ("GET", f"/mailings/{number}/people", None),
        ("POST", f"/mailings/{number}/test", None),
        ("POST", f"/mailings/{number}/schedule", {"edition": 1}),
        ("POST", f"/mailings/{number}/stop", None),
    ):
        problem(programs.ask(method, address, "organiser", body, if_match="*"), 404)
    assert programs.doors.rows() == before


def test_the_delegation_of_somebody_in_a_private_capacity_is_told_by_no_letter_and_no_list(programs: Programs) -> None:
    someone = delegate(1, email="envoy@crowd.example", attends_as="private", language="en")
    other = delegate(2, email="second@crowd.example", language="en")
    party = programs.doors.delegate(someone, other, seats=3, institution="The Embassy of Elsewhere", language="en")
    private, official = (f"registration:{code}" for code in party.people)
    mails = {one["subject"]: one["id"] for one in programs.get("/outbox?limit=100").json()["items"]}
    told = programs.get(f"/outbox/{mails[private]}")
    assert (told.json()["template"], "Elsewhere" in told.text) == ("delegation/named", False)
    assert "The Embassy of Elsewhere" in programs.get(f"/outbox/{mails[official]}").json()["letter"]["text"]
    number = draft(programs, delegation=party.code)
    assert programs.get(f"/mailings/{number}/example").json()["people"] == 2, "both are written to"
    named = programs.get(f"/mailings/{number}/people").json()["items"]
    assert [one["subject"] for one in named] == [official]


def test_no_delegation_and_no_fact_says_whom_of_a_private_capacity_a_delegation_named(programs: Programs) -> None:
    someone = delegate(3, email="quiet@crowd.example", attends_as="private", heads=True)
    party = programs.doors.delegate(someone, delegate(4, email="loud@crowd.example"), seats=3, institution="A mission")
    private, official = party.people
    told = programs.get(f"/delegations/{party.code}").json()
    assert [one["code"] for one in told["people"]] == [official]
    assert told["delegation"]["named"] == 2
    history = programs.get(f"/registrations/{private}").json()["history"]
    assert history[0]["kind"] == "registration.named"
    assert {one["actor"] for one in history} == {"focal_point"}
    assert party.code not in str(history)
    facts = programs.get("/facts?limit=100").json()["items"]
    assert [one for one in facts if party.code in one["subject"]]
    assert not [one for one in facts if private in str(one) and party.code in str(one)]


def test_no_letter_says_in_which_sessions_somebody_is(programs: Programs) -> None:
    one = programs.doors.confirmed("INT", email="seated.in@crowd.example", family_name="Seatedin", language="en")
    assert programs.post("/sign-ups/D1-07/places", {"places": 5}).status_code == 200
    assert programs.post("/sign-ups/D1-07/names", {"registration": one.code, "forced": True}).status_code == 200
    title = programs.get("/sessions/D1-07").json()["session"]["title"]["en"]
    to, subject = ("seated.in@crowd.example", "Seatedin"), f"registration:{one.code}"

    def queued(db: Db) -> int:
        uid = next(
            session.uid for session in published(db, forum_id(the_forum(db))).sessions if session.code == "D1-07"
        )
        queue_mail(db, SLUG, "registration/picked_up", "en", to, subject, now=NOW, values={"uids": [uid]})
        return 0

    programs.doors.write(SLUG, queued)
    mail = programs.get("/outbox?limit=1").json()["items"][0]
    assert (mail["template"], mail["subject"]) == ("registration/picked_up", subject)
    programs.doors.enrol("onlooker", Role.ORGANISER)
    assert title in programs.doors.page(f"/desk/{SLUG}/outbox/{mail['id']}?lang=en", "onlooker").text
    letter = programs.get(f"/outbox/{mail['id']}").json()["letter"]
    assert letter["text"]
    assert title not in letter["text"]
    example = programs.get(f"/messages/registration.picked_up/example?reader={one.code}")
    assert (example.status_code, example.json()["reader"], title in example.text) == (200, one.code, False)


# ---- the site's messages


def test_a_message_gets_the_forums_own_words_and_the_built_in_ones_back(programs: Programs) -> None:
    seen = programs.get("/messages/registration.seated")
    assert (seen.json()["edition"], seen.json()["own"], seen.json()["needed"]) == (0, [], ["hours"])
    assert "{hours}" in seen.json()["built_in"]["text_en"]
    address = "/messages/registration.seated"
    faulty = problem(programs.put(address, {**OWN, "text_en": "{link}{"}, if_match="*"), 422, "invalid")
    codes = {(one["pointer"], one["code"]) for one in faulty["errors"]}
    assert codes == {("#/text_en", f"placeholder_{code}") for code in ("unknown", "open", "missing")}
    problem(programs.put(address, OWN, "registrar", if_match="*"), 403, "forbidden")
    done = programs.put(address, OWN, if_match=seen.headers["etag"])
    assert (done.json()["edition"], done.json()["own"]) == (1, ["en"])
    problem(programs.put(address, OWN, if_match=seen.headers["etag"]), 412, "stale")
    assert programs.put(address, OWN, if_match="*").json()["edition"] == 1, "the same words are no new edition"
    person = programs.doors.register("STU", family_name="Keo", given_name="Worded", language="en")
    example = programs.get(f"{address}/example?reader={person.code}").json()
    assert example["letters"][0]["subject"] == "A seat for Worded Keo"
    assert person.secret not in str(example)
    problem(programs.get(f"{address}/example?reader=NOSUCH"), 422, "invalid")
    problem(programs.get(f"{address}/example", "writer"), 403, "forbidden")
    listed = {one["code"]: one["own"] for one in programs.get("/messages", "registrar").json()["items"]}
    assert listed["registration.seated"] == ["en"]
    gone = programs.ask("DELETE", address, "organiser", if_match=done.headers["etag"])
    assert gone.status_code == 204
    (last, first) = programs.get(f"{address}/editions").json()["items"]
    assert (last["edition"], first["words"]["subject_en"], first["by"]) == (2, OWN["subject_en"], "Organiser Desk")
    assert programs.get(address).json()["own"] == []
    for odd in (
        "/messages/mailing.news",
        "/messages/accounts.sign_in",
        "/messages/none.such",
        "/messages/REGISTRATION",
    ):
        problem(programs.get(odd), 404)


def test_words_are_tried_on_a_made_up_reader_before_anybody_gets_them(programs: Programs) -> None:
    before = programs.doors.rows()["correspondence_own_words"]
    tried = programs.post(f"{APPROVED}/example", {"subject_en": "Yes, {name}", "text_en": "You are welcome."})
    assert tried.json()["reader"] == ""
    assert tried.json()["letters"][0]["subject"].startswith("Yes, ")
    assert "You are welcome." in tried.json()["letters"][0]["text"]
    problem(programs.post(f"{APPROVED}/example", {"subject_en": "Alone"}), 422, "invalid")
    assert programs.doors.rows()["correspondence_own_words"] == before


# ---- mailings


def test_a_mailing_is_drafted_looked_at_changed_sent_and_stopped(programs: Programs) -> None:
    people = [programs.doors.register("STU", country="LA", language="en", family_name=f"Lao{n}") for n in range(3)]
    number = draft(programs, country="LA")
    seen = programs.get(f"/mailings/{number}")
    assert (seen.json()["state"], seen.json()["mailing"]["country"]) == ("draft", "LA")
    reach = programs.get(f"/mailings/{number}/example").json()
    assert (reach["people"], reach["opted_out"], reach["by_language"]) == (3, 0, {"en": 3})
    assert "Lao2" in reach["letters"][0]["subject"]
    meant = programs.get(f"/mailings/{number}/people?limit=2").json()
    rest = programs.get(f"/mailings/{number}/people?after={meant['after']}").json()
    found = [one["subject"] for one in (*meant["items"], *rest["items"])]
    assert found == [f"registration:{one.code}" for one in reversed(people)]
    assert not any(one.secret in programs.get(f"/mailings/{number}/example").text for one in people)
    sent = {**seen.json()["mailing"], "purpose": "Known to the desk", "language": "en"}
    changed = programs.put(f"/mailings/{number}", sent, if_match=seen.headers["etag"])
    assert (changed.json()["edition"], changed.json()["purpose"]) == (2, "Known to the desk")
    problem(programs.put(f"/mailings/{number}", sent, if_match=seen.headers["etag"]), 412, "stale")
    before = programs.doors.rows()["mail_message"]
    tried = programs.post(f"/mailings/{number}/test")
    assert (tried.json(), programs.doors.rows()["mail_message"]) == ({"changed": True}, before + 2)
    problem(programs.post(f"/mailings/{number}/schedule", {"edition": 1}), 409, "mailing_changed")
    problem(
        programs.post(f"/mailings/{number}/schedule", {"edition": 2, "send_at": "2020-01-01T00:00:00Z"}), 422, "invalid"
    )
    later = {"edition": 2, "send_at": "2100-01-05T09:00:00+07:00"}
    assert programs.post(f"/mailings/{number}/schedule", later).json() == {
        "id": number,
        "edition": 3,
        "state": "scheduled",
    }
    assert programs.get(f"/mailings/{number}").json()["send_at"] == "2100-01-05T02:00:00Z"
    problem(programs.put(f"/mailings/{number}", sent, if_match="*"), 422, "mailing_not_draft")
    assert programs.post(f"/mailings/{number}/withdrawal", {"edition": 3}).json()["state"] == "draft"
    once = programs.post(f"/mailings/{number}/schedule", {"edition": 4}, idempotency_key="send-once")
    assert programs.post(f"/mailings/{number}/schedule", {"edition": 4}, idempotency_key="send-once").content == (
        once.content
    )
    at = NOW + timedelta(days=40_000)
    programs.doors.write(SLUG, lambda db: mailing.step(db, the_forum(db), number, SECRET, now=at))
    found = programs.get(f"/mailings/{number}").json()
    assert (found["state"], found["queued"], found["mails"]) == ("sent", 3, {"queued": 3})
    problem(programs.post(f"/mailings/{number}/withdrawal", {"edition": found["edition"]}), 409, "mailing_begun")
    assert programs.post(f"/mailings/{number}/stop").json() == {"number": 3}
    problem(programs.post(f"/mailings/{number}/stop"), 409, "mailing_over")
    problem(programs.ask("DELETE", f"/mailings/{number}", "organiser", if_match="*"), 422, "mailing_not_draft")


def test_a_draft_is_removed_and_the_list_is_read_in_parts(programs: Programs) -> None:
    numbers = [draft(programs, name=f"Draft {n}") for n in range(3)]
    first = programs.get("/mailings?limit=2").json()
    second = programs.get(f"/mailings?limit=2&after={first['after']}").json()
    assert [one["id"] for one in (*first["items"], *second["items"])][:3] == numbers[::-1]
    tag = programs.get(f"/mailings/{numbers[0]}").headers["etag"]
    assert programs.ask("DELETE", f"/mailings/{numbers[0]}", "organiser", if_match=tag).status_code == 204
    problem(programs.get(f"/mailings/{numbers[0]}"), 404)


def test_whoever_may_write_but_not_see_people_sees_a_made_up_reader(programs: Programs) -> None:
    programs.doors.register("STU", family_name="Unseenname", country="MM", language="en")
    number = draft(programs, country="MM")
    looked = programs.get(f"/mailings/{number}/example", "writer")
    assert (looked.json()["people"], "Unseenname" in looked.text) == (1, False)
    assert "Unseenname" in programs.get(f"/mailings/{number}/example", "registrar").text
    problem(programs.get(f"/mailings/{number}/people", "writer"), 403, "forbidden")


def test_what_cannot_be_a_mailing_is_told_field_by_field_and_nothing_is_kept(programs: Programs) -> None:
    before = programs.doors.rows()
    for changes, pointer in (
        ({"text_km": "{link}"}, "#/text_km"),
        ({"subject_en": "=?utf-8?q?x?="}, "#/subject_en"),
        ({"asked_from": "2027-01-01T00:00:00"}, "#/asked_from"),
        ({"asked_until": "9999-12-31T23:59:59-12:00"}, "#/asked_until"),
        ({"asked_from": "0001-01-01T00:00:00+12:00"}, "#/asked_from"),
        ({"asked_from": "2027-02-01T00:00:00Z", "asked_until": "2027-01-01T00:00:00Z"}, "#"),
        ({"tag": "-1"}, "#/tag"),
        ({"institution": "x" * 201}, "#/institution"),
        ({"standings": ["seated"] * 8}, "#/standings"),
        ({"chosen": ["A"] * 1001}, "#/chosen"),
        ({"state": "sent"}, "#/state"),
    ):
        said = problem(programs.post("/mailings", {**A_MAILING, **changes}), 422, "invalid")
        assert {one["pointer"] for one in said["errors"]} == {pointer}, changes
    problem(
        programs.post("/mailings/1/schedule", {"edition": 1, "send_at": "9999-12-31T23:59:59-12:00"}), 422, "invalid"
    )
    assert programs.doors.rows() == before


def test_the_answers_that_are_kept_name_nobody(programs: Programs) -> None:
    with programs.doors.site.database.reading() as db:
        bodies = b"".join(db.execute(select(table(GivenAnswer).c.body)).scalars())
    assert b"mailing" not in bodies
    for word in (b"Lao", b"Vanna", b"@", b"Worded", b"Unseenname"):
        assert word not in bodies


def test_the_invitation_of_who_answered_in_a_private_capacity_names_no_institution(programs: Programs) -> None:
    words = {"institution": "The Quietest Ministry", "position_title": "Director"}
    answered, open_still = programs.doors.invite(**words), programs.doors.invite(**words)
    one = programs.doors.register("STU", attends_as="private")
    people = table(Application)
    mine = update(people).where(people.c.id == one.id).values(invitation_id=answered.id)
    programs.doors.write(SLUG, lambda db: db.execute(mine) and None)
    shown = programs.get(f"/invitations/{answered.code}").json()
    assert (shown["institution"], shown["position_title"]) == ("", "")
    assert programs.get(f"/invitations/{open_still.code}").json()["institution"] == "The Quietest Ministry"
    listed = {each["code"]: each["institution"] for each in programs.get("/invitations?limit=100").json()["items"]}
    assert (listed[answered.code], listed[open_still.code]) == ("", "The Quietest Ministry")
    found = programs.get("/invitations?q=quietest").json()["items"]
    assert [each["code"] for each in found] == [open_still.code]
