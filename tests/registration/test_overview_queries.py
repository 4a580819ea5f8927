from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Forbidden
from app.kit.pen import Pen
from app.registration.applying import confirm
from app.registration.desk_filters import Further
from app.registration.desk_queries import Wanted, desk_list
from app.registration.models import Answer, Application, Category, Question
from app.registration.overview_queries import (
    asked_between,
    doubles_count,
    due_soon,
    first_waiting,
    genders,
    present,
    queues,
)
from app.registration.quotas import house_of
from app.registration.rules.reasons import Why
from tests.cast import BOPHA, CHAN, NOW, RITH, SLUG, SOKHA, VANNA, make_actor, make_application, the_forum
from tests.embassies import make_delegation

OPERATOR = Actor.operator()
_people, _categories = table(Application), table(Category)


def close(db: Db, category: str) -> None:
    """A category has its limit with whoever sits in it."""
    full = {"guarantee": 0, "limit": 1}
    db.execute(update(_categories).where(_categories.c.code == category).values(**full))


def some_wait(db: Db, number: int = 2) -> list[str]:
    """One student sits, the others wait behind the limit."""
    close(db, "STU")
    made = [
        make_application(db, VANNA, email=f"s{n}@crowd.example", family_name=f"Queue{n}") for n in range(number + 1)
    ]
    return [row.code for row in made[1:]]


def test_each_group_that_waits_has_its_reason(db: Db):
    some_wait(db)
    house = house_of(db, forum_id(the_forum(db)))
    (one,) = queues(house, {"STU": 2}, now=NOW)
    assert (one.category.code, one.number, one.reason.why, one.reason.limit) == ("STU", 2, Why.LIMIT, 1)


def test_the_first_in_the_list_stand_in_the_rules_order(db: Db):
    first, second = some_wait(db)
    by = make_actor(db, SOKHA, Role.REGISTRAR)
    assert [row.code for row in first_waiting(db, by, the_forum(db), most=5)] == [first, second]
    db.execute(update(_people).where(_people.c.code == second).values(priority=1))
    assert [row.code for row in first_waiting(db, by, the_forum(db), most=1)] == [second]


def test_what_ends_soon_is_counted_and_what_does_not_is_not(db: Db):
    forum = the_forum(db)
    assert due_soon(db, OPERATOR, forum, now=NOW) == {}
    make_delegation(db, deadline=NOW + timedelta(days=6), seats=2)
    make_delegation(db, deadline=NOW + timedelta(days=20), seats=2, institution="Another embassy")
    offered = make_application(db, VANNA)
    values = {"state": "offered", "offer_until": NOW + timedelta(hours=23)}
    db.execute(update(_people).where(_people.c.id == offered.id).values(**values))
    assert due_soon(db, OPERATOR, forum, now=NOW) == {"delegations": 1, "offers": 1}
    assert due_soon(db, OPERATOR, forum, now=NOW - timedelta(days=5)) == {}


def test_doubles_are_counted_while_there_are_few_people(db: Db, monkeypatch: pytest.MonkeyPatch):
    make_application(db, VANNA)
    assert doubles_count(db, OPERATOR, the_forum(db)) == 0
    make_application(db, VANNA, email="vanna@elsewhere.example")
    assert doubles_count(db, OPERATOR, the_forum(db)) == 1
    monkeypatch.setattr("app.registration.overview_queries.FEW", 1)
    assert doubles_count(db, OPERATOR, the_forum(db)) is None


def test_those_who_come_are_counted_and_a_private_capacity_leaves_the_institution_out(db: Db):
    confirm(db, OPERATOR, the_forum(db), make_application(db, VANNA, country="TL").code, now=NOW)
    make_application(db, CHAN, attends_as="private", country="FR")
    make_application(db, BOPHA)  # awaits a decision
    found = present(db, OPERATOR, the_forum(db))
    assert [(share.key, share.confirmed, share.unconfirmed) for share in found.groups] == [
        ("asean", 1, 0),
        ("other", 0, 1),
        ("unknown", 0, 0),
    ]
    assert [share.key for share in found.institutions] == [VANNA.institution]


def of_gender(said: str) -> Wanted:
    return Wanted(further=Further(gender=said))


def test_gender_is_counted_where_a_question_asks_for_it_and_whoever_looks_may_see_it(db: Db):
    forum, by, looks = the_forum(db), make_actor(db, CHAN, Role.VIEWER), make_actor(db, RITH, Role.FINANCE)
    with pytest.raises(Forbidden):
        desk_list(db, looks, forum, of_gender("woman"))  # which the forum does not ask
    assert genders(db, by, forum) == ()
    options = [{"value": value, "en": value, "km": value} for value in ("woman", "man")]
    like = dict(db.execute(select(table(Question)).limit(1)).mappings().one())
    like |= {"id": None, "code": "gender", "options": options, "position": 99, "sensitive": False}
    number = db.execute(
        insert(table(Question)).values({k: v for k, v in like.items() if k != "id"})
    ).inserted_primary_key[0]
    for figure, value in ((VANNA, "woman"), (CHAN, "woman"), (BOPHA, "man")):
        row = make_application(db, figure)
        db.execute(
            insert(table(Answer)).values(application_id=row.id, question_id=number, value=value, answered_at=NOW)
        )
    told = [(one.name.en, one.confirmed + one.unconfirmed) for one in genders(db, by, forum)]
    assert told == [("woman", 2), ("man", 0)], "Bopha awaits"
    asked = {said: desk_list(db, looks, forum, of_gender(said))[0] for said in ("woman", "man", "-")}
    names = {said: sorted(row.given_name for row in rows) for said, rows in asked.items()}
    assert names == {"woman": [CHAN.given_name, VANNA.given_name], "man": [BOPHA.given_name], "-": []}
    db.execute(update(table(Question)).where(table(Question).c.id == number).values(sensitive=True))
    assert genders(db, by, forum) == ()
    with pytest.raises(Forbidden):
        desk_list(db, looks, forum, of_gender("woman"))
    assert genders(db, make_actor(db, SOKHA, Role.PROTOCOL_OFFICER), forum)


def test_days_are_counted_by_an_index_alone(either_database: Any):
    def read(db: Db) -> list[int]:
        edges = [(NOW - timedelta(days=n + 1), NOW - timedelta(days=n)) for n in (1, 0)]
        return asked_between(db, OPERATOR, the_forum(db), edges)

    def write(db: Db) -> None:
        make_application(db, VANNA, now=NOW - timedelta(hours=30))
        make_application(db, CHAN, now=NOW - timedelta(hours=2))
        make_application(db, RITH, now=NOW - timedelta(hours=1))

    Pen(either_database).write_now(SLUG, write)
    assert either_database.read(read) == [1, 2]
    with either_database.reading() as db:
        assert due_soon(db, OPERATOR, the_forum(db), now=NOW) == {}
        if either_database.is_sqlite:
            asked = (
                "EXPLAIN QUERY PLAN SELECT count(*) FROM registration_application WHERE forum_id = 1 AND asked_at >= 1"
            )
            assert "COVERING INDEX ix_registration_application_asked" in str(
                db.connection().exec_driver_sql(asked).all()
            )
