"""What the list may be asked, and the orders it stands in."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.forum.queries import forum_id
from app.kit.db import Database, Db
from app.kit.errors import Forbidden
from app.kit.pen import Pen
from app.registration import erasing, tagging
from app.registration.applying import confirm
from app.registration.desk_filters import CHOICES, ORDERS, Further
from app.registration.desk_inputs import TagInput
from app.registration.desk_queries import FEW, Wanted, desk_count, desk_list
from tests.cast import BOPHA, CAST, CHAN, NOW, RITH, SLUG, SOKHA, VANNA, holder, make_actor, make_application, the_forum
from tests.embassies import delegate, make_delegation, name_some
from tests.registration.hall import SmallHall
from tests.registration.test_accompanying import badges, bring

OPERATOR = Actor.operator()


def found(db: Db, **further: Any) -> list[str]:
    """The given names of those that fit, which are as many as are counted."""
    wanted = Wanted(oldest_first=True, further=Further(**further))
    rows, _ = desk_list(db, OPERATOR, the_forum(db), wanted)
    assert desk_count(db, OPERATOR, the_forum(db), wanted)[0] == len(rows)
    assert desk_list(db, OPERATOR, the_forum(db), wanted, of=FEW + 1)[0] == rows
    return [row.given_name for row in rows]


def everybody(db: Db) -> dict[str, Any]:
    """The whole cast, a day apart; Chan in a private capacity and with needs, Vanna confirmed."""
    changes: dict[str, dict[str, Any]] = {CHAN.email: {"attends_as": "private", "meals": "no pork"}}
    rows = {
        figure.given_name: make_application(db, figure, now=NOW + timedelta(days=day), **changes.get(figure.email, {}))
        for day, figure in enumerate(CAST)
    }
    confirm(db, OPERATOR, the_forum(db), rows["Vanna"].code, now=NOW)
    return rows


def test_in_a_private_capacity_nobody_is_found_or_placed_by_their_institution(db: Db) -> None:
    for figure, capacity in ((CHAN, "private"), (RITH, "official"), (VANNA, "official")):
        make_application(db, figure, institution=f"Quaestor of {figure.given_name}", attends_as=capacity)
    rows, _ = desk_list(db, OPERATOR, the_forum(db), Wanted(words="quaestor", oldest_first=True))
    assert [row.given_name for row in rows] == ["Rith", "Vanna"]
    rows, _ = desk_list(db, OPERATOR, the_forum(db), Wanted(order="institution", oldest_first=True))
    assert [row.given_name for row in rows] == ["Rith", "Vanna", "Chan"], "behind all whose institution is told"


def test_each_question_finds_its_own_and_several_together_find_less(db: Db) -> None:
    rows = everybody(db)
    tag = tagging.put_tag(db, OPERATOR, the_forum(db), TagInput(name="Front", letter="F", tone="red"), now=NOW)
    tagging.mark(db, OPERATOR, the_forum(db), rows["Dara"].code, tag, on=True, now=NOW)
    questions: list[tuple[dict[str, Any], list[str]]] = [
        ({"attends_as": "private"}, ["Chan"]),
        ({"country": "FR"}, ["Dara"]),
        ({"institution": "MINISTRY"}, ["Bopha"]),
        ({"institution": "an institute"}, []),
        ({"institution": "%"}, []),
        ({"language": "km"}, ["Bopha", "Vanna"]),
        ({"address": "confirmed"}, ["Vanna"]),
        ({"needs": "meals"}, ["Chan"]),
        ({"needs": "access"}, []),
        ({"needs": "any"}, ["Chan"]),
        ({"invitation": "none"}, [figure.given_name for figure in CAST]),
        ({"invitation": "personal"}, []),
        ({"tag": str(tag)}, ["Dara"]),
        ({"tag": "99"}, []),
        ({"origin": "other"}, ["Dara"]),
        ({"origin": "unknown"}, []),
        ({"origin": "asean", "language": "km"}, ["Bopha", "Vanna"]),
        ({"since": date(2026, 12, 3)}, ["Bopha", "Vanna", "Chan", "Rith"]),
        ({"until": date(2026, 12, 2)}, ["Sokha", "Dara"]),
        ({"since": date(2026, 12, 3), "until": date(2026, 12, 3)}, ["Bopha"]),
        ({"codes": (rows["Rith"].code, rows["Sokha"].code, "NOBODY")}, ["Sokha", "Rith"]),
        ({"language": "km", "address": "unconfirmed"}, ["Bopha"]),
    ]
    for question, names in questions:
        assert (question, found(db, **question)) == (question, names)


def test_a_day_begins_at_midnight_where_the_forum_is(db: Db) -> None:
    make_application(db, RITH, now=NOW.replace(day=2, hour=16, minute=59))
    make_application(db, VANNA, now=NOW.replace(day=2, hour=17))
    assert found(db, until=date(2026, 12, 2)) == ["Rith"]
    assert found(db, since=date(2026, 12, 3)) == ["Vanna"]


def test_who_brings_whom_and_who_comes_for_an_embassy(hall: SmallHall) -> None:
    hall.arrange(capacity=6, categories=[*hall.categories, badges(hall, "INTP", 5)])
    host = hall.ask("STU", given_name="Host")
    confirm(hall.db, OPERATOR, hall.forum, host.code, now=NOW)
    bring(hall, hall.row(host.code))
    row = make_delegation(hall.db, "DIP", 1)
    name_some(hall.db, row, delegate(1, given_name="Envoy"))
    assert found(hall.db, companions="brings") == ["Host"]
    assert len(found(hall.db, companions="comes_along")) == 1
    assert found(hall.db, companions="none") == ["Envoy"]
    assert found(hall.db, delegation=row.code) == ["Envoy"]
    assert found(hall.db, delegation="NOBODY") == []


def test_what_somebody_waits_for_is_asked(hall: SmallHall) -> None:
    hall.ask("ORG", given_name="Sits")
    hall.ask("ORG", given_name="Behind")
    assert {what: found(hall.db, waiting=what) for what in CHOICES["waiting"]} == {
        "hall": [],
        "limit": ["Behind"],
        "guarantees": [],
    }
    hall.ask("STU", given_name="Last")
    hall.ask("STU", given_name="Full")
    assert found(hall.db, waiting="hall") == ["Behind", "Full"]
    assert found(hall.db, waiting="limit") == []


def test_a_place_in_the_hall_is_asked_for(hall: SmallHall) -> None:
    outside = [one.model_copy(update={"in_hall": one.code != "STU"}) for one in hall.categories]
    hall.arrange(categories=outside)
    hall.ask("ORG", given_name="Sits")
    hall.ask("ORG", given_name="Behind")
    assert hall.ask("STU", given_name="Outside").state == "seated"
    assert found(hall.db, place="hall") == ["Sits"]
    assert found(hall.db, place="none") == ["Behind", "Outside"]


def test_needs_are_asked_for_by_those_who_may_see_them(db: Db) -> None:
    everybody(db)
    by, wanted = make_actor(db, SOKHA, Role.REGISTRAR), Wanted(further=Further(needs="any"))
    for read in (desk_list, desk_count):
        with pytest.raises(Forbidden):
            read(db, by, the_forum(db), wanted)  # type: ignore[operator]
    officer = make_actor(db, VANNA, Role.PROTOCOL_OFFICER)
    assert len(desk_list(db, officer, the_forum(db), wanted)[0]) == 1


def in_order(db: Db, order: str, *, up: bool = True, most: int = 2) -> list[str]:
    """Given names through all pages of so many, the walk through many and the search of few giving the same."""
    seen: list[str] = []
    after = ""
    while True:
        wanted = Wanted(oldest_first=up, after=after, order=order)
        rows, more = desk_list(db, OPERATOR, the_forum(db), wanted, most=most)
        assert desk_list(db, OPERATOR, the_forum(db), wanted, most=most, of=FEW + 1) == (rows, more)
        seen += [row.given_name for row in rows]
        if not more:
            return seen
        after = rows[-1].code


BY_ORDER: dict[str, list[str]] = {
    "asked": ["Sokha", "Dara", "Bopha", "Vanna", "Chan", "Rith"],
    "name": ["Bopha", "Rith", "Chan", "Dara", "Sokha", "Vanna"],
    "name_km": ["Chan", "Bopha", "Sokha", "Dara", "Vanna", "Rith"],
    "institution": ["Bopha", "Vanna", "Dara", "Sokha", "Chan", "Rith"],
}


@pytest.mark.parametrize("order", BY_ORDER)
def test_the_list_stands_in_each_order_up_and_down_page_by_page(db: Db, order: str) -> None:
    everybody(db)
    assert in_order(db, order) == BY_ORDER[order]
    assert in_order(db, order, up=False) == BY_ORDER[order][::-1]


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_shows_everybody_once(db: Db, order: str) -> None:
    rows = everybody(db)
    erasing.erase(db, holder(rows["Chan"]), the_forum(db), rows["Chan"].code, now=NOW)
    make_application(db, BOPHA, email="twin@ministry.example", given_name="Twin")
    names = in_order(db, order)
    assert sorted(names) == sorted(["", "Twin", *(f.given_name for f in CAST if f is not CHAN)])
    assert in_order(db, order, up=False, most=3) == names[::-1]


def test_every_order_is_read_from_an_index_and_nothing_is_sorted(db: Db, queries: Callable[[], Any]) -> None:
    if db.get_bind().dialect.name != "sqlite":
        pytest.skip("another way to explain")
    rows = everybody(db)
    for order in ORDERS:
        for after in ("", rows["Dara"].code):
            wanted = Wanted(standing="awaiting", order=order, after=after)
            with queries() as asked:
                desk_list(db, OPERATOR, the_forum(db), wanted, of=FEW + 1)
            plan = explained(db, asked[-1])
            assert not any("TEMP B-TREE" in line for line in plan), (order, plan)


def explained(db: Db, statement: str) -> list[str]:
    """The plan of a statement, whatever stands in its places."""
    places = tuple(forum_id(the_forum(db)) for _ in range(statement.count("?")))
    return [row[3] for row in db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", places)]


def listed(db: Db, wanted: Wanted) -> Any:
    return desk_list(db, OPERATOR, the_forum(db), wanted)


def test_orders_and_questions_are_the_same_on_either_database(either_database: Database) -> None:
    rows = Pen(either_database).write_now(SLUG, everybody)
    pages = {order: either_database.read(partial(in_order, order=order)) for order in BY_ORDER}
    assert pages == BY_ORDER
    further = Further(
        attends_as="official",
        country="KH",
        institution="a",
        language="km",
        address="unconfirmed",
        invitation="none",
        companions="none",
        origin="asean",
        side="policy",
        since=date(2026, 12, 1),
        until=date(2026, 12, 31),
        codes=tuple(row.code for row in rows.values()),
    )
    assert either_database.read(partial(found, **asdict(further))) == ["Bopha"]
    for order in ORDERS:
        further = Further(needs="any", tag="1", delegation="X", waiting="limit", place="none")
        wanted = Wanted(order=order, after=rows["Dara"].code, further=further)
        assert either_database.read(partial(listed, wanted=wanted)) == ([], False)
