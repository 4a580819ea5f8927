"""What is due is done in the order of its instants, the list moving after each."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from app.kit.db import Db, table
from app.registration.models import Delegation, HoldBack, Invitation
from app.registration.quotas import house_of
from app.registration.seating import take
from app.registration.settling import settle
from tests.cast import NOW
from tests.registration.hall import SmallHall

LATER = NOW + timedelta(hours=5)


def kept(hall: SmallHall, what: str, **values: object) -> None:
    """One kept seat of STU that nobody has, released at LATER."""
    db, house = hall.db, house_of(hall.db, hall.forum.id or 0)
    row = {"forum_id": hall.forum.id, "category_id": house.categories["STU"].id, "created_at": NOW, **values}
    of = {"hold_back": HoldBack, "invitation": Invitation, "delegation": Delegation}[what]
    number = db.execute(insert(table(of)).values(**row).returning(table(of).c.id)).scalar_one()
    take(db, hall.forum, house, "STU", what, now=NOW, **{f"{what}_id": number})


def keep_all(hall: SmallHall) -> None:
    kept(hall, "hold_back", purpose="late dignitaries", release_at=LATER)
    words = {"code": "X", "language": "en", "generation": 1, "digest": "", "edition": 1}
    kept(
        hall,
        "invitation",
        kind="code",
        uses=1,
        reserves=True,
        reply_by=LATER,
        state="open",
        titles=[],
        **words,
        **dict.fromkeys(("email", "family_name", "given_name", "name_km", "display_name"), ""),
        **dict.fromkeys(("institution", "position_title", "reference"), ""),
    )


def test_kept_seats_count_as_taken_and_are_given_to_those_who_wait_when_they_are_released(db: Db, hall: SmallHall):
    keep_all(hall)
    waiting = [hall.ask(), hall.ask()]
    assert [hall.state(row) for row in waiting] == ["waiting", "waiting"]
    settle(db, hall.forum, now=LATER - timedelta(seconds=1))
    assert [hall.state(row) for row in waiting] == ["waiting", "waiting"]
    settle(db, hall.forum, now=LATER)
    assert [hall.state(row) for row in waiting] == ["seated", "seated"]


def test_where_nothing_is_due_it_costs_three_queries(db: Db, hall: SmallHall, queries: Callable[[], Any]):
    hall.ask()
    with queries() as made:
        settle(db, hall.forum, now=NOW)
    assert len(made) == 3


def test_whoever_is_to_confirm_is_found_by_when_however_many_hold_a_seat(hall: SmallHall, queries: Any):
    with queries() as asked:
        settle(hall.db, hall.forum, now=NOW)
    (due,) = [one for one in asked if "UNION ALL" in one]
    plan = explained(hall.db, due)
    assert sum("ix_registration_application_due (forum_id=? AND confirm_by<?)" in line for line in plan) == 2, plan


@pytest.mark.parametrize(
    ("of", "column"),
    [
        *(("application", name) for name in ("invitation_id", "delegation_id", "accompanies_id", "merged_into_id")),
        *(("seat", name) for name in ("hold_back_id", "invitation_id", "delegation_id")),
    ],
)
def test_an_index_of_the_few_that_say_something_answers_whoever_asks_for_it(db: Db, of: str, column: str):
    plan = explained(db, f"SELECT id FROM registration_{of} WHERE {column} = ?")  # noqa: S608 - the names above
    assert f"ix_registration_{of}_{column}" in plan[0]


def explained(db: Db, statement: str) -> list[str]:
    """The plan of a statement on SQLite, whatever stands in its places."""
    places = (1,) * statement.count("?")
    return [row[3] for row in db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", places)]
