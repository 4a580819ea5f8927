"""Tallies are counted once for all who look, and anew as soon as anything has happened in the forum."""

from collections.abc import Callable
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.editions.loading import load
from app.kit.db import Database, Db
from app.kit.errors import NotFound
from app.kit.pen import SITE, Pen
from app.registration.applying import cancel
from app.registration.desk_queries import tallies
from app.registration.tallying import Counted
from tests.cast import CHAN, NOW, RITH, SLUG, VANNA, make_actor, make_application, the_forum

OPERATOR = Actor.operator()


def look(database: Database, counted: Counted, slug: str = SLUG) -> Any:
    """What whoever looks is shown, and what counting gives at this moment."""

    def read(db: Db) -> Any:
        forum = the_forum(db, slug)
        return counted.of(db, OPERATOR, forum), tallies(db, OPERATOR, forum)

    return database.read(read)


def test_who_looks_again_is_shown_what_counting_gives_after_each_deed(either_database: Database) -> None:
    counted, pen = Counted(), Pen(either_database)
    code = pen.write_now(SLUG, lambda db: make_application(db, VANNA).code)
    pen.write_now(SLUG, lambda db: make_application(db, RITH))
    shown, true = look(either_database, counted)
    assert shown == true
    pen.write_now(SLUG, lambda db: cancel(db, OPERATOR, the_forum(db), code, now=NOW))
    after, true = look(either_database, counted)
    assert after == true
    assert after != shown


def test_nothing_is_counted_while_nothing_happens(database: Database, queries: Callable[[], Any]) -> None:
    counted = Counted()
    Pen(database).write_now(SLUG, lambda db: make_application(db, VANNA))
    look(database, counted)
    forum = database.read(the_forum)
    with queries() as asked:
        database.read(lambda db: counted.of(db, OPERATOR, forum))
    assert len(asked) == 1, asked
    assert "registration" not in asked[0]


def test_each_who_looks_must_be_allowed_to(database: Database) -> None:
    counted = Counted()
    Pen(database).write_now(SLUG, lambda db: make_application(db, VANNA))
    look(database, counted)
    stranger = Pen(database).write_now(SITE, lambda db: make_actor(db, CHAN))
    with pytest.raises(NotFound):
        database.read(lambda db: counted.of(db, stranger, the_forum(db)))


def test_each_forum_has_its_own_and_the_one_counted_longest_ago_goes(
    database: Database, queries: Callable[[], Any], forum_file: ForumFile
) -> None:
    counted, pen = Counted(most=1), Pen(database)
    second = forum_file.model_copy(update={"forum": forum_file.forum.model_copy(update={"slug": "second"})})
    pen.write_now("second", lambda db: load(db, OPERATOR, second, now=NOW))
    pen.write_now(SLUG, lambda db: make_application(db, VANNA))
    for slug in (SLUG, "second"):
        shown, true = look(database, counted, slug)
        assert shown == true
    first = database.read(the_forum)
    with queries() as asked:
        database.read(lambda db: counted.of(db, OPERATOR, first))
    assert len(asked) == 2, "it was counted anew"
