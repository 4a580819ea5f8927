"""Rooms at the desk: what changes, what is refused, what the public sees of it."""

from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum import furnishing
from app.forum.inputs import RoomInput, SetupInput
from app.forum.models import Forum
from app.forum.queries import forum_id, rooms_of
from app.kit.db import Db
from app.kit.errors import Conflict, Forbidden, NotFound, Refused
from app.kit.i18n import Bilingual
from app.kit.inputs import parse
from app.kit.pen import revisions
from tests.cast import DARA, NOW, RITH, SLUG, SOKHA, make_actor, the_forum

OPERATOR = Actor.operator()
WORDS = Bilingual("Library", "បណ្ណាល័យ")


@pytest.fixture
def forum(db: Db) -> Forum:
    return the_forum(db)


def library(**changes: Any) -> RoomInput:
    return RoomInput(**{"code": "library", "name": WORDS, "seats": 40, **changes})


def names(db: Db, forum: Forum) -> list[str]:
    return [room.code for room in rooms_of(db, forum_id(forum))]


def change(db: Db, forum: Forum, sent: RoomInput, edition: int, by: Actor = OPERATOR, **used: list[str]) -> bool:
    return furnishing.change_room(db, by, forum, sent, edition, used=used, now=NOW)


def add(db: Db, forum: Forum, **changes: Any) -> None:
    furnishing.add_room(db, OPERATOR, forum, library(**changes), now=NOW)


def test_a_room_is_added_behind_the_others_with_its_setups(db: Db, forum: Forum):
    add(db, forum, setups=(SetupInput(setup="u-shape", seats=18), SetupInput(setup="classroom", seats=24)))
    room = rooms_of(db, forum_id(forum))[-1]
    assert (room.code, room.seats, room.setup) == ("library", 40, "theatre")
    assert [room.seats_in(setup) for setup in (None, "theatre", "u-shape", "classroom", "banquet")] == [
        40,
        40,
        18,
        24,
        40,
    ]
    with pytest.raises(Refused, match="room_twice"):
        add(db, forum)


def test_a_room_is_changed_once_by_each_edition(db: Db, forum: Forum):
    add(db, forum)
    assert change(db, forum, library(seats=44), 1)
    assert not change(db, forum, library(seats=44), 2), "the same again changes nothing"
    with pytest.raises(Conflict, match="room_changed"):
        change(db, forum, library(seats=50), 1)
    assert rooms_of(db, forum_id(forum))[-1].seats == 44
    assert [fact.kind for fact in history(db, SLUG, "room:library")] == ["room.added", "room.changed"]


def test_only_what_the_public_sees_makes_its_pages_new(db: Db, forum: Forum):
    add(db, forum)
    before = revisions(db)[SLUG]
    change(db, forum, library(changeover_minutes=30, setups=(SetupInput(setup="banquet", seats=30),)), 1)
    assert revisions(db)[SLUG] == before
    change(db, forum, library(name=Bilingual("Archive", "បណ្ណសារ")), 2)
    assert revisions(db)[SLUG] > before


def test_a_setup_that_sessions_ask_for_cannot_go(db: Db, forum: Forum):
    add(db, forum, setups=(SetupInput(setup="banquet", seats=30),))
    with pytest.raises(Refused, match="setup_used"):
        change(db, forum, library(), 1, banquet=["D1-07"])
    assert change(db, forum, library(setup="banquet", seats=30), 1, banquet=["D1-07"]), "it is now the usual one"


def test_rooms_change_places_and_the_ends_stay(db: Db, forum: Forum):
    before = names(db, forum)
    assert furnishing.place_room(db, OPERATOR, forum, before[1], up=True, now=NOW)
    assert names(db, forum) == [before[1], before[0], *before[2:]]
    assert not furnishing.place_room(db, OPERATOR, forum, before[1], up=True, now=NOW)
    assert not furnishing.place_room(db, OPERATOR, forum, before[-1], up=False, now=NOW)


def test_a_room_in_use_stays_and_another_goes(db: Db, forum: Forum):
    add(db, forum, setups=(SetupInput(setup="banquet", seats=30),))
    with pytest.raises(Refused, match="room_used"):
        furnishing.remove_room(db, OPERATOR, forum, "library", used_by=["D1-07 A talk"], now=NOW)
    furnishing.remove_room(db, OPERATOR, forum, "library", used_by=[], now=NOW)
    assert "library" not in names(db, forum)
    with pytest.raises(NotFound):
        furnishing.remove_room(db, OPERATOR, forum, "library", used_by=[], now=NOW)


def test_rooms_are_changed_by_whoever_edits_the_forum(db: Db, forum: Forum):
    for by, refusal in ((make_actor(db, DARA, Role.PROGRAMME_EDITOR), Forbidden), (make_actor(db, RITH), NotFound)):
        with pytest.raises(refusal):
            furnishing.add_room(db, by, forum, library(), now=NOW)
        with pytest.raises(refusal):
            furnishing.place_room(db, by, forum, "mekong", up=True, now=NOW)
        with pytest.raises(refusal):
            furnishing.remove_room(db, by, forum, "mekong", used_by=[], now=NOW)
        with pytest.raises(refusal):
            change(db, forum, library(code="mekong"), 1, by=by)
    furnishing.add_room(db, make_actor(db, SOKHA, Role.OWNER), forum, library(), now=NOW)


@pytest.mark.parametrize("setups", [["theatre"], ["banquet", "banquet"]])
def test_a_setup_is_named_once(setups: list[str]):
    sent = [{"setup": setup, "seats": 10} for setup in setups]
    with pytest.raises(Refused) as refused:
        parse(RoomInput, {"code": "library", "name": {"en": "a", "km": "ក"}, "seats": 40, "setups": sent})
    assert [fault.code for fault in refused.value.faults] == ["setup_twice"]
