from datetime import date
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.editions.form import ForumFile
from app.forum.founding import put_forum, put_structure
from app.forum.inputs import ForumInput
from app.forum.queries import forum_page
from app.kit.db import Db
from app.kit.errors import Forbidden, Invalid, NotFound, Refused
from app.kit.inputs import parse
from app.kit.pen import lock_scopes, revisions
from tests.cast import DARA, NOW, RITH, SLUG, SOKHA, make_actor, the_forum
from tests.conftest import Clock

OPERATOR = Actor.operator()


def words(file: ForumFile, **changes: Any) -> ForumInput:
    return file.forum.model_copy(update=changes)


def put(db: Db, file: ForumFile, by: Actor = OPERATOR, **parts: Any) -> bool:
    given = {"objectives": file.objectives, "tracks": file.tracks, "rooms": file.rooms, **parts}
    return put_structure(db, by, the_forum(db), **given, now=NOW)


def test_the_same_words_change_nothing(db: Db, forum_file: ForumFile):
    before = revisions(db)[SLUG]
    assert put_forum(db, OPERATOR, forum_file.forum, now=NOW)[1] is False
    assert revisions(db)[SLUG] == before


def test_changed_words_are_recorded_by_name_and_make_pages_stale(db: Db, forum_file: ForumFile, clock: Clock):
    before, later = revisions(db)[SLUG], clock.move(days=1)
    forum, changed = put_forum(db, OPERATOR, words(forum_file, ends_on=date(2027, 3, 25)), now=later)
    assert (changed, forum.changed_at, revisions(db)[SLUG]) == (True, later, before + 1)
    fact = history(db, SLUG, f"forum:{SLUG}")[-1]
    assert (fact.kind, fact.after) == ("forum.changed", {"changed": ["ends_on"]})


def test_only_one_forum_is_featured(db: Db, forum_file: ForumFile):
    lock_scopes(db, {"other"})
    put_forum(db, OPERATOR, words(forum_file, slug="other", featured=True), now=NOW)
    db.expire_all()
    assert [the_forum(db, slug).featured for slug in (SLUG, "other")] == [False, True]


def test_who_may_change_a_forum_and_who_may_found_one(db: Db, forum_file: ForumFile):
    changed = words(forum_file, featured=False)
    with pytest.raises(Forbidden):
        put_forum(db, make_actor(db, DARA, Role.VIEWER), changed, now=NOW)
    with pytest.raises(NotFound):
        put_forum(db, make_actor(db, RITH), changed, now=NOW)
    with pytest.raises(Refused, match="only_owner_founds"):
        put_forum(db, make_actor(db, SOKHA, Role.OWNER), words(forum_file, slug="other"), now=NOW)
    assert put_forum(db, make_actor(db, SOKHA, Role.OWNER), changed, now=NOW)[1]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ends_on": None}, "both_dates_or_none"),
        ({"ends_on": "2027-03-22"}, "ends_before_start"),
        ({"timezone": "Nowhere"}, "not_a_time_zone"),
        ({"slug": "Not A Slug"}, "not_this_form"),
        ({"languages": ["de"]}, "not_a_choice"),
    ],
)
def test_words_that_make_no_sense_are_told_so(forum_file: ForumFile, changes: dict[str, Any], code: str):
    with pytest.raises(Invalid) as refused:
        parse(ForumInput, {**forum_file.forum.model_dump(), **changes})
    assert code in {fault.code for fault in refused.value.faults}


def test_the_same_structure_changes_nothing(db: Db, forum_file: ForumFile):
    before = len(history(db, SLUG, f"forum:{SLUG}"))
    assert not put(db, forum_file)
    assert len(history(db, SLUG, f"forum:{SLUG}")) == before


@pytest.mark.parametrize("part", ["objectives", "tracks", "rooms"])
def test_only_the_part_that_changed_is_recorded(db: Db, forum_file: ForumFile, part: str):
    other = getattr(forum_file, part)
    put(db, forum_file, **{part: [*other[1:], other[0]] if part != "objectives" else other[1:]})
    assert history(db, SLUG, f"forum:{SLUG}")[-1].after == {"changed": [part]}


def test_a_room_keeps_its_id_while_its_code_stays(db: Db, forum_file: ForumFile):
    before = forum_page(db, SLUG).rooms
    put(db, forum_file, rooms=[room.model_copy(update={"seats": 5}) for room in reversed(forum_file.rooms)])
    after = forum_page(db, SLUG).rooms
    assert {code: room.id for code, room in after.items()} == {code: room.id for code, room in before.items()}
    assert list(after) == list(reversed(before))
    assert {room.seats for room in after.values()} == {5}


def test_a_room_that_sessions_use_stays(db: Db, forum_file: ForumFile):
    without = [room for room in forum_file.rooms if room.code != "grand-ballroom"]
    with pytest.raises(Refused, match="room_in_use"), db.begin_nested():
        put(db, forum_file, rooms=without)
    assert "grand-ballroom" in forum_page(db, SLUG).rooms


def test_structure_is_for_those_who_may_edit_the_forum(db: Db, forum_file: ForumFile):
    with pytest.raises(Forbidden):
        put(db, forum_file, make_actor(db, DARA, Role.REGISTRAR), rooms=[])
