from datetime import UTC, datetime

import pytest

from app.forum.models import Forum
from app.forum.queries import ends_at, featured_slug, forum_apart, forum_by_slug, forum_page
from app.kit.db import Database, Db
from app.kit.errors import NotFound
from tests.cast import NOW, SLUG, the_forum


def test_a_forum_is_found_by_its_slug_or_not_at_all(db: Db):
    assert forum_by_slug(db, SLUG).slug == SLUG
    with pytest.raises(NotFound):
        forum_by_slug(db, SLUG.upper())


def test_a_forum_of_no_session_says_the_same_and_its_changes_are_nobodys(either_database: Database):
    with either_database.reading() as db:
        apart, found = forum_apart(db, SLUG), forum_by_slug(db, SLUG)
        names = list(Forum.model_fields)
        assert [getattr(apart, name) for name in names] == [getattr(found, name) for name in names]
        assert apart not in db
        with pytest.raises(NotFound):
            forum_apart(db, SLUG.upper())


def test_a_forums_last_day_ends_where_it_is_held(db: Db):
    assert ends_at(the_forum(db)) == datetime(2027, 3, 24, 17, tzinfo=UTC), "midnight in Phnom Penh"


def test_a_forum_without_dates_has_no_end_yet():
    assert ends_at(Forum(slug="later", created_at=NOW, changed_at=NOW)) is None


def test_the_featured_forum_is_the_one_the_site_opens_with(db: Db):
    assert featured_slug(db) == SLUG


def test_a_forum_is_read_whole_with_five_queries(database: Database, queries):
    with queries() as counted, database.reading() as db:
        page = forum_page(db, SLUG)
    assert len(counted) == 5
    assert sum(len(track.themes) for track in page.tracks) > 3
