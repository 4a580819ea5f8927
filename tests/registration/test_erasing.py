"""A person erased: nothing of them is left anywhere in the database, the seat goes on, the chain stays whole."""

from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.accounts.actor import Actor
from app.audit.recording import first_broken, history
from app.kit.codes import public_code
from app.kit.db import table
from app.kit.errors import NotFound
from app.mail.models import Message
from app.registration.applying import apply
from app.registration.erasing import HELD, erase
from app.registration.inputs import PriorityInput
from app.registration.merging import merge
from app.registration.models import Application, Invitation
from app.registration.overriding import seat_beyond, set_priority
from app.registration.question_queries import answers_of, consents_of
from app.registration.reviewing import decline, move
from tests.cast import NOW, RITH, SECRET, SLUG, holder, request
from tests.registration.asked import PDF, answer, ask_also, question
from tests.registration.hall import SmallHall
from tests.registration.whole import everything, mark, whole_person

OPERATOR = Actor.operator()
TELLING = {
    "email": "telling@person.example",
    "family_name": "Tellingname",
    "given_name": "Tellinggiven",
    "name_km": "ឈ្មោះប្រាប់",
    "display_name": "Tellingdisplay",
    "institution": "Tellinghouse",
    "position_title": "Tellingpost",
    "phone": "012 345 678",
    "meals": "Tellingmeal",
    "access": "Tellingaccess",
    "assistant_name": "Tellingassistant",
}


def register(hall: SmallHall) -> Any:
    sent = request(RITH, category="STU", **TELLING)
    asked = apply(hall.db, Actor.visitor(), hall.forum, sent, public_code(20), SECRET, now=NOW)
    return hall.row(asked.code)


def somebody(hall: SmallHall) -> Any:
    ask_also(hall.db, question("diet", sensitive=True), question("letter", "file"), question("photo", "consent"))
    row = register(hall)
    answer(hall.db, row.id, diet="Tellingdiet", letter=PDF, photo="yes")
    return row


def test_nothing_of_an_erased_person_is_left_in_any_table(hall: SmallHall) -> None:
    row = somebody(hall)
    words = [*TELLING.values(), "+855 12 345 678", "Tellingdiet", "plainly fictional letter"]
    before = everything(hall.db)
    assert [word for word in words if word not in before] == ["012 345 678"], "or the test could not fail"
    assert erase(hall.db, holder(row), hall.forum, row.code, now=NOW)
    assert [word for word in words if word in everything(hall.db)] == []
    assert (answers_of(hall.db, row.id, sensitive=True), consents_of(hall.db, row.id)) == ((), ())
    for held in HELD:
        mine = select(func.count()).where(held.c.application_id == row.id)
        assert hall.db.execute(mine).scalar_one() == 0
    assert first_broken(hall.db, SLUG) is None


KEPT = {
    "request_key": "random, and of no use to anybody",
    "registration_invitation:reference": "the number of a letter",
    "audit_fact:actor_name": "an organiser's: of a person's own deeds there is none",
}
"""What is left of an erased person's columns, by name or by table (docs/decisions/0007), and why."""


def test_a_mark_in_every_column_that_holds_something_about_a_person_is_gone(hall: SmallHall) -> None:
    row = whole_person(hall)
    marks, db = mark(hall.db, row), hall.db
    assert [name for name, word in marks.items() if word not in everything(db)] == [], "or the test could not fail"
    assert erase(db, holder(row), hall.forum, row.code, now=NOW)
    text = everything(db)
    left = {name for name, word in marks.items() if word in text and not name.startswith("registration_delegation:")}
    assert {name for name in left if not {name, name.partition(":")[2]} & KEPT.keys()} == set()
    assert len(left) == 6, "what is said to be kept is kept"
    assert first_broken(db, SLUG) is None


def test_what_organisers_write_about_a_person_goes_too(hall: SmallHall) -> None:
    db, forum = hall.db, hall.forum
    hall.arrange(capacity=4)
    hall.ask("ORG")
    over, moved, declined = hall.ask("ORG"), hall.ask("STU"), hall.ask("DIP")
    seat_beyond(db, OPERATOR, forum, over.code, "Tellingreason", now=NOW)
    set_priority(db, OPERATOR, forum, over.code, PriorityInput(priority=2, reason="Tellingpriority"), now=NOW)
    move(db, OPERATOR, forum, moved.code, "DIP", now=NOW, note="Tellingmove")
    decline(db, OPERATOR, forum, declined.code, now=NOW, note="Tellingdecline")
    assert everything(db).count("Telling") >= 5
    for row in (over, moved, declined):
        erase(db, holder(row), forum, row.code, now=NOW)
    assert "Telling" not in everything(db)


def test_what_was_joined_into_it_is_erased_with_it_and_not_the_other_way_round(hall: SmallHall) -> None:
    first, second, third = hall.ask(), hall.ask(), hall.ask()
    for keep, drop in ((second, first), (third, second)):
        editions = hall.row(keep.code).edition, hall.row(drop.code).edition
        merge(hall.db, OPERATOR, hall.forum, keep.code, drop.code, editions, now=NOW)
    erase(hall.db, holder(first), hall.forum, first.code, now=NOW)
    assert [hall.row(row.code).erased_at for row in (first, second, third)] == [NOW, None, None]
    erase(hall.db, holder(third), hall.forum, third.code, now=NOW)
    assert [hall.row(row.code).email for row in (first, second, third)] == ["", "", ""]


def test_a_live_registration_ends_and_its_seat_goes_to_the_next(hall: SmallHall) -> None:
    row = somebody(hall)
    hall.ask("STU")
    waits = hall.ask("STU")
    assert hall.state(waits) == "waiting"
    erase(hall.db, holder(row), hall.forum, row.code, now=NOW)
    assert (hall.state(row), hall.state(waits)) == ("cancelled", "seated")
    found = hall.row(row.code)
    assert (found.live_key, found.erased_at, found.category_id) == (None, NOW, row.category_id)


def test_what_happened_stays_to_be_read_without_whom_it_happened_to(hall: SmallHall) -> None:
    row = somebody(hall)
    erase(hall.db, holder(row), hall.forum, row.code, now=NOW)
    facts = history(hall.db, SLUG, f"registration:{row.code}")
    kinds = [fact.kind for fact in facts]
    assert kinds[0] == "registration.submitted"
    assert kinds[-1] == "registration.erased"
    assert all(not fact.personal for fact in facts)


def test_a_mail_that_left_keeps_its_state_and_loses_its_address(hall: SmallHall) -> None:
    row = somebody(hall)
    messages = table(Message)
    db = hall.db
    db.execute(update(messages).values(state="sent", error="550 <telling@person.example> unknown", trace="00-a-b-01"))
    erase(db, holder(row), hall.forum, row.code, now=NOW)
    found = db.execute(select(messages).where(messages.c.subject == f"registration:{row.code}")).all()
    assert found
    assert {(one.to_address, one.to_name, str(one.values), one.error) for one in found} == {("", "", "{}", "")}
    assert {(one.state, one.trace) for one in found} == {("sent", None)}


def test_a_mail_that_has_not_left_is_withheld(hall: SmallHall) -> None:
    row = somebody(hall)
    erase(hall.db, holder(row), hall.forum, row.code, now=NOW)
    messages = table(Message)
    found = hall.db.execute(select(messages).where(messages.c.subject == f"registration:{row.code}")).all()
    assert {(one.state, one.to_address) for one in found} == {("withheld", "")}


def test_erasing_twice_or_an_ended_one_is_harmless(hall: SmallHall) -> None:
    row = somebody(hall)
    assert erase(hall.db, holder(row), hall.forum, row.code, now=NOW)
    assert not erase(hall.db, holder(row), hall.forum, row.code, now=NOW)
    assert hall.facts(row).count("registration.erased") == 1


def test_nobody_else_erases_a_person(hall: SmallHall) -> None:
    row, other = somebody(hall), hall.ask("STU")
    for by in (holder(other), Actor.visitor()):
        with pytest.raises(NotFound):
            erase(hall.db, by, hall.forum, row.code, now=NOW)
    assert hall.row(row.code).erased_at is None


def test_the_person_may_register_again_afterwards(hall: SmallHall) -> None:
    row = somebody(hall)
    erase(hall.db, holder(row), hall.forum, row.code, now=NOW)
    again = register(hall)
    assert again.code != row.code
    assert again.family_name == "Tellingname"


def test_the_personal_invitation_of_an_erased_person_is_emptied_too(hall: SmallHall) -> None:
    row, db = somebody(hall), hall.db
    invitation = Invitation(
        forum_id=row.forum_id,
        category_id=row.category_id,
        kind="personal",
        code="INVITED",
        email=TELLING["email"],
        family_name="Tellingname",
        created_at=NOW,
    )
    db.add(invitation)
    db.flush()
    people = table(Application)
    db.execute(update(people).where(people.c.id == row.id).values(invitation_id=invitation.id))
    erase(db, holder(row), hall.forum, row.code, now=NOW)
    assert "Tellingname" not in everything(db)
    assert TELLING["email"] not in everything(db)
