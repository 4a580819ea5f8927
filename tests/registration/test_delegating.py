"""Inviting delegations, changing their seats and focal points, withdrawing them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.models import Fact
from app.kit.codes import digest
from app.kit.db import table
from app.kit.errors import Conflict, Forbidden, NotFound, Refused
from app.kit.inputs import parse
from app.mail.models import Message
from app.registration.delegating import correct_delegation, invite, resize, share_evenly, withdraw
from app.registration.delegation_inputs import DelegationInput, InvitingInput, SeatsInput, ShareInput
from app.registration.delegation_links import renew_link, show_delegation_link
from app.registration.delegation_queries import delegations, evenness, own_delegation
from app.registration.delegations import delegation_of, page_token, seat_rows
from app.registration.models import Delegation
from app.registration.settling import settle
from tests.cast import NOW, RITH, SECRET, SLUG, SOKHA, VANNA, holder, make_actor
from tests.embassies import DEADLINE, delegate, inviting, make_delegation, name_some, page_of
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()


@pytest.fixture
def hall(hall: SmallHall) -> SmallHall:
    hall.arrange(8)
    return hall


def mails(hall: SmallHall, row: Any, *states: str) -> list[str]:
    messages = table(Message)
    about = messages.c.subject == f"delegation:{row.code}"
    found = hall.db.execute(select(messages.c.template, messages.c.state).where(about).order_by(messages.c.id))
    return [one.template.partition("/")[2] for one in found if not states or one.state in states]


def details(**changes: Any) -> DelegationInput:
    sent = {name: value for name, value in inviting().items() if name in DelegationInput.model_fields}
    return parse(DelegationInput, {**sent, **changes})


def seats(number: int, **changes: Any) -> SeatsInput:
    return parse(SeatsInput, {"seats": number, **changes})


def test_an_invitation_takes_its_seats_and_writes_to_the_focal_point(hall: SmallHall) -> None:
    row = make_delegation(hall.db, "STU", 3, reference="NV 14")
    rows = seat_rows(hall.db, row.id)
    assert [(seat.kind, seat.application_id, seat.number) for seat in rows] == [
        ("delegation", None, n) for n in (1, 2, 3)
    ]
    assert mails(hall, row) == ["invited"]
    assert own_delegation(hall.db, page_of(row)).unnamed == 3


def test_seats_that_are_not_there_are_refused_with_how_many_are(hall: SmallHall) -> None:
    make_delegation(hall.db, "STU", 6)
    with pytest.raises(Refused) as refused:
        make_delegation(hall.db, "STU", 3)
    assert [(fault.field, fault.code, fault.values["free"]) for fault in refused.value.faults] == [
        ("seats", "delegation_no_room", 2)
    ]


def test_beyond_a_limit_needs_the_permission_and_a_reason_and_never_goes_beyond_the_hall(hall: SmallHall) -> None:
    over = {"over": "yes", "over_reason": "The ambassador leaves on Friday"}
    with pytest.raises(Refused):
        make_delegation(hall.db, "ORG", 2)
    registrar = make_actor(hall.db, SOKHA, Role.REGISTRAR)
    with pytest.raises(Forbidden):
        make_delegation(hall.db, "ORG", 2, by=registrar, **over)
    with pytest.raises(Refused) as refused:
        make_delegation(hall.db, "ORG", 2, over="yes")
    assert refused.value.faults[0].code == "over_needs_reason"
    row = make_delegation(hall.db, "ORG", 2, **over)
    facts = table(Fact)
    told = hall.db.execute(select(facts).where(facts.c.kind == "delegation.invited")).one()
    assert (told.after["over"], told.personal["note"]) == (1, over["over_reason"])
    assert len(seat_rows(hall.db, row.id)) == 2
    with pytest.raises(Refused) as full:
        make_delegation(hall.db, "ORG", 7, **over)
    assert full.value.faults[0].code == "no_place"


@pytest.mark.parametrize("deadline", [NOW, NOW - timedelta(days=1)])
def test_a_deadline_lies_ahead(hall: SmallHall, deadline: Any) -> None:
    with pytest.raises(Refused) as refused:
        make_delegation(hall.db, "STU", 1, deadline=deadline)
    assert refused.value.faults[0].code == "deadline_past"


def test_a_deadline_lies_before_the_end_of_the_forum(hall: SmallHall) -> None:
    with pytest.raises(Refused) as refused:
        make_delegation(hall.db, "STU", 1, deadline=NOW + timedelta(days=400))
    assert refused.value.faults[0].code == "deadline_after_forum"


def test_more_seats_are_taken_by_the_rule_and_fewer_only_as_far_as_they_have_no_name(hall: SmallHall) -> None:
    row = make_delegation(hall.db, "STU", 3)
    name_some(hall.db, row, delegate(1), delegate(2))
    assert resize(hall.db, OPERATOR, hall.forum, row.code, seats(5), now=NOW)
    assert len(seat_rows(hall.db, row.id)) == 5
    with pytest.raises(Refused) as refused:
        resize(hall.db, OPERATOR, hall.forum, row.code, seats(1), now=NOW)
    assert (refused.value.faults[0].code, refused.value.faults[0].values) == ("delegation_named", {"named": 2})
    waiting = [hall.ask() for _ in range(4)][-1]
    assert hall.state(waiting) == "waiting"
    assert resize(hall.db, OPERATOR, hall.forum, row.code, seats(2), now=NOW)
    assert hall.state(waiting) == "seated", "what is given up goes to the next in the same deed"
    assert not resize(hall.db, OPERATOR, hall.forum, row.code, seats(2), now=NOW)


def test_every_party_has_the_same_share_unless_a_reason_is_written(hall: SmallHall) -> None:
    first = make_delegation(hall.db, "PTY", 2)
    with pytest.raises(Refused) as refused:
        make_delegation(hall.db, "PTY", 1)
    assert (refused.value.faults[0].field, refused.value.faults[0].values) == ("uneven_reason", {"seats": 2})
    second = make_delegation(hall.db, "PTY", 1, uneven_reason="It asked for one")
    third = make_delegation(hall.db, "PTY", 2)
    with pytest.raises(Refused):
        resize(hall.db, OPERATOR, hall.forum, third.code, seats(3), now=NOW)
    check = evenness(delegations(hall.db, OPERATOR, hall.forum))
    assert (check.common, check.parties, check.holds) == (2, 3, True)
    assert [(line.row.code, share.reason) for line, share in check.differing] == [(second.code, "It asked for one")]
    assert share_evenly(hall.db, OPERATOR, hall.forum, ShareInput(seats=3), now=NOW) == 2
    assert [delegation_of(hall.db, hall.forum, one.code).seats for one in (first, second, third)] == [3, 1, 3]


def uneven(hall: SmallHall, *numbers: int) -> list[Any]:
    """Parties with these numbers of seats and no reason, as an older state may be."""
    rows = [make_delegation(hall.db, "PTY", number, uneven_reason="for now") for number in numbers]
    hall.db.execute(table(Delegation).update().values(uneven_reason=""))
    return rows


def test_what_one_party_gives_up_goes_to_those_who_wait_before_another_party(hall: SmallHall) -> None:
    hall.arrange(4)
    rows = uneven(hall, 3, 1)
    waiting = hall.ask()
    assert hall.state(waiting) == "waiting"
    with pytest.raises(Refused) as refused, hall.db.begin_nested():
        share_evenly(hall.db, OPERATOR, hall.forum, ShareInput(seats=2), now=NOW)
    assert (hall.state(waiting), len(seat_rows(hall.db, rows[0].id))) == ("waiting", 3)
    (fault,) = refused.value.faults
    assert (fault.code, fault.values) == ("delegation_no_room", {"free": 0, "wanted": 1})
    assert share_evenly(hall.db, OPERATOR, hall.forum, ShareInput(seats=1), now=NOW) >= 1
    assert hall.state(waiting) == "seated"
    assert [len(seat_rows(hall.db, row.id)) for row in rows] == [1, 1]


def test_where_nobody_waits_what_one_party_gives_up_is_there_for_another(hall: SmallHall) -> None:
    hall.arrange(4)
    rows = uneven(hall, 3, 1)
    assert share_evenly(hall.db, OPERATOR, hall.forum, ShareInput(seats=2), now=NOW) == 2
    assert [len(seat_rows(hall.db, row.id)) for row in rows] == [2, 2]


def test_equal_shares_that_do_not_fit_are_refused_with_what_all_parties_want(hall: SmallHall) -> None:
    uneven(hall, 2, 2, 2)
    with pytest.raises(Refused) as refused:
        share_evenly(hall.db, OPERATOR, hall.forum, ShareInput(seats=4), now=NOW)
    assert refused.value.faults[0].values == {"free": 2, "wanted": 6}


def test_the_check_fails_where_a_share_differs_without_a_reason(hall: SmallHall) -> None:
    make_delegation(hall.db, "PTY", 2)
    odd = make_delegation(hall.db, "PTY", 1, uneven_reason="for now")
    hall.db.execute(table(Delegation).update().where(table(Delegation).c.id == odd.id).values(uneven_reason=""))
    assert not evenness(delegations(hall.db, OPERATOR, hall.forum)).holds


def test_another_focal_point_gets_a_link_and_the_old_one_ends(hall: SmallHall) -> None:
    row = make_delegation(hall.db, "STU", 2)
    old = page_of(row)
    sent = details(focal_email="new@embassy.example", focal_name="Somebody New")
    assert correct_delegation(hall.db, OPERATOR, hall.forum, row.code, sent, 1, SECRET, now=NOW)
    with pytest.raises(NotFound):
        own_delegation(hall.db, old)
    assert own_delegation(hall.db, page_token(SECRET, row.id, 2)).row.focal_name == "Somebody New"
    assert mails(hall, row, "queued") == ["invited"]
    assert mails(hall, row, "withheld") == ["invited"], "the old address gets no link any more"
    with pytest.raises(Conflict):
        correct_delegation(hall.db, OPERATOR, hall.forum, row.code, details(reference="x"), 1, SECRET, now=NOW)
    assert not correct_delegation(hall.db, OPERATOR, hall.forum, row.code, sent, 2, SECRET, now=NOW)


def test_a_deadline_set_anew_opens_the_delegation_again_with_the_seats_it_has(hall: SmallHall) -> None:
    row = make_delegation(hall.db, "STU", 2)
    name_some(hall.db, row, delegate(1))
    later = DEADLINE + timedelta(hours=1)
    settle(hall.db, hall.forum, now=later)
    assert len(seat_rows(hall.db, row.id)) == 1
    sent = details(deadline=later + timedelta(days=3))
    assert correct_delegation(hall.db, OPERATOR, hall.forum, row.code, sent, 1, SECRET, now=later)
    assert resize(hall.db, OPERATOR, hall.forum, row.code, seats(3), now=later)
    name_some(hall.db, row, delegate(2), delegate(3), now=later)


@pytest.mark.parametrize("people", [True, False])
def test_a_withdrawn_invitation_gives_up_its_seats_and_those_named_only_if_asked(hall: SmallHall, people: bool) -> None:
    row = make_delegation(hall.db, "STU", 8)
    (code,) = name_some(hall.db, row, delegate(1, heads="yes"))
    waiting = hall.ask()
    assert withdraw(hall.db, OPERATOR, hall.forum, row.code, people=people, now=NOW)
    assert hall.row(code).state == ("cancelled" if people else "seated")
    assert hall.state(waiting) == "seated"
    assert mails(hall, row, "queued") == ["withdrawn"]
    assert not withdraw(hall.db, OPERATOR, hall.forum, row.code, people=people, now=NOW)
    with pytest.raises(Refused):
        name_some(hall.db, row, delegate(2))
    with pytest.raises(Refused):
        resize(hall.db, OPERATOR, hall.forum, row.code, seats(9), now=NOW)


def test_renewing_the_link_ends_the_old_one_and_showing_it_is_noted(hall: SmallHall) -> None:
    row = make_delegation(hall.db, "STU", 1)
    renew_link(hall.db, OPERATOR, hall.forum, row.code, SECRET, now=NOW)
    lang, token = show_delegation_link(hall.db, OPERATOR, hall.forum, row.code, SECRET, now=NOW)
    assert (lang, digest(token)) == ("en", delegation_of(hall.db, hall.forum, row.code).digest)
    with pytest.raises(NotFound):
        own_delegation(hall.db, page_of(row))
    facts = table(Fact)
    kinds = hall.db.execute(select(facts.c.kind).where(facts.c.subject == f"delegation:{row.code}")).scalars().all()
    assert kinds == ["delegation.invited", "delegation.link_renewed", "delegation.link_shown"]


@pytest.mark.parametrize("figure", [VANNA, RITH])
def test_nobody_without_a_role_invites_or_changes(hall: SmallHall, figure: Any) -> None:
    row, stranger = make_delegation(hall.db, "STU", 1), make_actor(hall.db, figure)
    sent = parse(InvitingInput, inviting("STU", 1))
    for by in (stranger, Actor.focal_point(row.id), holder(row)):
        with pytest.raises(NotFound):
            invite(hall.db, by, hall.forum, sent, SECRET, now=NOW)
        with pytest.raises(NotFound):
            resize(hall.db, by, hall.forum, row.code, seats(2), now=NOW)
        with pytest.raises(NotFound):
            withdraw(hall.db, by, hall.forum, row.code, people=True, now=NOW)
    assert hall.forum.slug == SLUG
