"""What is read of picks: counts, own picks, and the counts that conflicts of the programme ask for."""

from typing import Any

from app.accounts.actor import Actor
from app.forum.queries import forum_id
from app.kit.db import Db
from app.programme.publishing import conflicts_of
from app.programme.rules.conflicts import Kind
from app.registration.pick_queries import Count, counts_of, names_in, own_picks, places_held, sign_up_counts
from app.registration.picking import change_places, put_picks
from tests.cast import CHAN, NOW, RITH, VANNA, holder, make_application, the_forum

A, OPEN = "D1-07", "D1-13"


def three_of_one(db: Db) -> tuple[list[Any], str]:
    """Three people, one place: the first has it. The session's uid."""
    change_places(db, Actor.operator(), the_forum(db), A, 1, now=NOW)
    rows = [make_application(db, figure) for figure in (CHAN, VANNA, RITH)]
    for row in rows:
        put_picks(db, holder(row), the_forum(db), row.code, {A, OPEN}, None, now=NOW)
    uid = next(uid for uid, count in counts_of(db, forum_id(the_forum(db))).items() if count.taken)
    return rows, uid


def test_counts_are_of_the_rows(db: Db) -> None:
    rows, uid = three_of_one(db)
    counts = counts_of(db, forum_id(the_forum(db)))
    assert counts[uid] == Count(1, taken=1, waiting=2, picked=0)
    assert counts[uid].left == 0
    assert [count.picked for count in counts.values() if count.places is None] == [3]
    assert places_held(db, rows[0].id, [uid]) == {uid}
    assert places_held(db, rows[1].id, [uid]) == frozenset()


def test_everybody_who_waits_has_a_number_in_the_list(db: Db) -> None:
    rows, uid = three_of_one(db)
    assert [own_picks(db, row.id).by_uid[uid].ahead for row in rows] == [None, 1, 2]
    assert own_picks(db, rows[0].id).edition == 1
    assert own_picks(db, 999).by_uid == {}


def test_names_are_in_the_order_of_the_list(db: Db) -> None:
    rows, uid = three_of_one(db)
    found = names_in(db, Actor.operator(), the_forum(db), uid)
    assert [(each.code, each.number) for each in found] == [
        (rows[0].code, 1),
        (rows[1].code, None),
        (rows[2].code, None),
    ]


def test_a_room_smaller_than_its_sign_ups_is_a_warning(db: Db) -> None:
    forum = the_forum(db)
    three_of_one(db)
    assert sign_up_counts(db, forum) == {A: 1}
    assert not [one for one in conflicts_of(db, forum, sign_up_counts(db, forum)) if one.kind is Kind.ROOM_SMALL]
    (found,) = [one for one in conflicts_of(db, forum, {A: 111}) if one.kind is Kind.ROOM_SMALL]
    assert (found.codes, found.by, found.hard) == ((A,), 1, False)
