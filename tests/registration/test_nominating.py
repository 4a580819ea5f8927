"""What a focal point does: names, substitutes, withdraws, hands back; and what the deadline does."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.kit.db import Db, table
from app.kit.errors import NotFound, Refused
from app.kit.inputs import parse
from app.mail.models import Message
from app.registration import accompanying, nominating
from app.registration.applying import cancel
from app.registration.delegation_queries import desk_delegation
from app.registration.delegations import seat_rows
from app.registration.inputs import CompanionInput, Person
from app.registration.reminding import remind_focal_points
from app.registration.settling import settle
from tests.cast import DARA, NOW, SECRET, holder
from tests.embassies import DEADLINE, delegate, make_delegation, name_some
from tests.registration.hall import SmallHall

LATER = DEADLINE + timedelta(hours=1)


class Embassy:
    """A hall of four seats in which an embassy has three, kept by Dara."""

    def __init__(self, db: Db, file: ForumFile) -> None:
        self.hall = SmallHall(db, file)
        self.hall.arrange(4)
        self.db, self.forum = db, self.hall.forum
        self.row = make_delegation(db, "STU", 3)
        self.by = Actor.focal_point(self.row.id)

    def seats(self) -> list[tuple[int, int | None]]:
        return sorted((seat.id, seat.application_id) for seat in seat_rows(self.db, self.row.id))

    def named(self) -> int:
        return sum(person is not None for _, person in self.seats())

    def name(self, *people: Any, **more: Any) -> list[Any]:
        return [self.hall.row(code) for code in name_some(self.db, self.row, *people, **more)]

    def substitute(self, old: Any, new: Any, *, now: Any = NOW, key: str = "swap") -> Any:
        code = self.row.code
        return self.hall.row(
            nominating.substitute(self.db, self.by, self.forum, code, old.code, new, key, SECRET, now=now)
        )

    def withdraw(self, row: Any, *, now: Any = NOW) -> bool:
        return nominating.withdraw_member(self.db, self.by, self.forum, self.row.code, row.code, now=now)

    def mails(self) -> list[str]:
        messages = table(Message)
        about = messages.c.subject == f"delegation:{self.row.code}"
        return list(self.db.execute(select(messages.c.template).where(about).order_by(messages.c.id)).scalars())


@pytest.fixture
def embassy(db: Db, forum_file: ForumFile) -> Embassy:
    return Embassy(db, forum_file)


def test_naming_fills_a_seat_and_adds_none_and_the_person_is_confirmed(embassy: Embassy) -> None:
    before = embassy.seats()
    (one,) = embassy.name(delegate(1, heads="yes"))
    assert [seat for seat, _ in embassy.seats()] == [seat for seat, _ in before]
    assert (one.state, one.confirmed_at, one.heads_delegation, one.email) == (
        "seated",
        NOW,
        True,
        "envoy1@embassy.example",
    )
    assert embassy.hall.mails(one) == ["delegation/named"]
    assert embassy.hall.facts(one) == ["registration.named", "seat.given"]


def test_about_somebody_without_an_address_the_focal_point_is_written_to(embassy: Embassy) -> None:
    (one,) = embassy.name(delegate(1, email=""))
    assert (one.email, one.assistant_name, one.live_key) == (DARA.email, DARA.name, f"{DARA.email}|envoy1 an")
    assert embassy.hall.mails(one) == ["delegation/named"]
    several = embassy.name(delegate(2, email=""), delegate(3, email=""))
    assert [embassy.hall.mails(each) for each in several] == [[], []], "a list writes no mail for each to one address"
    with pytest.raises(Refused) as refused:
        embassy.name(delegate(1, email=""))
    assert refused.value.code == "seats_unnamed"


def test_the_same_form_twice_names_nobody_twice(embassy: Embassy) -> None:
    first = embassy.name(delegate(1), delegate(2), key="one")
    again = embassy.name(delegate(1), delegate(2), key="one")
    assert [row.code for row in first] == [row.code for row in again]
    assert embassy.named() == 2


@pytest.mark.parametrize(
    "changed",
    [
        [delegate(1), delegate(3)],
        [delegate(2), delegate(1)],
        [delegate(1), delegate(2), delegate(3)],
        [delegate(1), delegate(2, given_name="Another")],
        [delegate(1), delegate(2, email="")],
    ],
)
def test_the_same_form_with_others_in_it_is_refused_and_not_said_to_be_done(embassy: Embassy, changed: Any) -> None:
    embassy.name(delegate(1), delegate(2), key="one")
    with pytest.raises(Refused, match="form_sent_already"):
        embassy.name(*changed, key="one")
    assert embassy.named() == 2


def test_the_same_exchange_with_another_in_it_is_refused(embassy: Embassy) -> None:
    old, other = embassy.name(delegate(1), delegate(2))
    new = embassy.substitute(old, delegate(3), key="swap")
    assert embassy.substitute(old, delegate(3), key="swap").code == new.code
    with pytest.raises(Refused, match="form_sent_already"):
        embassy.substitute(old, delegate(4), key="swap")
    with pytest.raises(Refused, match="form_sent_already"):
        embassy.substitute(other, delegate(3), key="swap")
    assert embassy.hall.state(other) == "seated"


def test_all_of_a_list_are_named_or_nobody(embassy: Embassy) -> None:
    for people in ([delegate(n) for n in range(4)], [delegate(1), delegate(1)]):
        with pytest.raises(Refused):
            embassy.name(*people)
    taken = embassy.hall.ask("STU")
    with pytest.raises(Refused) as refused:
        embassy.name(delegate(1), delegate(2, email=taken.email))
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("1", "member_registered")]
    assert embassy.named() == 0


def test_there_is_one_head_at_most(embassy: Embassy) -> None:
    one, two = embassy.name(delegate(1, heads="yes"), delegate(2))
    assert nominating.set_head(embassy.db, embassy.by, embassy.forum, embassy.row.code, two.code, now=NOW)
    assert not nominating.set_head(embassy.db, embassy.by, embassy.forum, embassy.row.code, two.code, now=NOW)
    assert [embassy.hall.row(row.code).heads_delegation for row in (one, two)] == [False, True]


@pytest.mark.parametrize("now", [NOW, LATER])
def test_a_substitute_sits_on_the_same_seat_before_the_deadline_and_after(embassy: Embassy, now: Any) -> None:
    (old,) = embassy.name(delegate(1))
    seat = embassy.hall.seat(old)
    settle(embassy.db, embassy.forum, now=now)
    new = embassy.substitute(old, delegate(2), now=now)
    same = embassy.hall.seat(new)
    assert (same.id, same.number, same.delegation_id) == (seat.id, seat.number, embassy.row.id)
    former = embassy.hall.row(old.code)
    assert (former.state, former.decision_note, former.live_key) == ("cancelled", "substituted", None)
    assert embassy.hall.mails(former) == ["delegation/substituted"], "what had not left about the old seat stays"
    assert embassy.substitute(old, delegate(2), now=now).code == new.code, "the same form again"


def test_a_substitute_of_the_same_address_is_possible_and_one_registered_elsewhere_is_not(embassy: Embassy) -> None:
    (old,) = embassy.name(delegate(1))
    new = embassy.substitute(old, delegate(1, given_name="Another"))
    assert new.given_name == "Another"
    other = embassy.hall.ask("STU")
    with pytest.raises(Refused) as refused:
        embassy.substitute(new, delegate(2, email=other.email), key="again")
    assert refused.value.code == "member_registered"
    assert embassy.hall.state(new) == "seated"


def test_a_seat_of_somebody_withdrawn_is_the_delegations_until_the_deadline_and_the_next_ones_after(
    embassy: Embassy,
) -> None:
    one, two, _three = embassy.name(delegate(1, heads="yes"), delegate(2), delegate(3))
    embassy.hall.ask("STU", now=NOW)
    waiting = embassy.hall.ask("STU", now=NOW)
    assert embassy.withdraw(one)
    assert (len(embassy.seats()), embassy.named(), embassy.hall.state(waiting)) == (3, 2, "waiting")
    assert not embassy.hall.row(one.code).heads_delegation
    settle(embassy.db, embassy.forum, now=LATER)
    another = embassy.hall.ask("STU", now=LATER)
    assert embassy.withdraw(two, now=LATER)
    assert (len(embassy.seats()), embassy.hall.state(waiting), embassy.hall.state(another)) == (1, "seated", "seated")


def test_somebody_who_cancels_leaves_the_seat_to_the_delegation(embassy: Embassy) -> None:
    (one,) = embassy.name(delegate(1, heads="yes"))
    cancel(embassy.db, holder(one), embassy.forum, one.code, now=NOW)
    assert (len(embassy.seats()), embassy.named(), embassy.hall.row(one.code).heads_delegation) == (3, 0, False)
    party = desk_delegation(embassy.db, Actor.operator(), embassy.forum, embassy.row.code)
    assert ([one.row.state for one in party.former], party.unnamed) == (["cancelled"], 3)


def test_what_is_handed_back_goes_to_those_who_wait(embassy: Embassy) -> None:
    embassy.hall.ask("STU")
    waiting = embassy.hall.ask("STU")
    deed = nominating.hand_back
    assert deed(embassy.db, embassy.by, embassy.forum, embassy.row.code, 2, now=NOW) == 2
    assert (len(embassy.seats()), embassy.hall.state(waiting)) == (1, "seated")
    with pytest.raises(Refused):
        deed(embassy.db, embassy.by, embassy.forum, embassy.row.code, 2, now=NOW)


def test_at_the_deadline_unnamed_seats_go_to_those_who_wait_and_nobody_can_be_named(embassy: Embassy) -> None:
    embassy.name(delegate(1))
    embassy.hall.ask("STU")
    waiting = embassy.hall.ask("STU")
    settle(embassy.db, embassy.forum, now=DEADLINE)
    assert (len(embassy.seats()), embassy.hall.state(waiting)) == (1, "seated")
    assert embassy.mails() == ["delegation/invited", "delegation/released"]
    with pytest.raises(Refused) as refused:
        embassy.name(delegate(2), now=DEADLINE)
    assert refused.value.code == "past_deadline"


def test_a_focal_point_is_reminded_once_while_seats_have_no_name(embassy: Embassy) -> None:
    assert remind_focal_points(embassy.db, embassy.forum, now=DEADLINE - timedelta(days=8)) == 0
    assert remind_focal_points(embassy.db, embassy.forum, now=DEADLINE - timedelta(days=7)) == 1
    assert remind_focal_points(embassy.db, embassy.forum, now=DEADLINE - timedelta(days=6)) == 0
    assert embassy.mails() == ["delegation/invited", "delegation/reminder"]


def test_nobody_is_reminded_of_seats_that_all_have_names(embassy: Embassy) -> None:
    embassy.name(delegate(1), delegate(2), delegate(3))
    assert remind_focal_points(embassy.db, embassy.forum, now=DEADLINE - timedelta(days=1)) == 0


def test_only_whoever_has_no_address_is_corrected_and_what_they_need_stays(embassy: Embassy) -> None:
    own, theirs = embassy.name(delegate(1), delegate(2, email=""))
    sent = parse(Person, {"family_name": "Right", "given_name": "An"})

    def correct(row: Any) -> bool:
        return nominating.correct_member(
            embassy.db, embassy.by, embassy.forum, embassy.row.code, row.code, sent, 1, now=NOW
        )

    with pytest.raises(Refused) as refused:
        correct(own)
    assert refused.value.code == "corrects_alone"
    needs = nominating._needs
    embassy.db.execute(needs.insert().values(application_id=theirs.id, meals="No meat", access=""))
    assert correct(theirs)
    assert embassy.hall.row(theirs.code).family_name == "Right"
    assert (
        embassy.db.execute(select(needs.c.meals).where(needs.c.application_id == theirs.id)).scalar_one() == "No meat"
    )


def test_one_delegations_focal_point_finds_nothing_of_another(embassy: Embassy) -> None:
    other = make_delegation(embassy.db, "STU", 1, institution="Another embassy")
    (theirs,) = name_some(embassy.db, other, delegate(7))
    db, forum, code = embassy.db, embassy.forum, embassy.row.code
    with pytest.raises(NotFound):
        nominating.set_head(db, embassy.by, forum, other.code, theirs, now=NOW)
    for deed in (nominating.set_head, nominating.withdraw_member):
        with pytest.raises(NotFound):
            deed(db, embassy.by, forum, code, theirs, now=NOW)
    with pytest.raises(NotFound):
        nominating.substitute(db, embassy.by, forum, code, theirs, delegate(8), "k", SECRET, now=NOW)
    with pytest.raises(NotFound):
        cancel(db, embassy.by, forum, theirs, now=NOW)


def test_who_accompanied_somebody_exchanged_ends_too_and_the_badge_goes_to_the_next(embassy: Embassy) -> None:
    hall = embassy.hall
    badge = hall.categories[0].model_copy(
        update={"code": "INTP", "guarantee": 0, "limit": 1, "in_hall": False, "mode": "invitation"}
    )
    hall.arrange(4, categories=[*hall.categories, badge])

    def bring(row: Any, name: str) -> Any:
        sent = parse(CompanionInput, {"category": "INTP", "family_name": name})
        return hall.row(accompanying.add(hall.db, holder(row), hall.forum, row.code, sent, name, SECRET, now=NOW).code)

    old, other = embassy.name(delegate(1), delegate(2))
    theirs, waiting = bring(old, "Interpreter"), bring(other, "Second")
    assert (hall.state(theirs), hall.state(waiting)) == ("seated", "waiting")
    embassy.substitute(old, delegate(3))
    assert (hall.row(theirs.code).state, hall.seat(theirs), hall.row(theirs.code).live_key) == ("cancelled", None, None)
    assert (hall.state(waiting), hall.seat(waiting).outside) == ("seated", True)


def test_who_accompanied_somebody_may_take_the_seat_of_that_person(embassy: Embassy) -> None:
    hall = embassy.hall
    badge = hall.categories[0].model_copy(update={"code": "ACC", "in_hall": False, "mode": "invitation"})
    hall.arrange(4, categories=[*hall.categories, badge])
    (old,) = embassy.name(delegate(1, email=""))
    sent = parse(CompanionInput, {"category": "ACC", "family_name": "Envoy2", "given_name": "An"})
    accompanying.add(hall.db, holder(old), hall.forum, old.code, sent, "along", SECRET, now=NOW)
    assert embassy.substitute(old, delegate(2, email="")).state == "seated"
