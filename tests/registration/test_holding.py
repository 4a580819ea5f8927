from datetime import timedelta
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum.queries import forum_id
from app.kit.errors import Conflict, Forbidden, NotFound, Refused
from app.registration.applying import cancel
from app.registration.holding import change_release, give_held, hold_backs, keep_back, release, takes
from app.registration.inputs import HoldBackInput
from app.registration.quotas import house_of
from app.registration.settling import settle
from tests.cast import DARA, NOW, SLUG, SOKHA, holder, make_actor
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()
LATER = NOW + timedelta(days=3)


def keep(hall: SmallHall, category: str = "STU", seats: int = 1, by: Actor = OPERATOR, **more: Any) -> int:
    sent = HoldBackInput(category=category, seats=seats, purpose="For late dignitaries", **more)
    return keep_back(hall.db, by, hall.forum, sent, now=NOW)


def taken(hall: SmallHall) -> dict[str, int]:
    return {code: n for code, n in house_of(hall.db, forum_id(hall.forum)).taken.items() if n}


def test_seats_kept_back_are_taken_in_their_group(hall: SmallHall):
    number = keep(hall, seats=2, release_at=LATER)
    assert taken(hall) == {"STU": 2}
    assert hall.state(hall.ask("STU")) == "waiting"
    fact = history(hall.db, SLUG, f"hold_back:{number}")[-1]
    assert (fact.kind, fact.after["seats"], fact.personal["purpose"]) == ("hold_back.kept", 2, "For late dignitaries")


def test_more_than_the_rule_gives_are_not_kept_back_without_a_reason(hall: SmallHall):
    with pytest.raises(Refused, match="hold_back_too_many") as refused:
        keep(hall, "ORG", 2)
    assert refused.value.values["left"] == 1
    assert refused.value.values["category"].en == "Organizations and private sector", "the group by its name"


def test_with_a_reason_they_go_over_the_limit_and_never_over_the_capacity(hall: SmallHall):
    number = keep(hall, "ORG", 2, reason="Asked for by the host")
    fact = history(hall.db, SLUG, f"hold_back:{number}")[-1]
    assert (fact.after["over_limit"], fact.personal["note"]) == (True, "Asked for by the host")
    with pytest.raises(Refused, match="hold_back_no_place"):
        keep(hall, "STU", reason="Asked for by the host")


def test_only_who_may_seat_over_limits_keeps_back_beyond_the_rule(hall: SmallHall):
    registrar = make_actor(hall.db, DARA, Role.REGISTRAR)
    with pytest.raises(Forbidden):
        keep(hall, "ORG", 2, by=registrar, reason="so")


def test_what_they_would_take_is_told_before(hall: SmallHall):
    said = takes(hall.db, OPERATOR, hall.forum, "ORG", 2, now=NOW)
    assert said is not None
    assert (said.by_rule, said.possible, said.over_limit) == (False, True, True)
    assert takes(hall.db, OPERATOR, hall.forum, "NONE", 2, now=NOW) is None


def test_at_their_time_they_go_to_those_who_wait(hall: SmallHall):
    keep(hall, seats=2, release_at=LATER)
    first, second = hall.ask("STU"), hall.ask("STU")
    settle(hall.db, hall.forum, now=LATER - timedelta(seconds=1))
    assert hall.state(first) == "waiting"
    settle(hall.db, hall.forum, now=LATER)
    assert [hall.state(row) for row in (first, second)] == ["seated", "seated"]


def test_released_by_hand_they_go_to_those_who_wait_once(hall: SmallHall):
    number = keep(hall, seats=2)
    row = hall.ask("STU")
    assert release(hall.db, OPERATOR, hall.forum, number, now=NOW) == 2
    assert hall.state(row) == "seated"
    with pytest.raises(Refused, match="hold_back_released"):
        release(hall.db, OPERATOR, hall.forum, number, now=NOW)


def test_the_time_of_release_is_moved_and_not_into_the_past(hall: SmallHall):
    number = keep(hall, release_at=LATER)
    assert change_release(hall.db, OPERATOR, hall.forum, number, None, now=NOW)
    assert not change_release(hall.db, OPERATOR, hall.forum, number, None, now=NOW)
    settle(hall.db, hall.forum, now=LATER)
    assert taken(hall) == {"STU": 1}
    with pytest.raises(Refused, match="release_in_past"):
        change_release(hall.db, OPERATOR, hall.forum, number, LATER, now=LATER)


def test_one_is_given_to_a_person_beside_the_queue_and_no_seat_is_added(hall: SmallHall):
    number = keep(hall, seats=2)
    first, named = hall.ask("STU"), hall.ask("STU")
    give_held(hall.db, OPERATOR, hall.forum, number, named.code, now=NOW)
    assert [hall.state(row) for row in (first, named)] == ["waiting", "seated"]
    assert (taken(hall), hall.seat(named).kind) == ({"STU": 2}, "person")
    assert [(row.kept, row.given) for row in hold_backs(hall.db, OPERATOR, hall.forum)] == [(1, 1)]
    assert hall.mails(named) == ["waiting", "promoted"]


def test_what_a_person_gives_back_goes_to_the_queue_and_not_to_the_hold_back(hall: SmallHall):
    number = keep(hall, seats=2)
    first, named = hall.ask("STU"), hall.ask("STU")
    give_held(hall.db, OPERATOR, hall.forum, number, named.code, now=NOW)
    cancel(hall.db, holder(named), hall.forum, named.code, now=NOW)
    assert hall.state(first) == "seated"


def test_a_seat_held_while_deciding_goes_to_the_next_when_a_held_back_one_is_given(hall: SmallHall):
    number = keep(hall, "DIP")
    named, waits = hall.ask("DIP"), hall.ask("STU")
    assert (hall.seat(named).kind, hall.state(waits)) == ("hold", "waiting")
    give_held(hall.db, OPERATOR, hall.forum, number, named.code, now=NOW)
    assert [hall.state(row) for row in (named, waits)] == ["seated", "seated"]


def test_it_is_not_given_to_another_group_nor_twice_nor_to_who_sits(hall: SmallHall):
    number = keep(hall, "DIP")
    with pytest.raises(Refused, match="hold_back_other_group"):
        give_held(hall.db, OPERATOR, hall.forum, number, hall.ask("PTY").code, now=NOW)
    one, two = hall.ask("DIP"), hall.ask("DIP")
    give_held(hall.db, OPERATOR, hall.forum, number, one.code, now=NOW)
    with pytest.raises(Conflict, match="step_not_possible"):
        give_held(hall.db, OPERATOR, hall.forum, number, one.code, now=NOW)
    with pytest.raises(Refused, match="hold_back_empty"):
        give_held(hall.db, OPERATOR, hall.forum, number, two.code, now=NOW)


def test_a_hold_back_is_found_inside_its_forum_alone(hall: SmallHall):
    with pytest.raises(NotFound):
        release(hall.db, OPERATOR, hall.forum, 999, now=NOW)


def test_hold_backs_are_for_those_who_decide(hall: SmallHall):
    finance, number = make_actor(hall.db, DARA, Role.FINANCE), keep(hall)
    for deed in (
        lambda: keep(hall, by=finance),
        lambda: release(hall.db, finance, hall.forum, number, now=NOW),
        lambda: change_release(hall.db, finance, hall.forum, number, LATER, now=NOW),
        lambda: give_held(hall.db, finance, hall.forum, number, "X", now=NOW),
    ):
        with pytest.raises(Forbidden):
            deed()
    assert hold_backs(hall.db, finance, hall.forum)
    with pytest.raises(Forbidden):
        hold_backs(hall.db, make_actor(hall.db, SOKHA, Role.VIEWER), hall.forum)


def test_a_class_of_badges_outside_the_hall_keeps_back_without_a_place(hall: SmallHall):
    categories = list(hall.categories)
    categories[4] = categories[4].model_copy(update={"in_hall": False, "limit": 1})
    hall.arrange(2, categories)
    keep(hall, "THK")
    assert hall.state(hall.ask("STU")) == "seated"
    with pytest.raises(Refused, match="hold_back_too_many"):
        keep(hall, "THK")
    keep(hall, "THK", reason="Two more drivers")
    assert taken(hall) == {"THK": 2, "STU": 1}
