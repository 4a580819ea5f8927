"""The rows of the desk's lists: each list asks as much of the database for more lines as for few."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.accounts.actor import Actor
from app.forum.queries import forum_id
from app.kit.db import table
from app.programme.queries import published
from app.programme.rules.visibility import withholds_attendance
from app.registration import holding
from app.registration.applying import confirm
from app.registration.inputs import HoldBackInput
from app.registration.letter_inputs import LetterInput
from app.registration.lettering import ask_for_letter
from app.registration.models import Application
from app.registration.picking import pick, put_picks
from app.reports.lists import BY_NAME, LISTS
from app.web.deps import Desk
from tests.cast import NOW, holder
from tests.embassies import delegate, make_delegation, name_some
from tests.papers import make_material
from tests.registration.hall import SmallHall
from tests.registration.test_inviting import accept, invited
from tests.registration.whole import PASSPORT

GROWS = frozenset({"invitations", "delegations", "delegates", "hold-backs", "letters", "attendance", "materials"})
GROWS |= {"outbox", "facts"}
"""The lists that what is added here makes longer; the others are as long as the forum's file made them."""


@pytest.fixture
def hall(hall: SmallHall) -> SmallHall:
    hall.arrange(capacity=60)
    return hall


def add_one_of_each(hall: SmallHall, number: int) -> None:
    db, forum, by = hall.db, hall.forum, Actor.operator()
    one = hall.ask("STU")
    confirm(db, by, forum, one.code, now=NOW)
    pick(db, by, forum, one.code, "D1-08", now=NOW)
    letter = LetterInput(kind="visa", language="en", **PASSPORT)  # type: ignore[arg-type]
    ask_for_letter(db, holder(one), forum, one.code, letter, f"letter{number}", now=NOW)
    invited(hall, email=f"guest{number}@elsewhere.example", family_name=f"Guest{number}")
    embassy = make_delegation(db, "DIP", 2, focal_email=f"focal{number}@embassy.example")
    name_some(db, embassy, delegate(2 * number), delegate(2 * number + 1))
    sent = HoldBackInput(category="STU", seats=1, purpose="Late guests", release_at=NOW + timedelta(days=1))
    holding.keep_back(db, by, forum, sent, now=NOW)
    make_material(db)


def test_every_list_asks_as_many_queries_for_three_as_for_one(hall: SmallHall, queries: Any) -> None:
    desk = Desk(Actor.operator(), "en", "", hall.forum)
    asked: list[dict[str, tuple[int, int]]] = []
    for numbers in ((1,), (2, 3)):
        for number in numbers:
            add_one_of_each(hall, number)
        found = {}
        for listed in LISTS:
            with queries() as counted:
                rows = list(listed.read(hall.db, desk))
            found[listed.name] = (len(counted), len(rows))
        asked.append(found)
    few, more = asked
    assert {name: count for name, (count, _) in few.items()} == {name: count for name, (count, _) in more.items()}
    assert {name for name in few if more[name][1] > few[name][1]} == GROWS
    assert min(rows for _, rows in few.values()) >= 0
    assert max(count for count, _ in more.values()) <= 8


def test_in_a_private_capacity_no_list_puts_anybody_beside_their_delegation(hall: SmallHall) -> None:
    db, people = hall.db, table(Application)
    first = make_delegation(db, "DIP", 2, institution="First embassy")
    last = make_delegation(db, "DIP", 1, institution="Last embassy", focal_email="last@embassy.example")
    head, _ = name_some(db, first, delegate(1), delegate(2))
    name_some(db, last, delegate(3))
    private = people.c.code == head
    db.execute(update(people).where(private).values(attends_as="private", heads_delegation=True))
    desk = Desk(Actor.operator(), "en", "", hall.forum)
    listed = list(BY_NAME["delegates"].read(db, desk))
    assert [(line["delegation"], line["name"]) for line in listed] == [
        (first.code, "ENVOY2 An"),
        (last.code, "ENVOY3 An"),
        ("", "ENVOY1 An"),
    ]
    assert [line["head"] for line in BY_NAME["delegations"].read(db, desk)] == ["", ""]


def test_an_invitation_answered_in_a_private_capacity_says_no_institution(hall: SmallHall) -> None:
    told = {"institution": "A ministry", "position_title": "Minister"}
    first, second = (invited(hall, email=f"{name}@elsewhere.example", **told) for name in ("one", "two"))
    accept(hall, first, email=first.email, attends_as="private", **told)
    desk = Desk(Actor.operator(), "en", "", hall.forum)
    said = {
        line["code"]: (line["institution"], line["position_title"])
        for line in BY_NAME["invitations"].read(hall.db, desk)
    }
    assert said == {first.code: ("", ""), second.code: ("A ministry", "Minister")}


def test_the_log_as_a_file_names_no_session_of_which_attendance_is_withheld(hall: SmallHall) -> None:
    one = hall.ask("STU")
    confirm(hall.db, Actor.operator(), hall.forum, one.code, now=NOW)
    desk = Desk(Actor.operator(), "en", "", hall.forum)
    sessions = published(hall.db, forum_id(hall.forum)).sessions
    withheld = {each.code for each in sessions if withholds_attendance(each.attribution)}
    told = {each.code for each in sessions} - withheld
    chosen = {min(withheld), min(told)}
    put_picks(hall.db, Actor.operator(), hall.forum, one.code, chosen, None, now=NOW, forced=True)
    lines = [line for line in BY_NAME["facts"].read(hall.db, desk) if line["kind"] == "registration.picks"]
    assert lines
    assert [(each, name) for line in lines for name, each in line.items() if min(withheld) in str(each)] == []
    assert all(min(told) in str(line["after"]) and min(told) in str(line["what"]) for line in lines)


def test_a_line_has_every_column_of_its_list(hall: SmallHall) -> None:
    add_one_of_each(hall, 1)
    desk = Desk(Actor.operator(), "km", "", hall.forum)
    for name, listed in BY_NAME.items():
        known = {one.name for one in listed.columns}
        for line in listed.read(hall.db, desk):
            assert known <= line.keys() | {"taken", "waiting", "picked"}, name
