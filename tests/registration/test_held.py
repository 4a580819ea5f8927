"""What is held about a person is told whole: a table or column that points at a registration cannot be forgotten."""

import json
from typing import Any

from sqlalchemy import update

from app.accounts.actor import Actor
from app.kit.db import table
from app.kit.inputs import parse
from app.registration import replying
from app.registration.held import Held, as_json, held_about
from app.registration.letter_inputs import LetterInput
from app.registration.lettering import ask_for_letter
from app.registration.models import Pick
from app.registration.picking import change_places, pick
from app.registration.queries import own_registration
from tests.cast import NOW, SECRET, holder, somebody
from tests.registration.hall import SmallHall
from tests.registration.test_accompanying import bring
from tests.registration.test_inviting import coded
from tests.registration.test_picking import OPEN, A, choose, closed_code
from tests.registration.whole import PASSPORT, mark, secret_of, whole_person

OPERATOR = Actor.operator()

NOT_TOLD = {
    "registration_distinct.first_id": "whom somebody else looked like is theirs; the fact of it stands in the history",
    "registration_distinct.second_id": "the same",
    "registration_application.merged_into_id": "it has a page of its own; its code is told",
    "registration_application:request_key": "a random key of the form",
    "registration_application:live_key": "made of the address",
    "registration_application:email_normal": "made of the address",
    "registration_application:name_search": "made of the names",
    **{
        f"registration_application{key}:{name}": "made of the names, to sort by"
        for key in ("", ".accompanies_id")
        for name in ("sort_name", "sort_name_km", "sort_institution")
    },
    "registration_note.application_id:author": "whoever wrote it",
    "registration_application:feed_digest": "finds the calendar",
    "mail_message:trace": "a random number, under which the operator's collector knows the request",
    "registration_application.accompanies_id:request_key": "a random key of the form",
    "registration_application.accompanies_id:live_key": "made of the address",
    "registration_application.accompanies_id:email": "the person's own, or their assistant's",
    "registration_application.accompanies_id:email_normal": "the same",
    "registration_application.accompanies_id:name_search": "made of the names",
    "registration_application.accompanies_id:assistant_name": "the person's own name",
    "registration_application.accompanies_id:feed_digest": "finds the calendar",
    "registration_application.accompanies_id:priority_reason": "stands on the companion's own page",
    "registration_application.accompanies_id:decision_note": "the same",
    "registration_file.application_id:body": "given back as the file itself",
    "registration_enclosure.application_id:mailbox": "made of the address",
    "registration_letter.application_id:request_key": "a random key of the form",
    "registration_kept_line.application_id": "the details above, as they stood on a list that was given out",
    "registration_delegation:focal_name": "another person",
    "registration_delegation:focal_email": "another person",
    "registration_delegation:reference": "the institution's",
    "registration_delegation:country": "the institution's",
    "registration_delegation:uneven_reason": "the institution's",
    "registration_delegation:feed_digest": "finds the delegation's calendar",
    **{f"registration_delegation:{at}_at": "the institution's" for at in ("created", "reminded", "released", "ended")},
    "registration_delegation:deadline": "the institution's",
    "mail_message:due_at": "when the worker was to try",
    "mail_message:claimed_at": "when the worker tried",
    "mail_message:values": "what the mail was made of: it has reached the person",
    "audit_fact:actor_name": "whoever did it",
}
"""`table[.key][:column]` → why it is not told."""


def held_by(hall: SmallHall, row: Any) -> Held:
    return held_about(hall.db, own_registration(hall.db, secret_of(row)))


def test_everything_that_points_at_a_registration_is_told_or_left_out_for_a_reason(hall: SmallHall) -> None:
    row = whole_person(hall)
    marks = mark(hall.db, row, times=True)
    told = json.dumps(as_json(held_by(hall, row)), ensure_ascii=False)
    missing = [name for name, word in marks.items() if word not in told]
    assert [name for name in missing if name not in NOT_TOLD and name.partition(":")[0] not in NOT_TOLD] == []
    assert [name for name in NOT_TOLD if marks.get(name, "?") in told] == [], "told in spite of the reason"


def test_sessions_stand_with_their_place_or_place_in_the_list(hall: SmallHall) -> None:
    hall.arrange(capacity=3)
    first, second = hall.ask(), hall.ask()
    change_places(hall.db, OPERATOR, hall.forum, A, 1, now=NOW)
    choose(hall, first, A, OPEN)
    choose(hall, second, A)
    told = as_json(held_by(hall, first))["sessions"]["chosen"]
    assert [(one["code"], one["state"], one["place"]) for one in told] == [(A, "seated", 1), (OPEN, "picked", None)]
    (told,) = as_json(held_by(hall, second))["sessions"]["chosen"]
    assert (told["state"], told["place"], told["place_in_list"]) == ("waiting", None, 1)


def test_a_session_closed_to_the_person_is_not_told_of_and_one_that_is_gone_by_its_uid(hall: SmallHall) -> None:
    row, picks = hall.ask(), table(Pick)
    pick(hall.db, OPERATOR, hall.forum, row.code, closed_code(hall.db), now=NOW)
    assert len(as_json(held_by(hall, row))["sessions"]["chosen"]) == 1, "admitted"
    hall.db.execute(update(picks).values(admitted=False))
    assert as_json(held_by(hall, row))["sessions"]["chosen"] == []
    hall.db.execute(update(picks).values(session_uid="gone@example"))
    (told,) = as_json(held_by(hall, row))["sessions"]["chosen"]
    assert (told["uid"], told["code"]) == ("gone@example", "")


def test_of_an_invitation_by_code_nothing_is_told_but_the_code(hall: SmallHall) -> None:
    invitation = coded(hall, "STU")
    for number in (1, 2):
        sent = somebody(number, "STU")
        asked = replying.accept(hall.db, hall.forum, invitation.id, sent, f"k{number}", SECRET, now=NOW)
    row = hall.row(asked.code)
    assert as_json(held_by(hall, row))["invitation"] == {"kind": "code", "code": invitation.code}
    assert "person1@" not in json.dumps(as_json(held_by(hall, row)))


def test_as_many_queries_whatever_is_held(hall: SmallHall, queries: Any) -> None:
    row = whole_person(hall)
    with queries() as few:
        held_by(hall, row)
    bring(hall, row, "Another")
    for key in ("second", "third"):
        letter = parse(LetterInput, {"kind": "visa", "language": "en", **PASSPORT})
        ask_for_letter(hall.db, holder(row), hall.forum, row.code, letter, key, now=NOW)
    with queries() as more:
        held_by(hall, row)
    assert len(few) == len(more) <= 29
