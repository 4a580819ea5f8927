"""The rows of the desk's lists: each list asks as much of the database for more lines as for few."""

from datetime import timedelta
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.kit.db import Db
from app.registration import holding
from app.registration.applying import confirm
from app.registration.inputs import HoldBackInput
from app.registration.letter_inputs import LetterInput
from app.registration.lettering import ask_for_letter
from app.registration.picking import pick
from app.web.deps import Desk
from app.web.lists import BY_NAME, LISTS
from tests.cast import NOW, holder
from tests.embassies import delegate, make_delegation, name_some
from tests.papers import make_material
from tests.registration.hall import SmallHall
from tests.registration.test_inviting import invited
from tests.registration.whole import PASSPORT

GROWS = frozenset({"invitations", "delegations", "delegates", "hold-backs", "letters", "attendance", "materials"})
GROWS |= {"outbox", "facts"}
"""The lists that what is added here makes longer; the others are as long as the forum's file made them."""


@pytest.fixture
def hall(db: Db, forum_file: ForumFile) -> SmallHall:
    found = SmallHall(db, forum_file)
    found.arrange(capacity=60)
    return found


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


def test_a_line_has_every_column_of_its_list(hall: SmallHall) -> None:
    add_one_of_each(hall, 1)
    desk = Desk(Actor.operator(), "km", "", hall.forum)
    for name, listed in BY_NAME.items():
        known = {one.name for one in listed.columns}
        for line in listed.read(hall.db, desk):
            assert known <= line.keys() | {"taken", "waiting", "picked"}, name
