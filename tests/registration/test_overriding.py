from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.kit.errors import Conflict, Forbidden, Invalid, Refused
from app.kit.inputs import parse
from app.registration.applying import cancel
from app.registration.inputs import PriorityInput
from app.registration.overriding import seat_beyond, set_priority
from tests.cast import DARA, NOW, SLUG, SOKHA, holder, make_actor
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()


def beyond(hall: SmallHall, row: Any, reason: str = "Named by the host") -> Any:
    return seat_beyond(hall.db, OPERATOR, hall.forum, row.code, reason, now=NOW)


def prefer(hall: SmallHall, row: Any, priority: int, reason: str = "Speaks in the first panel") -> bool:
    sent = PriorityInput(priority=priority, reason=reason)
    return set_priority(hall.db, OPERATOR, hall.forum, row.code, sent, now=NOW)


def test_somebody_is_seated_over_the_limit_of_a_group_with_a_reason_that_stays(hall: SmallHall):
    hall.ask("ORG")
    row = hall.ask("ORG")
    went = beyond(hall, row)
    assert (hall.state(row), went.over_limit, went.eats) == ("seated", True, ())
    fact = next(fact for fact in history(hall.db, SLUG, f"registration:{row.code}") if fact.kind == "seat.beyond")
    assert fact.after == {"category": "ORG", "over_limit": True, "eats": {}}
    assert fact.personal == {"note": "Named by the host"}, "it may name somebody: not where the hash covers it"
    assert hall.mails(row) == ["waiting", "promoted"]


def test_a_guarantee_of_others_is_eaten_by_name(hall: SmallHall):
    categories = list(hall.categories)
    categories[4] = categories[4].model_copy(update={"guarantee": 1})
    hall.arrange(2, categories)
    hall.ask("STU")
    row = hall.ask("STU")
    assert hall.state(row) == "waiting"
    assert beyond(hall, row).eats == (("THK", 1),)
    assert hall.state(row) == "seated"


def test_beyond_the_capacity_nobody_is_seated(hall: SmallHall):
    hall.ask("STU"), hall.ask("STU")
    row = hall.ask("STU")
    with pytest.raises(Refused, match="no_place"):
        beyond(hall, row)


def test_no_override_where_the_rule_gives_a_seat(hall: SmallHall):
    for category in ("PTY", "DIP"):
        with pytest.raises(Refused, match="seat_by_rule"):
            beyond(hall, hall.ask(category))


def test_who_sits_or_has_ended_cannot_be_seated_once_more(hall: SmallHall):
    row = hall.ask("STU")
    with pytest.raises(Conflict, match="step_not_possible"):
        beyond(hall, row)
    cancel(hall.db, holder(row), hall.forum, row.code, now=NOW)
    with pytest.raises(Conflict, match="step_not_possible"):
        beyond(hall, row)


def test_seating_beyond_limits_is_for_organisers(hall: SmallHall):
    hall.ask("ORG")
    row = hall.ask("ORG")
    with pytest.raises(Forbidden):
        seat_beyond(hall.db, make_actor(hall.db, DARA, Role.REGISTRAR), hall.forum, row.code, "so", now=NOW)
    seat_beyond(hall.db, make_actor(hall.db, SOKHA, Role.ORGANISER), hall.forum, row.code, "so", now=NOW)
    assert hall.state(row) == "seated"


def test_who_has_priority_goes_first(hall: SmallHall):
    sits, _, first, second = (hall.ask("STU") for _ in range(4))
    assert prefer(hall, second, 3)
    cancel(hall.db, holder(sits), hall.forum, sits.code, now=NOW)
    assert [hall.state(row) for row in (first, second)] == ["waiting", "seated"]
    fact = next(one for one in history(hall.db, SLUG, f"registration:{second.code}") if "priority" in one.kind)
    assert (fact.before, fact.after) == ({"priority": 0}, {"priority": 3})
    assert fact.personal == {"note": "Speaks in the first panel"}


def test_the_same_priority_again_changes_nothing_and_none_forgets_the_reason(hall: SmallHall):
    row = hall.ask("STU")
    assert prefer(hall, row, 3)
    assert not prefer(hall, row, 3)
    assert prefer(hall, row, 0)
    assert (hall.row(row.code).priority, hall.row(row.code).priority_reason) == (0, "")


def test_a_priority_says_why():
    with pytest.raises(Invalid) as invalid:
        parse(PriorityInput, {"priority": "1", "reason": " "})
    assert [fault.code for fault in invalid.value.faults] == ["reason_missing"]
    assert parse(PriorityInput, {"priority": "0"}).priority == 0


def test_priority_is_for_the_living_and_by_those_who_decide(hall: SmallHall):
    row, sent = hall.ask("STU"), PriorityInput(priority=1, reason="so")
    with pytest.raises(Forbidden):
        set_priority(hall.db, make_actor(hall.db, DARA, Role.FINANCE), hall.forum, row.code, sent, now=NOW)
    cancel(hall.db, holder(row), hall.forum, row.code, now=NOW)
    with pytest.raises(Refused, match="ended"):
        prefer(hall, row, 1)
