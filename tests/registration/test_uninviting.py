"""Invited people erased: at their wish, with a registration, or on the day of the purge; contacts of delegations."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.audit.recording import first_broken, history
from app.forum.queries import ends_at
from app.kit.db import table
from app.kit.errors import Forbidden, NotFound, Refused
from app.registration import applying, delegating, inviting, replying
from app.registration.delegations import delegation_of, write_to_focal_point
from app.registration.erasing import erase
from app.registration.retaining import dry_run, purge
from app.registration.settling import settle
from app.registration.uninviting import erase_invited, is_empty
from tests.cast import BOPHA, NOW, SECRET, SLUG, SOKHA, holder, make_actor, request
from tests.embassies import make_delegation
from tests.registration.hall import SmallHall
from tests.registration.test_inviting import OPERATOR, Role, accept, again, coded, invited, kept, mails
from tests.registration.whole import everything

TELLING = {
    "email": "telling@person.example",
    "titles": "Tellingtitle",
    "family_name": "Tellingfamily",
    "given_name": "Tellinggiven",
    "name_km": "ឈ្មោះប្រាប់",
    "display_name": "Tellingdisplay",
    "institution": "Tellinghouse",
    "position_title": "Tellingpost",
}


def telling(hall: SmallHall, **changes: Any) -> Any:
    return invited(hall, **{**TELLING, **changes})


def left(hall: SmallHall) -> list[str]:
    """What is left of the telling words in the whole database."""
    text = everything(hall.db)
    return [word for word in TELLING.values() if word in text]


# ---- at the person's own wish


def test_an_invited_person_erased_leaves_nothing_and_the_kept_seat_goes_to_the_next(hall: SmallHall):
    row = telling(hall, reserves="yes")
    hall.ask()
    waits = hall.ask()
    assert (hall.state(waits), left(hall)) == ("waiting", list(TELLING.values()))
    assert erase_invited(hall.db, Actor.invited(row.id), hall.forum, row.code, now=NOW)
    assert left(hall) == []
    assert (again(hall, row).state, hall.state(waits), kept(hall, row)) == ("declined", "seated", 0)
    assert is_empty(again(hall, row))
    assert history(hall.db, SLUG, f"invitation:{row.code}")[-1].kind == "invitation.erased"
    assert first_broken(hall.db, SLUG) is None
    assert not erase_invited(hall.db, Actor.invited(row.id), hall.forum, row.code, now=NOW)


def test_no_reminder_leaves_for_who_was_erased_and_the_link_seats_nobody(hall: SmallHall):
    row = telling(hall)
    assert erase_invited(hall.db, Actor.invited(row.id), hall.forum, row.code, now=NOW)
    assert inviting.remind_invited(hall.db, hall.forum, now=row.reply_by - timedelta(days=1)) == 0
    assert mails(hall, row) == [("invitation/sent", "withheld")]
    token = inviting.invitation_token(SECRET, row.id, row.generation)
    assert replying.invitation_by_token(hall.db, token).id == row.id, "its page says that it is done"
    with pytest.raises(Refused, match="invitation_declined"):
        accept(hall, row)


def test_an_organiser_erases_an_invited_person_and_others_do_not(hall: SmallHall):
    row, other = telling(hall), invited(hall)
    with pytest.raises(NotFound):
        erase_invited(hall.db, Actor.invited(other.id), hall.forum, row.code, now=NOW)
    with pytest.raises(Forbidden):
        erase_invited(hall.db, make_actor(hall.db, SOKHA, Role.FINANCE), hall.forum, row.code, now=NOW)
    assert left(hall) == list(TELLING.values())
    assert erase_invited(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    assert (again(hall, row).state, left(hall)) == ("withdrawn", [])


def test_a_code_names_nobody_and_is_not_erased(hall: SmallHall):
    row = coded(hall)
    with pytest.raises(NotFound):
        erase_invited(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    assert again(hall, row).state == "open"


def test_an_invitation_in_use_is_erased_with_its_registration_and_not_before(hall: SmallHall):
    row = telling(hall)
    bopha = accept(hall, row, email=TELLING["email"])
    with pytest.raises(Refused, match="invitation_in_use"):
        erase_invited(hall.db, Actor.invited(row.id), hall.forum, row.code, now=NOW)
    assert erase(hall.db, holder(bopha), hall.forum, bopha.code, now=NOW)
    assert left(hall) == []
    assert again(hall, row).state == "withdrawn"
    with pytest.raises(Refused, match="invitation_withdrawn"):
        accept(hall, row, key="once more")


def test_an_invitation_whose_registration_was_cancelled_is_erased_and_can_be_used_no_more(hall: SmallHall):
    row = telling(hall)
    bopha = accept(hall, row)
    applying.cancel(hall.db, holder(bopha), hall.forum, bopha.code, now=NOW)
    assert erase_invited(hall.db, Actor.invited(row.id), hall.forum, row.code, now=NOW)
    assert left(hall) == []
    with pytest.raises(Refused, match="invitation_declined"):
        accept(hall, row, key="once more")


# ---- with a registration from the same address


def test_an_open_invitation_to_an_address_whose_registration_is_erased_is_withdrawn_and_emptied(hall: SmallHall):
    hall.arrange(capacity=3)
    row = telling(hall, email="Telling@Person.example", reserves="yes")
    hall.ask("STU")
    sent = request(BOPHA, category="STU", email="telling@person.example")
    own = hall.row(applying.apply(hall.db, Actor.visitor(), hall.forum, sent, "own", SECRET, now=NOW).code)
    waits = hall.ask("STU"), hall.ask("STU")
    assert erase(hall.db, holder(own), hall.forum, own.code, now=NOW)
    assert (left(hall), again(hall, row).state) == ([], "withdrawn")
    assert [hall.state(one) for one in waits] == ["seated", "seated"], "both seats went on"
    assert inviting.remind_invited(hall.db, hall.forum, now=row.reply_by - timedelta(days=1)) == 0
    assert {state for _, state in mails(hall, row)} == {"withheld"}


def test_from_an_assistants_address_only_the_same_persons_invitation_is_erased(hall: SmallHall):
    office = {"email": "office@ministry.example", "assistant_name": "Meas Sokha"}
    own = hall.ask("STU", **office, given_name="Bopha", family_name="Chea", name_km="")
    other = invited(hall, email=office["email"], family_name="Somebody", given_name="Else")
    erase(hall.db, holder(own), hall.forum, own.code, now=NOW)
    assert (again(hall, other).state, again(hall, other).family_name) == ("open", "Somebody")
    second = hall.ask("STU", **office, given_name="Else", family_name="Somebody", name_km="")
    erase(hall.db, holder(second), hall.forum, second.code, now=NOW)
    assert (again(hall, other).state, again(hall, other).family_name) == ("withdrawn", "")


# ---- on the day of the purge


def after(hall: SmallHall) -> Any:
    end = ends_at(hall.forum)
    assert end is not None
    return end + timedelta(days=30)


@pytest.mark.parametrize("how", ["declined", "lapsed", "withdrawn", "open"])
def test_the_purge_empties_invitations_nobody_came_by(hall: SmallHall, how: str):
    row = telling(hall, reply_by="" if how == "open" else "2026-12-20")
    if how == "declined":
        replying.decline(hall.db, hall.forum, row.id, "Tellingword", now=NOW)
    elif how == "withdrawn":
        inviting.withdraw(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    elif how == "lapsed":
        settle(hall.db, hall.forum, now=row.reply_by)
    assert again(hall, row).state == how
    found = dry_run(hall.db, OPERATOR, hall.forum, now=after(hall))
    assert found.invitations == 1
    assert purge(hall.db, OPERATOR, hall.forum, now=after(hall), before_the_day=True) == found.emptied
    assert (left(hall), "Tellingword" in everything(hall.db)) == ([], False)
    assert again(hall, row).state == ("lapsed" if how == "open" else how)
    assert dry_run(hall.db, OPERATOR, hall.forum, now=after(hall)).emptied == 0
    assert first_broken(hall.db, SLUG) is None


def test_who_was_invited_and_came_stays_as_the_list_of_participants_does(hall: SmallHall):
    row = telling(hall)
    accept(hall, row)
    coded(hall)
    assert dry_run(hall.db, OPERATOR, hall.forum, now=after(hall)).invitations == 0
    purge(hall.db, OPERATOR, hall.forum, now=after(hall), before_the_day=True)
    assert again(hall, row).family_name == TELLING["family_name"]


def test_an_invitation_that_waits_for_an_answer_stays_until_the_forum_is_over(hall: SmallHall):
    row = telling(hall)
    assert dry_run(hall.db, OPERATOR, hall.forum, now=NOW).invitations == 0
    purge(hall.db, OPERATOR, hall.forum, now=NOW, before_the_day=True)
    assert (again(hall, row).state, again(hall, row).email) == ("open", TELLING["email"])


@pytest.mark.parametrize("how", ["withdrawn", "released", "over"])
def test_the_purge_empties_the_contact_of_a_delegation_that_names_nobody_any_more(hall: SmallHall, how: str):
    party = make_delegation(hall.db, "DIP", 1, focal_name="Tellingfocal", focal_email="telling@person.example")
    now = after(hall) if how == "over" else NOW
    assert dry_run(hall.db, OPERATOR, hall.forum, now=NOW).delegations == 0
    if how == "withdrawn":
        delegating.withdraw(hall.db, OPERATOR, hall.forum, party.code, people=False, now=NOW)
    elif how == "released":
        now = party.deadline
        settle(hall.db, hall.forum, now=now)
    assert dry_run(hall.db, OPERATOR, hall.forum, now=now).delegations == 1
    purge(hall.db, OPERATOR, hall.forum, now=now, before_the_day=True)
    text = everything(hall.db)
    assert [word for word in ("Tellingfocal", "telling@person.example") if word in text] == []
    row = delegation_of(hall.db, hall.forum, party.code)
    assert (row.institution, row.digest) == (party.institution, party.digest)
    write_to_focal_point(hall.db, hall.forum, row, "withdrawn", now=now)
    assert "delegation/withdrawn" not in {one[0] for one in _queued(hall)}, "there is no address to write to"


def _queued(hall: SmallHall) -> list[Any]:
    from app.mail.models import Message

    messages = table(Message)
    waits = (messages.c.state == "queued") & (messages.c.template == "delegation/withdrawn")
    return list(hall.db.execute(select(messages.c.template).where(waits)))
