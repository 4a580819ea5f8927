from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.kit.db import table
from app.kit.errors import Conflict, Forbidden, NotFound, Refused
from app.mail.models import Message
from app.registration.applying import cancel
from app.registration.models import Application
from app.registration.reviewing import approve, decline, move
from app.registration.settling import settle
from tests.cast import DARA, NOW, RITH, SOKHA, holder, make_actor
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()


# ---- approving


def test_who_is_approved_is_seated_where_there_is_a_seat(hall: SmallHall):
    row = hall.ask("PTY")
    assert approve(hall.db, OPERATOR, hall.forum, row.code, now=NOW, note="as agreed") == "seated"
    assert hall.seat(row).kind == "person"
    assert hall.mails(row) == ["awaiting", "approved"]
    assert hall.facts(row) == ["registration.submitted", "seat.given", "registration.seated"]
    assert hall.row(row.code).decision_note == "as agreed"


def test_a_held_seat_becomes_the_persons(hall: SmallHall):
    row = hall.ask("DIP")
    place = hall.seat(row).number
    assert approve(hall.db, OPERATOR, hall.forum, row.code, now=NOW) == "seated"
    assert (hall.seat(row).number, hall.seat(row).kind) == (place, "person")


def test_who_is_approved_in_a_full_hall_waits_from_when_they_asked(hall: SmallHall):
    asked_first = hall.ask("PTY")
    seated, _, asked_later = hall.ask("STU"), hall.ask("STU"), hall.ask("STU")
    assert approve(hall.db, OPERATOR, hall.forum, asked_first.code, now=NOW) == "waiting"
    assert hall.mails(asked_first) == ["awaiting", "approved_waiting"]
    cancel(hall.db, holder(seated), hall.forum, seated.code, now=NOW)
    assert (hall.state(asked_first), hall.state(asked_later)) == ("seated", "waiting")


def test_only_who_awaits_approval_can_be_approved(hall: SmallHall):
    rows = [hall.ask("STU") for _ in range(3)]
    for row in rows:
        with pytest.raises(Conflict, match="step_not_possible"):
            approve(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    assert [hall.state(row) for row in rows] == ["seated", "seated", "waiting"]


def test_approving_twice_tells_the_second_that_the_first_was_quicker(hall: SmallHall):
    row = hall.ask("PTY")
    approve(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    with pytest.raises(Conflict, match="step_not_possible"):
        approve(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    assert hall.mails(row).count("approved") == 1


# ---- declining


def test_a_declined_registration_ends_and_its_held_seat_goes_on(hall: SmallHall):
    declined, _ = hall.ask("DIP"), hall.ask("STU")
    waits = hall.ask("STU")
    decline(hall.db, OPERATOR, hall.forum, declined.code, now=NOW, note="the list is closed")
    row = hall.row(declined.code)
    assert (row.state, row.live_key, row.ended_at, row.decision_note) == ("declined", None, NOW, "the list is closed")
    assert hall.state(waits) == "seated"
    assert hall.mails(declined) == ["declined"], "what was not yet sent is withheld"


def test_the_note_of_a_decision_is_not_mailed(hall: SmallHall):
    row = hall.ask("DIP")
    decline(hall.db, OPERATOR, hall.forum, row.code, now=NOW, note="between us")
    values = hall.db.execute(select(table(Message).c["values"])).scalars()
    assert not [told for told in values if "between us" in str(told)]


def test_who_has_a_seat_is_cancelled_not_declined(hall: SmallHall):
    row = hall.ask("STU")
    with pytest.raises(Conflict, match="step_not_possible"):
        decline(hall.db, OPERATOR, hall.forum, row.code, now=NOW)


# ---- moving to another category


def test_a_seat_goes_along_to_the_other_category(hall: SmallHall):
    row = hall.ask("STU")
    place = hall.seat(row).number
    assert move(hall.db, OPERATOR, hall.forum, row.code, "ORG", now=NOW, note="works there") == "seated"
    assert hall.seat(row).number == place
    assert hall.seat(row).category_id == hall.row(row.code).category_id
    fact = history(hall.db, hall.forum.slug, f"registration:{row.code}")[-1]
    assert (fact.kind, fact.before) == ("registration.moved", {"category": "STU"})
    assert fact.after == {"category": "ORG"}
    assert fact.personal == {"note": "works there"}


def test_the_seat_left_behind_in_a_limited_category_goes_to_the_next(hall: SmallHall):
    first, second = hall.ask("ORG"), hall.ask("ORG")
    assert hall.state(second) == "waiting"
    move(hall.db, OPERATOR, hall.forum, first.code, "STU", now=NOW)
    assert (hall.state(first), hall.state(second)) == ("seated", "seated")


def test_nobody_loses_a_seat_by_a_move(hall: SmallHall):
    hall.ask("ORG")
    row = hall.ask("STU")
    with pytest.raises(Refused, match="no_seat_there"):
        move(hall.db, OPERATOR, hall.forum, row.code, "ORG", now=NOW)
    assert hall.state(row) == "seated"


@pytest.mark.parametrize(("priority", "refused"), [(1, True), (0, False)])
def test_nobody_is_moved_to_a_seat_before_somebody_of_better_standing_there(
    hall: SmallHall, priority: int, refused: bool
):
    row, _ = hall.ask("STU"), hall.ask("STU")
    waits = hall.ask("ORG", now=NOW + timedelta(hours=1))
    applications = table(Application)
    hall.db.execute(update(applications).where(applications.c.id == waits.id).values(priority=priority))
    if refused:
        with pytest.raises(Refused, match="others_wait_there"):
            move(hall.db, OPERATOR, hall.forum, row.code, "ORG", now=NOW + timedelta(hours=2))
        assert hall.row(row.code).category_id == row.category_id
    else:
        move(hall.db, OPERATOR, hall.forum, row.code, "ORG", now=NOW + timedelta(hours=2))
        assert hall.row(row.code).category_id == waits.category_id
    assert hall.seat(row).category_id == hall.row(row.code).category_id
    assert (hall.state(row), hall.state(waits)) == ("seated", "waiting")


def test_who_only_waits_too_is_moved_behind_those_of_better_standing(hall: SmallHall):
    hall.ask("STU"), hall.ask("STU")
    first, moved = hall.ask("ORG"), hall.ask("STU")
    assert move(hall.db, OPERATOR, hall.forum, moved.code, "ORG", now=NOW) == "waiting"
    assert [hall.row(row.code).category_id for row in (first, moved)] == [first.category_id] * 2


def test_who_waits_may_find_a_seat_in_the_other_category(hall: SmallHall):
    _, waits = hall.ask("ORG"), hall.ask("ORG")
    assert move(hall.db, OPERATOR, hall.forum, waits.code, "STU", now=NOW) == "seated"
    assert hall.mails(waits) == ["waiting", "promoted"]


@pytest.mark.parametrize(
    ("category", "reason"), [("STU", "same_category"), ("NOBODY", "unknown_category"), ("ORG", "ended")]
)
def test_a_move_that_makes_no_sense_is_refused(hall: SmallHall, category: str, reason: str):
    row = hall.ask("STU")
    if reason == "ended":
        cancel(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    with pytest.raises(Refused, match=reason):
        move(hall.db, OPERATOR, hall.forum, row.code, category, now=NOW)


# ---- who may


def decide(hall: SmallHall, name: str, by: Actor, code: str) -> Any:
    if name == "move":
        return move(hall.db, by, hall.forum, code, "STU", now=NOW)
    return {"approve": approve, "decline": decline}[name](hall.db, by, hall.forum, code, now=NOW)


@pytest.mark.parametrize("name", ["approve", "decline", "move"])
def test_deciding_is_for_those_whose_role_includes_it(hall: SmallHall, name: str):
    row = hall.ask("PTY")
    with pytest.raises(Forbidden):
        decide(hall, name, make_actor(hall.db, DARA, Role.VIEWER), row.code)
    for nobody in (Actor.visitor(), holder(row), make_actor(hall.db, RITH)):
        with pytest.raises(NotFound):
            decide(hall, name, nobody, row.code)
    assert hall.state(row) == "awaiting"
    decide(hall, name, make_actor(hall.db, SOKHA, Role.REGISTRAR), row.code)


@pytest.mark.parametrize("name", ["approve", "decline", "move"])
def test_a_code_of_nobody_is_not_found(hall: SmallHall, name: str):
    with pytest.raises(NotFound):
        decide(hall, name, OPERATOR, "NOTHERE")


def test_a_decision_first_settles_what_is_due(hall: SmallHall):
    unconfirmed, _ = hall.ask("STU"), hall.ask("STU")
    hall.mail_leaves(unconfirmed)
    asks = hall.ask("PTY")
    assert approve(hall.db, OPERATOR, hall.forum, asks.code, now=NOW + timedelta(hours=48)) == "seated"
    assert hall.state(unconfirmed) == "expired"
    settle(hall.db, hall.forum, now=NOW + timedelta(hours=48))
