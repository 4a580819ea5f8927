from datetime import timedelta
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import Forbidden, Refused
from app.kit.pen import revisions
from app.programme.publishing import publish
from app.programme.queries import published
from tests.cast import DARA, NOW, SLUG, make_actor, the_forum
from tests.programme.test_drafting import put, talk

OPERATOR = Actor.operator()


def test_a_version_is_refused_where_nothing_changed_or_conflicts_stand(db: Db):
    forum = the_forum(db)
    with pytest.raises(Refused, match="nothing_to_publish"):
        publish(db, OPERATOR, forum, now=NOW)
    times: dict[str, Any] = {"starts_at": "2027-03-23T02:00:00Z", "ends_at": "2027-03-23T03:00:00Z", "room": "mekong"}
    put(db, forum, talk("T-01", **times), talk("T-02", **times))
    with pytest.raises(Refused, match="conflicts") as refused:
        publish(db, OPERATOR, forum, now=NOW)
    assert refused.value.values == {"codes": "T-01, T-02"}
    assert publish(db, OPERATOR, forum, now=NOW, reason="one room, two halves") == 2


def test_a_version_is_numbered_recorded_and_makes_pages_stale(db: Db):
    forum, before = the_forum(db), revisions(db)[SLUG]
    put(db, forum, talk("T-01"))
    assert publish(db, OPERATOR, forum, now=NOW) == 2
    fact = history(db, SLUG, f"forum:{SLUG}")[-1]
    assert (fact.kind, fact.after["version"]) == ("programme.published", 2)
    assert revisions(db)[SLUG] > before


def test_old_versions_keep_their_text(db: Db):
    forum = the_forum(db)
    first = published(db, forum_id(forum), 1)
    put(db, forum, talk("T-01"))
    publish(db, OPERATOR, forum, now=NOW)
    assert published(db, forum_id(forum), 1) == first


def test_a_version_that_changes_only_a_closed_session_is_none_for_the_public(db: Db):
    forum = the_forum(db)
    put(db, forum, talk("T-01"), talk("C-01", attribution="CLO"))
    publish(db, OPERATOR, forum, now=NOW)
    told = published(db, forum_id(forum))
    put(db, forum, talk("T-01"), talk("C-01", attribution="CLO", room="mekong"))
    assert publish(db, OPERATOR, forum, now=NOW + timedelta(days=1)) == told.number + 1
    after = published(db, forum_id(forum))
    assert (after.public_number, after.public_at) == (told.public_number, told.public_at) == (2, NOW)
    put(db, forum, talk("T-01", room="mekong"), talk("C-01", attribution="CLO", room="mekong"))
    publish(db, OPERATOR, forum, now=NOW + timedelta(days=2))
    assert published(db, forum_id(forum)).public_number == 3


def test_a_closed_session_whose_missing_code_would_show_is_not_published_without_a_reason(db: Db):
    forum = the_forum(db)
    put(db, forum, talk("T-01"), talk("T-02", attribution="CLO"), talk("T-03"))
    with pytest.raises(Refused, match="code_gap") as refused:
        publish(db, OPERATOR, forum, now=NOW)
    assert refused.value.values == {"codes": "T-02"}
    assert publish(db, OPERATOR, forum, now=NOW, reason="the codes are printed already") == 2


def test_publishing_is_for_those_whose_role_includes_it(db: Db):
    with pytest.raises(Forbidden):
        publish(db, make_actor(db, DARA, Role.PROGRAMME_EDITOR), the_forum(db), now=NOW)


def test_a_version_published_after_the_clock_was_set_back_is_later_than_the_one_before_for_every_calendar(db: Db):
    forum = the_forum(db)
    put(db, forum, talk("T-01"))
    publish(db, OPERATOR, forum, now=NOW)
    first = published(db, forum_id(forum))
    put(db, forum, talk("T-01", room="mekong"))
    publish(db, OPERATOR, forum, now=NOW - timedelta(days=1))
    second = published(db, forum_id(forum))
    was, now = (next(one for one in version.sessions if one.code == "T-01") for version in (first, second))
    assert first.published_at is not None
    assert second.published_at is not None
    assert second.published_at >= first.published_at + timedelta(seconds=1)
    assert (now.sequence, now.changed_at > was.changed_at) == (was.sequence + 1, True)
