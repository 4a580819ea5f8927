from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.models import Fact
from app.audit.recording import first_broken
from app.editions.form import ForumFile
from app.editions.loading import load
from app.forum.queries import forum_id, forum_page
from app.kit.db import Database, Db, table
from app.kit.errors import NotFound, Refused
from app.kit.pen import Pen, revisions
from app.programme.queries import published, working_copy
from app.registration.models import Place
from tests.cast import NOW, RITH, SLUG, SOKHA, make_actor, the_forum
from tests.conftest import Clock

OPERATOR = Actor.operator()


def changed(file: ForumFile, part: str, **values: Any) -> ForumFile:
    return file.model_copy(update={part: getattr(file, part).model_copy(update=values)})


def standing(db: Db) -> tuple[int, dict[str, int]]:
    facts: int = db.execute(select(func.count()).select_from(table(Fact))).scalar_one()
    return facts, revisions(db)


def test_the_real_forum_is_there_after_loading(db: Db, forum_file: ForumFile):
    page = forum_page(db, SLUG)
    assert [track.code for track in page.tracks] == ["A", "B", "C"]
    assert len(page.rooms) == len(forum_file.rooms)
    assert len(working_copy(db, forum_id(page.forum))) == 29
    assert db.execute(select(func.count()).select_from(table(Place))).scalar_one() == 300
    assert first_broken(db, SLUG) is None


def test_the_first_load_publishes_version_1(db: Db):
    programme = published(db, forum_id(the_forum(db)))
    assert (programme.number, len(programme.sessions)) == (1, 29)


def test_the_same_file_again_changes_nothing(either_database: Database, forum_file: ForumFile, clock: Clock):
    before = either_database.read(standing)
    done = Pen(either_database).write_now(SLUG, lambda db: load(db, OPERATOR, forum_file, now=clock.move(days=1)))
    assert (done.changed, done.published) == ((), False)
    assert either_database.read(standing) == before, "no fact, no revision"


def test_uids_stay_when_a_file_is_loaded_again(db: Db, forum_file: ForumFile):
    own = forum_id(the_forum(db))
    before = {session.code: session.uid for session in working_copy(db, own)}
    sessions = tuple(part.model_copy(update={"type": "panel"}) for part in forum_file.sessions)
    load(db, OPERATOR, forum_file.model_copy(update={"sessions": sessions}), now=NOW)
    assert {session.code: session.uid for session in working_copy(db, own)} == before


@pytest.mark.parametrize(
    ("part", "values", "named"),
    [
        ("forum", {"featured": False}, "forum"),
        ("registration", {"target": 240}, "registration"),
    ],
)
def test_only_what_changed_is_said_to_have_changed(
    db: Db, forum_file: ForumFile, part: str, values: dict[str, Any], named: str
):
    assert load(db, OPERATOR, changed(forum_file, part, **values), now=NOW).changed == (named,)


def test_a_later_load_changes_the_working_copy_and_not_what_is_published(db: Db, forum_file: ForumFile):
    own = forum_id(the_forum(db))
    fewer = forum_file.model_copy(update={"sessions": forum_file.sessions[1:]})
    done = load(db, OPERATOR, fewer, now=NOW)
    assert (done.changed, done.published) == (("programme",), False)
    assert len(published(db, own).sessions) == 29
    gone = [session for session in working_copy(db, own) if session.cancelled]
    assert [session.code for session in gone] == [forum_file.sessions[0].code], "calendars hold it already"


def test_a_file_that_promises_more_than_the_hall_has_is_refused_whole(database: Database, forum_file: ForumFile):
    too_much = changed(changed(forum_file, "registration", capacity=249, target=249), "forum", featured=False)
    before = database.read(standing)
    with pytest.raises(Refused, match="guarantees_above_capacity"):
        Pen(database).write_now(SLUG, lambda db: load(db, OPERATOR, too_much, now=NOW))
    assert database.read(standing) == before


def test_a_room_that_the_programme_uses_may_go_together_with_its_use(database: Database, forum_file: ForumFile):
    sessions = tuple(
        part.model_copy(update={"room": "grand-ballroom"}) if part.room == "bassac" else part
        for part in forum_file.sessions
    )
    rooms = tuple(room for room in forum_file.rooms if room.code != "bassac")
    assert len(rooms) == len(forum_file.rooms) - 1
    other = forum_file.model_copy(update={"rooms": rooms, "sessions": sessions})
    done = Pen(database).write_now(SLUG, lambda db: load(db, OPERATOR, other, now=NOW))
    assert set(done.changed) == {"structure", "programme"}


def test_a_second_forum_stands_beside_the_first(database: Database, forum_file: ForumFile):
    other = changed(forum_file, "forum", slug="other", featured=False)
    done = Pen(database).write_now("other", lambda db: load(db, OPERATOR, other, now=NOW))
    assert (done.slug, done.published) == ("other", True)
    with database.reading() as db:
        uids = [
            {session.uid for session in working_copy(db, forum_id(the_forum(db, slug)))} for slug in (SLUG, "other")
        ]
        assert not uids[0] & uids[1]
        assert first_broken(db, "other") is None


def test_only_an_owner_of_the_site_founds_a_forum(db: Db, forum_file: ForumFile):
    other = changed(forum_file, "forum", slug="other")
    with pytest.raises(Refused, match="only_owner_founds"):
        load(db, make_actor(db, SOKHA, Role.OWNER), other, now=NOW)


def test_loading_is_for_those_who_may_edit_the_forum(db: Db, forum_file: ForumFile):
    with pytest.raises(NotFound):
        load(db, make_actor(db, RITH), forum_file, now=NOW)
    assert load(db, make_actor(db, SOKHA, Role.OWNER), forum_file, now=NOW).changed == ()
