"""Ids and places that registrations of one commit draw ahead."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select

from app.kit.db import Database, Db, table
from app.registration.drawing import MANY, Drawn
from app.registration.models import Application, Category, Place, Seat
from tests.cast import NOW, the_forum

_applications, _places, _seats = table(Application), table(Place), table(Seat)


def hall(db: Db, *numbers: int, retiring: int = 0) -> tuple[int, int]:
    """A hall of these places alone, all free; the forum's id and a category's."""
    own = int(the_forum(db).id or 0)
    db.execute(delete(_seats))
    db.execute(delete(_places))
    rows = [{"forum_id": own, "number": number, "retiring": number == retiring} for number in numbers]
    db.execute(insert(_places), rows)
    return own, int(db.execute(select(func.min(table(Category).c.id))).scalar_one())


def sits(db: Db, own: int, category: int, number: int) -> None:
    seat = {"forum_id": own, "number": number, "category_id": category, "kind": "person", "given_at": NOW}
    db.later(_seats, seat)


def test_the_lowest_free_place_comes_first_and_what_retires_is_not_given(either_database: Database):
    with Db(either_database.write_engine) as db:
        own, category = hall(db, 1, 2, 3, 4, 5, retiring=2)
        sits(db, own, category, 1)
        drawn = Drawn()
        assert drawn.next_place(db, own, 0) == 3, "also where the seat below it waits to be written"
        sits(db, own, category, 3)
        drawn.many = MANY
        assert [drawn.next_place(db, own, 3) for _ in range(2)] == [4, 5]
        for number in (4, 5):
            sits(db, own, category, number)
        assert drawn.next_place(db, own, 5) is None


def test_none_is_drawn_from_among_places_that_are_known_to_be_taken(either_database: Database):
    with Db(either_database.write_engine) as db:
        own, _ = hall(db, 1, 2, 3)
        assert Drawn().next_place(db, own, 2) == 3


def test_a_run_draws_many_in_one_question(database: Database, queries: Any):
    with Db(database.write_engine) as db:
        own, category = hall(db, *range(1, 100))
        drawn = Drawn()
        with queries() as alone:
            places, ids = [drawn.next_place(db, own, 0)], [drawn.next_id(db)]
        drawn.many = MANY
        with queries() as run:
            for _ in range(MANY):
                sits(db, own, category, places[-1] or 0)
                places.append(drawn.next_place(db, own, places[-1] or 0))
                ids.append(drawn.next_id(db))
        assert (len(alone), len(run)) == (2, 1), "what was given waits below and does not matter"
        assert places == list(range(1, MANY + 2))
        assert ids == list(range(ids[0], ids[0] + MANY + 1))


def test_no_two_draw_the_same_id(either_database: Database):
    with Db(either_database.write_engine) as db:
        drawn = Drawn(many=3)
        ids = [drawn.next_id(db) for _ in range(7)]
        assert ids == sorted(set(ids))


def test_whoever_asks_has_asked_behind_those_before_them(db: Db):
    own = int(the_forum(db).id or 0)
    drawn, hour = Drawn(), timedelta(hours=1)
    assert drawn.asks_at(db, own, NOW) == NOW
    assert drawn.asks_at(db, own, NOW + hour) == NOW + hour
    behind = [drawn.asks_at(db, own, NOW) for _ in range(3)]  # the clock was set back
    assert [NOW + hour, *behind] == sorted({NOW + hour, *behind}), "each behind the one before"
    assert drawn.asks_at(db, own, NOW + 2 * hour) == NOW + 2 * hour


def test_the_first_of_many_draws_for_all_of_them_and_the_next_that_begins_anew_for_itself(
    database: Database, queries: Any
):
    with Db(database.write_engine) as db:
        own, category = hall(db, *range(1, 100))
        db.expected = 40
        drawn, places, ids = Drawn.first_of(db), [0], [0]
        with queries() as run:
            for _ in range(40):
                places.append(drawn.next_place(db, own, 0) or 0)
                ids.append(drawn.next_id(db))
                sits(db, own, category, places[-1])
        assert len(run) == 2
        assert places == list(range(41))
        assert ids[1:] == list(range(ids[1], ids[1] + 40))
        assert Drawn.first_of(db).many == 1
