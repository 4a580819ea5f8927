"""The head table follows the order of precedence until two seats are exchanged with a reason."""

import json
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum.queries import forum_id
from app.kit.errors import Conflict, Forbidden, Invalid
from app.registration import applying
from app.registration.head_table import HOST, ExchangeInput, TableInput, exchange, set_table, table_of
from app.registration.rules.head_table import Shape
from tests.cast import NOW, SLUG, holder
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()


@pytest.fixture
def four(hall: SmallHall) -> list[Any]:
    hall.arrange(capacity=4)
    return [hall.ask("STU", family_name=name) for name in ("Alpha", "Beta", "Gamma", "Delta")]


def put(
    hall: SmallHall, guests: list[Any], *, seats: int = 3, host: str = "", edition: int = 0, by: Actor = OPERATOR
) -> None:
    sent = TableInput(seats=seats, shape=Shape.ROW)
    codes = [row.code for row in guests]
    set_table(hall.db, by, hall.forum, sent, codes, host, edition, now=NOW)


def at(hall: SmallHall) -> dict[int, str]:
    found = table_of(hall.db, OPERATOR, hall.forum).at
    return {seat: one.row.family_name for seat, one in sorted(found.items())}


def change(hall: SmallHall, first: int, second: int, edition: int = 1) -> None:
    sent = ExchangeInput(first=first, second=second, reason="Tellingreason")
    exchange(hall.db, OPERATOR, hall.forum, sent, edition, now=NOW)


def test_those_chosen_sit_in_the_order_of_precedence_and_the_host_in_the_middle(
    hall: SmallHall, four: list[Any]
) -> None:
    alpha, beta, gamma, delta = four
    put(hall, [gamma, beta, alpha], host=alpha.code)
    assert at(hall) == {HOST: "Alpha", 1: "Beta", 2: "Gamma"}
    put(hall, [delta], edition=1)
    assert at(hall) == {1: "Delta"}


def test_two_seats_are_exchanged_with_a_reason_that_stands_with_both_people(hall: SmallHall, four: list[Any]) -> None:
    put(hall, four[:2])
    change(hall, 1, 2)
    assert at(hall) == {1: "Beta", 2: "Alpha"}
    change(hall, 2, 3, edition=2)
    assert at(hall) == {1: "Beta", 3: "Alpha"}, "a free seat is moved to"
    facts = [one for one in history(hall.db, SLUG, f"registration:{four[0].code}") if one.kind.endswith("exchanged")]
    assert [(one.before, one.after) for one in facts] == [({"place": 1}, {"place": 2}), ({"place": 2}, {"place": 3})]
    assert {one.personal["reason"] for one in facts} == {"Tellingreason"}
    assert "Telling" not in json.dumps([[one.before, one.after] for one in facts])


def test_what_cannot_be_is_refused(hall: SmallHall, four: list[Any]) -> None:
    for seats, host in ((2, ""), (4, "ZZZZZZZ")):
        with pytest.raises(Invalid):
            put(hall, four, seats=seats, host=host)
    put(hall, four[:2])
    with pytest.raises(Conflict):
        put(hall, four[:2])
    with pytest.raises(Conflict):
        change(hall, 1, 2, edition=0)
    for first, second in ((1, 1), (1, 4), (3, 3)):
        with pytest.raises(Invalid):
            change(hall, first, second)


def test_who_gives_up_the_seat_in_the_hall_leaves_the_one_at_the_table_free(hall: SmallHall, four: list[Any]) -> None:
    put(hall, four[:2])
    applying.cancel(hall.db, holder(four[0]), hall.forum, four[0].code, now=NOW)
    assert at(hall) == {2: "Beta"}
    change(hall, 1, 2)
    assert list(at(hall)) == [1]


def test_only_protocol_sets_the_table(hall: SmallHall, four: list[Any]) -> None:
    own = forum_id(hall.forum)
    put(hall, four[:1], by=Actor("user", 1, roles={own: frozenset({Role.PROTOCOL_OFFICER})}))
    with pytest.raises(Forbidden):
        put(hall, four, edition=1, by=Actor("user", 1, roles={own: frozenset({Role.REGISTRAR})}))


def test_the_table_is_read_with_as_many_queries_for_three_as_for_one(
    hall: SmallHall, four: list[Any], queries: Any
) -> None:
    counts = []
    for edition, guests in enumerate((four[:1], four[:3])):
        put(hall, guests, edition=edition)
        with queries() as counted:
            table_of(hall.db, OPERATOR, hall.forum)
        counts.append(len(counted))
    assert counts == [4, 4]
