import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.editions.exporting import export
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import Conflict, Forbidden, NotFound
from app.programme.describing import describe, described, mark_of
from app.programme.published import to_document
from app.programme.queries import working_copy
from tests.cast import DARA, NOW, SLUG, make_actor, the_forum

OPERATOR = Actor.operator()


def kind_of(db: Db, code: str) -> str | None:
    return next(one.voice.kind for one in described(db, forum_id(the_forum(db))) if one.code == code)


def mark(db: Db) -> str:
    return mark_of(described(db, forum_id(the_forum(db))))


def test_whose_voice_somebody_is_can_be_said_and_taken_back(db: Db):
    seen = mark(db)
    assert describe(db, OPERATOR, the_forum(db), {"forum-chair": "academia"}, mark=seen, now=NOW) == 1
    assert kind_of(db, "forum-chair") == "academia"
    assert history(db, SLUG, f"forum:{SLUG}")[-1].after == {"people": 1}
    with pytest.raises(Conflict, match="speakers_changed"):
        describe(db, OPERATOR, the_forum(db), {"forum-chair": None}, mark=seen, now=NOW)
    assert describe(db, OPERATOR, the_forum(db), {"forum-chair": None}, mark=mark(db), now=NOW) == 1
    assert kind_of(db, "forum-chair") is None
    assert describe(db, OPERATOR, the_forum(db), {"forum-chair": None}, mark=mark(db), now=NOW) == 0


def test_a_speaker_there_is_not_is_not_found_and_who_may_not_edit_may_not_say(db: Db):
    with pytest.raises(NotFound):
        describe(db, OPERATOR, the_forum(db), {"nobody": "academia"}, mark=mark(db), now=NOW)
    with pytest.raises(Forbidden):
        describe(db, make_actor(db, DARA, Role.VIEWER), the_forum(db), {}, mark=mark(db), now=NOW)


def test_it_is_in_the_forums_file_and_in_nothing_that_is_published(db: Db):
    describe(db, OPERATOR, the_forum(db), {"forum-chair": "media"}, mark=mark(db), now=NOW)
    assert "kind: media" in export(db, SLUG)
    assert "media" not in str(to_document(working_copy(db, forum_id(the_forum(db)))))
