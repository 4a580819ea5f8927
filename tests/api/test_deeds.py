"""A deed through this door does what it does through the others, and is refused with the same code."""

from typing import Any

import pytest
from sqlalchemy import event

from app.accounts.actor import Actor
from app.kit.db import Db
from app.kit.errors import Refused
from app.kit.inputs import parse
from app.registration import reviewing
from app.registration.applying import application_of, correct
from app.registration.inputs import Person
from tests.api.programs import Programs
from tests.cast import NOW, SLUG, the_forum
from tests.doors import Page

PARTED = (
    "/registrations",
    "/invitations",
    "/outbox",
    "/facts",
    "/edits",
    "/deliveries",
    "/setting-changes",
    "/precedence",
)
PERSON = {
    "category": "STU",
    "language": "en",
    "family_name": "Sok",
    "given_name": "Vanna",
    "email": "vanna@university.example",
    "country": "KH",
    "consent": True,
}


def test_a_registration_is_decided_and_the_refusal_is_that_of_the_deed(programs: Programs) -> None:
    one = programs.doors.register("DIP")
    assert programs.post(f"/registrations/{one.code}/approval", {"note": ""}).json()["state"] == "seated"
    again = programs.post(f"/registrations/{one.code}/approval", {})
    with pytest.raises(Refused) as refused:
        programs.doors.write(SLUG, lambda db: reviewing.approve(db, Actor.operator(), the_forum(db), one.code, now=NOW))
    assert (again.status_code, again.json()["code"]) == (refused.value.status, refused.value.code)
    assert again.json()["code"] == "step_not_possible"
    page = f"/desk/{SLUG}/registrations/{one.code}"
    by_form = programs.doors.post(f"{page}/approval", "organiser", {"form": programs.doors.seal(page, "organiser")})
    assert by_form.status_code == again.status_code
    assert again.json()["detail"] in Page(by_form.text).text
    assert programs.post(f"/registrations/{one.code}/cancellation", {}).json()["state"] == "cancelled"
    kinds = [fact["kind"] for fact in programs.get(f"/registrations/{one.code}").json()["history"]]
    assert kinds[-1] == "registration.cancelled"


def test_the_last_seat_goes_once_and_the_next_waits(programs: Programs) -> None:
    seen = programs.get("/numbers")
    numbers = seen.json()
    taken = sum(row["taken"] for row in programs.get("/categories").json()["categories"] if row["in_hall"])
    full = {**numbers["terms"], "capacity": taken + 1, "target": taken + 1}
    none = [{**row, "guarantee": 0} for row in numbers["categories"]]
    done = programs.put("/numbers", {"terms": full, "categories": none}, if_match=seen.headers["etag"])
    assert done.status_code == 200, done.text
    first = programs.post("/registrations", {"person": PERSON})
    assert (first.status_code, first.json()["state"]) == (201, "seated")
    assert first.headers["location"].endswith(f"/registrations/{first.json()['code']}")
    second = programs.post("/registrations", {"person": {**PERSON, "email": "second@university.example"}})
    assert second.json()["state"] == "waiting"
    known = programs.post("/registrations", {"person": PERSON})
    assert (known.status_code, known.json()["code"]) == (422, "registered_already")
    assert programs.get(f"/registrations/{second.json()['code']}").json()["place_in_queue"] == 1
    beyond = programs.post(f"/registrations/{second.json()['code']}/seat", {"reason": "Speaks"})
    assert (beyond.status_code, beyond.json()["code"]) == (422, "no_place")
    programs.post(f"/registrations/{first.json()['code']}/cancellation", {})
    assert programs.get(f"/registrations/{second.json()['code']}").json()["registration"]["state"] == "seated"
    again = programs.get("/numbers")
    assert programs.put("/numbers", numbers, if_match=again.headers["etag"]).status_code == 200


def test_in_a_private_capacity_nobody_is_told_where_a_person_works(programs: Programs) -> None:
    one = programs.doors.register(institution="A secret ministry", position_title="Director", attends_as="private")
    words = {"institution": "The secret ministry", "attends_as": "private", "family_name": "Corrected"}

    def change(db: Db) -> None:
        row = application_of(db, the_forum(db), one.code)
        same = {name: getattr(row, name) for name in Person.model_fields.keys() - {"meals", "access"}}
        correct(db, Actor.operator(), the_forum(db), row.code, parse(Person, {**same, **words}), 1, now=NOW)

    programs.doors.write(SLUG, change)
    assert "Corrected" in programs.get("/facts").text, "what else was corrected is told"
    for address in (f"/registrations/{one.code}", "/registrations?limit=100", "/facts?limit=100"):
        text = programs.get(address).text
        assert one.code in text
        assert "secret ministry" not in text
        assert "Director" not in text
    assert programs.get("/registrations?q=secret+ministry").json()["items"] == []


def test_what_is_published_is_what_was_looked_at(programs: Programs) -> None:
    session = programs.get("/sessions/D1-04")
    draft = {**session.json()["session"], "title": {"en": "Another title", "km": "ចំណងជើងថ្មី"}}
    changed = programs.put("/sessions/D1-04", {"session": draft}, if_match=session.headers["etag"])
    assert changed.status_code == 200, changed.text
    assert changed.json()["edition"] == session.json()["edition"] + 1
    seen = programs.get("/versions/pending").json()
    assert {"kind": "retitled", "code": "D1-04"} in seen["changes"]
    stale = programs.post("/versions", {"mark": "another"})
    assert (stale.status_code, stale.json()["code"]) == (409, "difference_changed")
    done = programs.post("/versions", {"mark": seen["mark"], "reason": "Agreed"})
    assert done.status_code == 201, done.text
    published = programs.get("/programme").json()
    assert published["number"] == done.json()["version"]
    titles = {one["code"]: one["title"]["en"] for one in published["sessions"]}
    assert titles["D1-04"] == "Another title"
    last = programs.get("/versions").json()["items"][-1]
    assert (last["number"], {"kind": "retitled", "code": "D1-04"} in last["changes"]) == (done.json()["version"], True)
    assert programs.get(f"/versions/{last['number']}").json()["sessions"] == published["sessions"]
    first = {one["code"]: one["title"]["en"] for one in programs.get("/versions/1").json()["sessions"]}
    assert first["D1-04"] == session.json()["session"]["title"]["en"]
    assert programs.get("/versions/99").status_code == 404
    edit = programs.get("/edits?limit=1").json()["items"][0]
    undone = programs.post(f"/edits/{edit['id']}/undo", {"edition": changed.json()["edition"]})
    assert (undone.status_code, undone.json()["kind"]) == (200, "brought_back")


def test_a_session_is_made_moved_and_taken_out(programs: Programs) -> None:
    draft = {"code": "EX-01", "type": "panel", "title": {"en": "A panel", "km": "ការពិភាក្សា"}, "attribution": "REC"}
    made = programs.post("/sessions", {"session": draft})
    assert made.status_code == 201, made.text
    to = {"starts_at": "2027-03-23T22:00:00Z", "minutes": 30}
    assert programs.post("/sessions/EX-01/place", to).json()["kind"] == "moved"
    seen = programs.get("/sessions/EX-01")
    assert seen.json()["session"]["ends_at"] == "2027-03-23T22:30:00Z"
    gone = programs.ask("DELETE", "/sessions/EX-01", "organiser", if_match=seen.headers["etag"])
    assert (gone.status_code, gone.content) == (204, b"")
    assert programs.get("/sessions/EX-01").status_code == 404


def test_a_delegation_is_invited_changed_and_hands_seats_back(programs: Programs) -> None:
    sent = {"institution": "An embassy", "country": "FR", "deadline": "2027-02-01T10:00:00Z", "focal_name": "Dara Lim"}
    sent |= {"focal_email": "dara@embassy.example", "language": "en"}
    code = programs.post("/delegations", {**sent, "category": "DIP", "seats": 3}).json()["code"]
    assert programs.post(f"/delegations/{code}/returned-seats", {"seats": 1}).json() == {"number": 1}
    seen = programs.get(f"/delegations/{code}")
    assert seen.json()["delegation"]["unnamed"] == 2
    changed = programs.put(f"/delegations/{code}", {**sent, "reference": "NV 1"}, if_match=seen.headers["etag"])
    assert changed.json()["delegation"]["reference"] == "NV 1"
    assert programs.post(f"/delegations/{code}/withdrawal", {"people": True}).json() == {"changed": True}


def test_what_is_of_another_forum_is_not_there(programs: Programs) -> None:
    theirs = programs.doors.register("DIP", slug="siem-reap-2028")
    before = programs.doors.rows()
    assert programs.get(f"/registrations/{theirs.code}").status_code == 404
    for act in ("approval", "refusal", "cancellation", "confirmation"):
        answer = programs.post(f"/registrations/{theirs.code}/{act}", {} if act != "confirmation" else None)
        assert answer.status_code == 404, act
    assert programs.doors.rows() == before


def test_every_list_is_as_many_queries_however_long(programs: Programs) -> None:
    def asked(address: str) -> int:
        statements: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if statement.split(None, 1)[0].upper() in {"SELECT", "WITH"}:
                statements.append(statement)

        engine = programs.doors.site.database.read_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            assert programs.get(address).status_code == 200, address
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(statements)

    for _ in range(3):
        programs.doors.register()
    limits = {address: {asked(f"{address}?limit={limit}") for limit in (1, 3, 50)} for address in PARTED}
    assert all(len(counts) == 1 for counts in limits.values()), limits
    assert limits["/registrations"] == {5}, "two of them are the bearer's; the list, how long it is, tags"
