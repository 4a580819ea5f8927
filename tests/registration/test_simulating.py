from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum.models import Forum
from app.kit.db import Db, table
from app.kit.errors import Forbidden, Refused
from app.registration.holding import keep_back
from app.registration.inputs import HoldBackInput
from app.registration.models import Application
from app.registration.settling import settle
from app.registration.simulating import Simulation, simulate
from tests.cast import DARA, NOW, SLUG, make_actor
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()


def tried(hall: SmallHall, capacity: int = 2, number: int | None = None, by: Actor = OPERATOR, **changes: Any) -> Any:
    terms = hall.terms.model_copy(update={"capacity": capacity})
    categories = list(hall.categories)
    if number is not None:
        categories[number] = categories[number].model_copy(update=changes)
    return simulate(hall.db, by, hall.forum, terms, categories, now=NOW)


def of(found: Simulation, code: str) -> Any:
    return next(row for row in found.categories if row.code == code)


def test_a_larger_hall_would_seat_those_who_wait_by_name_and_nothing_is_written(hall: SmallHall):
    rows = [hall.ask("STU") for _ in range(4)]
    before = history(hall.db, SLUG, f"forum:{SLUG}")
    found = tried(hall, 3)
    assert (found.given, found.waiting) == ((rows[2].id,), (rows[3].id,))
    assert found.people[rows[2].id].code == rows[2].code
    assert (of(found, "STU").taken, of(found, "STU").given, of(found, "STU").waiting) == (2, 1, 1)
    assert [hall.state(row) for row in rows] == ["seated", "seated", "waiting", "waiting"]
    assert history(hall.db, SLUG, f"forum:{SLUG}") == before


def test_what_would_be_over_is_said_with_the_numbers(hall: SmallHall):
    hall.ask("STU"), hall.ask("STU")
    found = tried(hall, 1, 0, limit=1)
    assert (found.over.taken, of(found, "STU").over_limit, found.given) == (1, 1, ())


def test_given_anew_the_best_standing_would_sit_and_what_is_kept_back_stays(hall: SmallHall):
    keep_back(hall.db, OPERATOR, hall.forum, HoldBackInput(category="ORG", seats=1, purpose="Protocol"), now=NOW)
    sits, waits = hall.ask("STU"), hall.ask("DIP")
    assert hall.state(waits) == "awaiting"
    found = tried(hall, 2, 0, guarantee=0, limit=0)
    assert (found.losing, found.gaining) == ((sits.id,), ())
    assert (of(found, "STU").sitting, of(found, "STU").anew) == (1, 0)
    assert (of(found, "ORG").taken, of(found, "ORG").sitting) == (1, 0)


def test_numbers_that_contradict_each_other_are_refused_as_in_saving(hall: SmallHall):
    with pytest.raises(Refused, match="guarantees_above_capacity"):
        tried(hall, 2, 0, guarantee=3)


def test_it_is_for_those_who_edit_the_forum(hall: SmallHall):
    with pytest.raises(Forbidden):
        tried(hall, by=make_actor(hall.db, DARA, Role.REGISTRAR))


@pytest.mark.parametrize("people", [1, 3])
def test_it_takes_five_queries_for_three_as_for_one(db: Db, hall: SmallHall, queries: Any, people: int):
    for _ in range(people):
        hall.ask("STU")
    forum: Forum = hall.forum
    with queries() as counted:
        simulate(db, OPERATOR, forum, hall.terms, hall.categories, now=NOW)
    assert len(counted) == 5


def test_what_fell_due_a_moment_ago_counts_as_in_saving(hall: SmallHall):
    unconfirmed, stays = hall.ask("STU"), hall.ask("STU")
    next_in_line, last = hall.ask("STU"), hall.ask("ORG")
    hall.mail_leaves(unconfirmed)
    late = NOW + timedelta(hours=49)
    found = simulate(hall.db, OPERATOR, hall.forum, hall.terms, hall.categories, now=late)
    assert (found.given, found.waiting) == ((), (last.id,)), "the unconfirmed seat has gone to the next in line"
    assert (of(found, "STU").taken, of(found, "STU").waiting) == (2, 0)
    assert [hall.state(row) for row in (unconfirmed, stays, next_in_line)] == ["seated", "seated", "waiting"]
    settle(hall.db, hall.forum, now=late)
    assert [hall.state(row) for row in (unconfirmed, stays, next_in_line)] == ["expired", "seated", "seated"]


def test_a_hold_back_past_its_time_is_free_in_a_trial(hall: SmallHall):
    until = NOW + timedelta(hours=1)
    sent = HoldBackInput(category="STU", seats=2, purpose="Protocol", release_at=until)
    keep_back(hall.db, OPERATOR, hall.forum, sent, now=NOW)
    waits = hall.ask("DIP")
    hall.db.execute(update(table(Application)).where(table(Application).c.id == waits.id).values(state="waiting"))
    assert of(tried(hall), "STU").taken == 2
    found = simulate(hall.db, OPERATOR, hall.forum, hall.terms, hall.categories, now=until)
    assert (of(found, "STU").taken, of(found, "DIP").taken, found.waiting) == (0, 1, ())
