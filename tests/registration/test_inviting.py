"""Invitations: seats kept with them, accepting, declining, lapsing, reminding, codes and their uses."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.kit.db import table
from app.kit.errors import Forbidden, Invalid, NotFound, Refused, TooMany
from app.kit.inputs import parse
from app.mail.models import Message
from app.registration import applying, inviting, replying, reviewing
from app.registration.entering import enter
from app.registration.invitation_inputs import CodeInput, Guest
from app.registration.models import Application, Seat
from app.registration.settling import settle
from tests.cast import BOPHA, NOW, SECRET, SOKHA, VANNA, holder, make_actor, request
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()
SOON = date(2026, 12, 20)
_seats, _messages, _applications = table(Seat), table(Message), table(Application)


def guest(category: str = "THK", **changes: Any) -> Guest:
    """Bopha as the organisers invite her."""
    names = {"family_name": BOPHA.family_name, "given_name": BOPHA.given_name, "name_km": BOPHA.name_km}
    sent = {"category": category, "email": BOPHA.email, "language": "km", "titles": BOPHA.titles, **names}
    return parse(Guest, {**sent, "reply_by": SOON.isoformat(), **changes})


def invited(hall: SmallHall, category: str = "THK", *, now: Any = NOW, by: Actor = OPERATOR, **changes: Any) -> Any:
    """The row of a personal invitation."""
    code = inviting.invite(hall.db, by, hall.forum, guest(category, **changes), SECRET, now=now)
    return inviting.invitation_of(hall.db, hall.forum, code)


def coded(hall: SmallHall, category: str = "THK", **changes: Any) -> Any:
    """The row of an invitation by code."""
    sent = parse(CodeInput, {"category": category, "uses": 2, "reply_by": SOON.isoformat(), **changes})
    return inviting.invitation_of(hall.db, hall.forum, inviting.make_code(hall.db, OPERATOR, hall.forum, sent, now=NOW))


def again(hall: SmallHall, row: Any) -> Any:
    return inviting.invitation_of(hall.db, hall.forum, row.code)


def accept(hall: SmallHall, row: Any, *, key: str = "answer", now: Any = NOW, **changes: Any) -> Any:
    """The invited person registers; the application's row."""
    category = changes.pop("category", "THK")
    sent = request(BOPHA, category=category, **changes)
    asked = replying.accept(hall.db, hall.forum, row.id, sent, key, SECRET, now=now)
    return hall.row(asked.code)


def kept(hall: SmallHall, row: Any) -> int:
    """Seats kept with an invitation and not used yet."""
    mine = (_seats.c.invitation_id == row.id) & _seats.c.application_id.is_(None)
    return len(hall.db.execute(select(_seats.c.id).where(mine)).all())


def mails(hall: SmallHall, row: Any) -> list[tuple[str, str]]:
    about = select(_messages.c.template, _messages.c.state).where(_messages.c.subject == f"invitation:{row.code}")
    return [(found.template, found.state) for found in hall.db.execute(about.order_by(_messages.c.id))]


# ---- a personal invitation


def test_an_invited_person_gets_the_kept_seat_in_a_full_hall_and_need_not_confirm(hall: SmallHall):
    row = invited(hall, reserves="yes")
    hall.ask("STU")
    assert hall.state(hall.ask("STU")) == "waiting", "the kept seat counts as taken"
    bopha = accept(hall, row)
    assert (bopha.state, bopha.confirmed_at, bopha.invitation_id) == ("seated", NOW, row.id)
    assert hall.seat(bopha).kind == "person"
    assert kept(hall, row) == 0
    assert again(hall, row).state == "accepted"
    assert hall.mails(bopha) == ["invited"]


def test_at_another_address_the_invited_person_confirms_it_first(hall: SmallHall):
    bopha = accept(hall, invited(hall, reserves="yes"), email="office@ministry.example")
    assert (bopha.state, bopha.confirmed_at) == ("seated", None)
    assert hall.mails(bopha) == ["seated"]


def test_without_a_kept_seat_the_seat_rule_decides(hall: SmallHall):
    row = invited(hall)
    hall.ask("STU"), hall.ask("STU")
    assert accept(hall, row).state == "waiting"


def test_nobody_reviews_whom_the_organisers_invited(hall: SmallHall):
    assert accept(hall, invited(hall, "PTY"), category="PTY").state == "seated"


def test_without_an_invitation_the_door_stays_closed(hall: SmallHall):
    with pytest.raises(Refused, match="door_by_invitation"):
        hall.ask("THK")


def test_a_seat_that_cannot_be_kept_is_refused_with_how_many_are_free(hall: SmallHall):
    hall.ask("STU"), hall.ask("STU")
    with pytest.raises(Refused) as refused:
        invited(hall, reserves="yes")
    assert (refused.value.code, refused.value.values["free"]) == ("not_enough_seats", 0)
    assert refused.value.values["category"].en == "Thinkers and policy-makers", "the group by its name"


def test_beyond_a_limit_a_seat_is_kept_with_a_reason_and_the_permission_alone(hall: SmallHall):
    hall.ask("ORG")
    registrar = make_actor(hall.db, SOKHA, Role.REGISTRAR)
    with pytest.raises(Forbidden), hall.db.begin_nested():
        invited(hall, "ORG", reserves="yes", reason="A late guest of honour", by=registrar)
    row = invited(hall, "ORG", reserves="yes", reason="A late guest of honour")
    assert kept(hall, row) == 1
    with pytest.raises(Refused, match="not_enough_seats"):
        invited(hall, "ORG", reserves="yes", reason="Never beyond the hall", email="else@ministry.example")


@pytest.mark.parametrize("how", ["declined", "withdrawn", "lapsed"])
def test_a_kept_seat_that_is_not_wanted_goes_to_the_next_at_once(hall: SmallHall, how: str):
    row = invited(hall, reserves="yes")
    hall.ask("STU")
    waiting = hall.ask("STU")
    assert waiting.state == "waiting"
    if how == "declined":
        assert replying.decline(hall.db, hall.forum, row.id, "Abroad then", now=NOW)
    elif how == "withdrawn":
        inviting.withdraw(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    else:
        settle(hall.db, hall.forum, now=row.reply_by)
    assert again(hall, row).state == how
    assert hall.state(waiting) == "seated"
    with pytest.raises(Refused, match=f"invitation_{how}"):
        accept(hall, row)


def test_saying_no_twice_is_harmless_and_after_a_yes_it_is_refused(hall: SmallHall):
    row = invited(hall)
    assert replying.decline(hall.db, hall.forum, row.id, "", now=NOW)
    assert not replying.decline(hall.db, hall.forum, row.id, "", now=NOW)
    other = invited(hall, email="other@ministry.example")
    accept(hall, other)
    with pytest.raises(Refused, match="invitation_used"):
        replying.decline(hall.db, hall.forum, other.id, "", now=NOW)


def test_the_same_form_sent_twice_is_answered_twice_and_registers_once(hall: SmallHall):
    row = invited(hall, reserves="yes")
    assert accept(hall, row).code == accept(hall, row).code
    with pytest.raises(Refused, match="invitation_used"):
        accept(hall, row, key="another", email="another@ministry.example")


def test_who_cancels_may_come_back_with_the_same_invitation(hall: SmallHall):
    row = invited(hall, reserves="yes")
    first = accept(hall, row)
    applying.cancel(hall.db, holder(first), hall.forum, first.code, now=NOW)
    assert accept(hall, row, key="second thoughts").state == "seated"


@pytest.mark.parametrize("how", ["cancelled", "declined"])
def test_an_invitation_whose_registration_an_organiser_ended_seats_nobody_any_more(hall: SmallHall, how: str):
    row = invited(hall, reserves="yes")
    first = accept(hall, row)
    if how == "declined":
        hall.db.execute(update(_applications).where(_applications.c.id == first.id).values(state="awaiting"))
        reviewing.decline(hall.db, OPERATOR, hall.forum, first.code, now=NOW)
    else:
        applying.cancel(hall.db, OPERATOR, hall.forum, first.code, now=NOW)
    assert (hall.state(first), again(hall, row).state) == (how, "withdrawn")
    for email in (BOPHA.email, "else@ministry.example"):
        with pytest.raises(Refused, match="invitation_withdrawn"):
            accept(hall, row, key="once more", email=email)


def test_a_code_stays_open_for_others_where_an_organiser_ends_a_registration_made_with_it(hall: SmallHall):
    row = coded(hall)
    first = accept(hall, row, email="senator@senate.example")
    applying.cancel(hall.db, OPERATOR, hall.forum, first.code, now=NOW)
    assert again(hall, row).state == "open"


def test_an_accepted_invitation_is_withdrawn_once_its_registration_has_ended_and_not_before(hall: SmallHall):
    row = invited(hall)
    first = accept(hall, row)
    with pytest.raises(Refused, match="invitation_answered"):
        inviting.withdraw(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    applying.cancel(hall.db, holder(first), hall.forum, first.code, now=NOW)
    inviting.withdraw(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    with pytest.raises(Refused, match="invitation_withdrawn"):
        accept(hall, row, key="too late")
    with pytest.raises(Refused, match="invitation_answered"):
        inviting.withdraw(hall.db, OPERATOR, hall.forum, row.code, now=NOW)


def test_an_invitation_outlasts_the_closing_of_registration_where_it_has_a_date_of_its_own(hall: SmallHall):
    after = NOW + timedelta(days=61)
    dated = invited(hall, reply_by=(after + timedelta(days=3)).date().isoformat())
    undated = invited(hall, reply_by="", email="other@ministry.example")
    assert accept(hall, dated, now=after).state == "seated"
    with pytest.raises(Refused, match="door_closed"):
        accept(hall, undated, now=after, key="late", email="other@ministry.example")


@pytest.mark.parametrize("reserves", ["", "yes"])
def test_somebody_who_waits_already_is_seated_by_an_invitation_that_keeps_a_seat(hall: SmallHall, reserves: str):
    hall.ask("STU")
    row = invited(hall, "STU", reserves=reserves)
    if not reserves:
        hall.ask("STU")
    asked = applying.apply(hall.db, Actor.visitor(), hall.forum, request(BOPHA, category="STU"), "b", SECRET, now=NOW)
    bopha = hall.row(asked.code)
    assert bopha.state == "waiting"
    assert accept(hall, row, category="STU").code == bopha.code
    assert hall.state(bopha) == ("seated" if reserves else "waiting")
    assert again(hall, row).state == ("accepted" if reserves else "open")
    assert hall.mails(bopha)[-1] == ("invited" if reserves else "known")


def test_two_open_invitations_to_one_address_are_refused_and_so_is_an_address_twice_in_a_list(hall: SmallHall):
    invited(hall)
    with pytest.raises(Invalid) as refused:
        invited(hall, email=BOPHA.email.upper())
    assert refused.value.faults[0].code == "invited_already"
    both = [guest(email="a@b.example"), guest(email="A@b.example")]
    with pytest.raises(Invalid):
        inviting.invite_many(hall.db, OPERATOR, hall.forum, both, SECRET, now=NOW)


def test_a_reply_date_in_the_past_is_refused(hall: SmallHall):
    with pytest.raises(Invalid):
        invited(hall, reply_by="2026-11-30")


# ---- mails


def test_the_reminder_goes_out_once_a_week_before_the_reply_date(hall: SmallHall):
    row = invited(hall)
    assert mails(hall, row) == [("invitation/sent", "queued")]
    due = row.reply_by - timedelta(days=7)
    assert inviting.remind_invited(hall.db, hall.forum, now=due - timedelta(seconds=1)) == 0
    assert inviting.remind_invited(hall.db, hall.forum, now=due) == 1
    assert inviting.remind_invited(hall.db, hall.forum, now=due) == 0
    accept(hall, row, now=due)
    assert {state for _, state in mails(hall, row)} == {"withheld"}


def test_a_short_time_to_reply_is_halved(hall: SmallHall):
    row = invited(hall, reply_by="2026-12-03")
    half = row.created_at + (row.reply_by - row.created_at) / 2
    assert inviting.remind_invited(hall.db, hall.forum, now=half - timedelta(seconds=1)) == 0
    assert inviting.remind_invited(hall.db, hall.forum, now=half) == 1


def test_another_reply_date_has_a_reminder_of_its_own(hall: SmallHall):
    row = invited(hall)
    inviting.remind_invited(hall.db, hall.forum, now=row.reply_by - timedelta(days=7))
    assert inviting.set_reply_date(hall.db, OPERATOR, hall.forum, row.code, date(2027, 1, 20), now=NOW)
    assert not inviting.set_reply_date(hall.db, OPERATOR, hall.forum, row.code, date(2027, 1, 20), now=NOW)
    later = again(hall, row)
    assert mails(hall, row)[-1] == ("invitation/reminder", "withheld")
    assert inviting.remind_invited(hall.db, hall.forum, now=later.reply_by - timedelta(days=7)) == 1


def test_a_renewed_link_ends_the_old_one_and_is_sent(hall: SmallHall):
    row = invited(hall)
    old = inviting.invitation_token(SECRET, row.id, row.generation)
    assert replying.invitation_by_token(hall.db, old).id == row.id
    inviting.renew(hall.db, OPERATOR, hall.forum, row.code, SECRET, now=NOW)
    with pytest.raises(NotFound):
        replying.invitation_by_token(hall.db, old)
    assert mails(hall, row) == [("invitation/sent", "withheld"), ("invitation/sent", "queued")]


def test_an_invitation_without_an_address_sends_nothing_and_its_link_can_be_shown(hall: SmallHall):
    row = invited(hall, email="")
    assert mails(hall, row) == []
    with pytest.raises(Refused, match="no_address"):
        inviting.send_again(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    _, token = inviting.show_link(hall.db, OPERATOR, hall.forum, row.code, SECRET, now=NOW)
    assert replying.invitation_by_token(hall.db, token).id == row.id


# ---- codes


def test_a_code_opens_its_category_for_as_many_as_it_has_uses(hall: SmallHall):
    row = coded(hall, code="senate 7f3k", reserves="yes")
    assert row.code == "SENATE-7F3K"
    assert kept(hall, row) == 2
    for typed in ("SENATE-7F3K", "senate7f3k", " Senate 7F3K "):
        assert replying.invitation_by_code(hall.db, hall.forum, typed).id == row.id
    first, second = (
        accept(hall, row, key=f"use{number}", email=f"senator{number}@senate.example") for number in (1, 2)
    )
    assert (first.state, second.state) == ("seated", "seated")
    assert first.confirmed_at is None, "a code proves no address"
    with pytest.raises(Refused, match="invitation_used"):
        accept(hall, row, key="use3", email="senator3@senate.example")
    assert again(hall, row).state == "open"


def test_a_code_does_not_open_another_category(hall: SmallHall):
    with pytest.raises(Refused, match="code_other_group"):
        accept(hall, coded(hall), category="STU")


def test_a_code_is_made_where_none_is_typed_and_none_is_made_twice(hall: SmallHall):
    assert coded(hall).code.startswith("THK-")
    coded(hall, code="SENATE-7F3K")
    with pytest.raises(Invalid):
        coded(hall, code="senate7f-3k")
    with pytest.raises(Invalid):
        coded(hall, code="ABC-1")


def test_a_personal_invitation_is_opened_by_its_link_alone(hall: SmallHall):
    assert replying.invitation_by_code(hall.db, hall.forum, invited(hall).code) is None


def test_codes_cannot_be_guessed_and_a_right_one_is_refused_too_after_many_wrong_ones(hall: SmallHall):
    row = coded(hall, code="SENATE-7F3K")

    def tried(typed: str) -> replying.Tried:
        return replying.try_code(hall.db, hall.forum, typed, "somebody", 3, 3600, now=NOW)

    assert tried(row.code) == replying.Tried("THK")
    assert [tried(f"GUESS-{number}00").refusal for number in range(3)] == ["code_unknown"] * 3
    for typed in ("GUESS-300", row.code):
        with pytest.raises(TooMany):
            tried(typed)


# ---- the organisers' own form


def test_an_organiser_registers_somebody_in_any_category_confirmed_at_once(hall: SmallHall):
    for number, category in enumerate(("THK", "PTY")):
        sent = request(VANNA, category=category, email=f"person{number}@office.example")
        asked = enter(hall.db, OPERATOR, hall.forum, sent, "By telephone", f"desk{number}", SECRET, now=NOW)
        row = hall.row(asked.code)
        assert (row.state, row.confirmed_at, row.decision_note) == ("seated", NOW, "By telephone")
        assert hall.mails(row) == ["entered"]
        assert hall.facts(row)[-1] == "registration.noted"
    with pytest.raises(Refused, match="registered_already"):
        enter(hall.db, OPERATOR, hall.forum, sent, "", "desk9", SECRET, now=NOW)


def test_who_may_not_decide_registers_nobody_and_invites_nobody(hall: SmallHall):
    finance = make_actor(hall.db, SOKHA, Role.FINANCE)
    with pytest.raises(Forbidden):
        enter(hall.db, finance, hall.forum, request(VANNA), "", "desk", SECRET, now=NOW)
    with pytest.raises(Forbidden):
        invited(hall, by=finance)
