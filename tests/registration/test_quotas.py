import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import Forbidden, Refused
from app.registration.inputs import SignUpInput
from app.registration.quotas import house_of, put_sign_ups
from tests.cast import DARA, NOW, SLUG, make_actor, the_forum
from tests.registration.hall import SmallHall


def test_the_real_forum_keeps_250_of_300_seats(db: Db):
    house = house_of(db, forum_id(the_forum(db)))
    assert (house.terms.capacity, house.terms.target) == (300, 250)
    assert sum(quota.guarantee for quota in house.quotas) == 250
    assert set(house.taken.values()) == {0}


def test_seats_are_counted_from_their_rows(hall: SmallHall):
    hall.ask("STU"), hall.ask("DIP")
    taken = house_of(hall.db, forum_id(hall.forum)).taken
    assert {code: count for code, count in taken.items() if count} == {"STU": 1, "DIP": 1}


def test_a_house_is_read_with_two_queries(database, queries):
    with database.reading() as db:
        own = forum_id(the_forum(db))
        with queries() as counted:
            house_of(db, own)
    assert len(counted) == 2


def test_a_forum_without_categories_has_no_registration(db: Db):
    with pytest.raises(Refused, match="registration_not_set_up"):
        house_of(db, 999)


def test_sign_ups_are_set_once_and_recorded(db: Db):
    forum, uids = the_forum(db), {"A": "a@sala", "B": "b@sala"}
    sent = [SignUpInput(session="A", places=10), SignUpInput(session="B", places=20)]
    assert put_sign_ups(db, Actor.operator(), forum, sent, uids, now=NOW)
    assert not put_sign_ups(db, Actor.operator(), forum, sent, uids, now=NOW)
    fact = history(db, SLUG, f"forum:{SLUG}")[-1]
    assert (fact.kind, fact.after) == ("registration.sign_ups", {"A": 10, "B": 20})


def test_sign_ups_are_for_those_who_edit_the_programme(db: Db):
    with pytest.raises(Forbidden):
        put_sign_ups(db, make_actor(db, DARA, Role.REGISTRAR), the_forum(db), [], {}, now=NOW)
