"""A new edition: what is chosen comes along, nothing of participants ever does, and nobody sees it yet."""

from datetime import date
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import func, select
from sqlmodel import SQLModel

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import first_broken
from app.editions.opening import TAKEN, EditionInput, bring_programme, counts_of, open_edition
from app.forum.access import actor_of
from app.forum.inputs import RESERVED
from app.forum.models import Forum
from app.forum.people import people_of
from app.forum.queries import forum_by_slug, forum_id, forum_page
from app.kit.db import Db
from app.kit.errors import Forbidden, Invalid, NotFound
from app.kit.inputs import parse
from app.programme.drafting import states_of
from app.programme.queries import published
from app.registration.question_queries import questions_of
from app.registration.quotas import house_of
from app.web.routes import ROUTES
from tests.cast import DARA, NOW, RITH, SLUG, SOKHA, VANNA, make_actor, make_application, make_user, the_forum

NEXT = "phnom-penh-2029"
WORDS = {"en": "The next one", "km": "លើកក្រោយ"}
DAYS = {"starts_on": "2029-03-20", "ends_on": "2029-03-21"}


def asked(*takes: str, **changes: Any) -> EditionInput:
    sent = {"slug": NEXT, "title": WORDS, "short_title": WORDS, **DAYS, "takes": takes}
    return parse(EditionInput, {**sent, **changes})


def opened(db: Db, by: Actor, sent: EditionInput) -> Forum:
    forum = open_edition(db, by, the_forum(db), sent, now=NOW)
    if "programme" in sent.takes:
        bring_programme(db, by, forum, SLUG, sent, now=NOW)
    return forum


def rows_of(db: Db, forum: Forum) -> dict[str, int]:
    """How many rows of each table belong to a forum, where there are any."""
    found = {}
    for each in SQLModel.metadata.sorted_tables:
        if "forum_id" in each.c:
            count = db.execute(select(func.count()).where(each.c.forum_id == forum.id)).scalar_one()
            found |= {each.name: count} if count else {}
    return found


def test_all_of_it_comes_along_but_nothing_of_participants(db: Db):
    make_application(db, VANNA)
    owner = make_actor(db, SOKHA, Role.OWNER)
    make_actor(db, DARA, Role.REGISTRAR)
    source = the_forum(db)
    counts = counts_of(db, owner, source)
    assert set(counts) == set(TAKEN)
    forum = opened(db, owner, asked(*TAKEN))
    page, there = forum_page(db, NEXT), forum_page(db, SLUG)
    assert (page.tracks, page.objectives, list(page.rooms)) == (there.tracks, there.objectives, list(there.rooms))
    assert (forum.title.en, forum.about, forum.venue_name) == ("The next one", source.about, source.venue_name)
    assert (forum.starts_on, forum.uid != source.uid, forum.sequence) == (date(2029, 3, 20), True, 0)
    assert (forum.public, forum.featured) == (False, False)
    house, theirs = house_of(db, forum_id(forum)), house_of(db, forum_id(source))
    assert house.quotas == tuple(_without_lapse(quota) for quota in theirs.quotas)
    assert (house.terms.opens_at, house.terms.closes_at, house.terms.retention_on) == (None, None, None)
    assert len(questions_of(db, forum_id(forum))) == counts["questions"]
    drafts = states_of(db, forum_id(forum)).values()
    assert len(drafts) == counts["programme"] + counts["closed"]
    assert {state.draft.starts_at.year for state in drafts if state.draft.starts_at} == {2029}
    assert published(db, forum_id(forum)).number == 0, "nothing is published"
    colleagues = {one.email: one.roles for one in people_of(db, Actor.operator(), forum)}
    assert colleagues == {SOKHA.email: (Role.OWNER,), DARA.email: (Role.REGISTRAR,)}
    told = {"registration_terms", "registration_category", "registration_place", "registration_question"}
    told |= {name for name in rows_of(db, forum) if name.startswith(("forum_", "programme_"))}
    assert set(rows_of(db, forum)) <= told | {"registration_question_category"}
    assert "programme_version" not in rows_of(db, forum)
    assert first_broken(db, NEXT) is None


def _without_lapse(quota: Any) -> Any:
    return type(quota)(quota.category, quota.guarantee, quota.limit, None)


def test_of_nothing_chosen_words_and_groups_come_along_and_whoever_opened_it_owns_it(db: Db):
    owner = make_actor(db, SOKHA, Role.OWNER)
    make_actor(db, DARA, Role.REGISTRAR)
    forum = opened(db, owner, asked(starts_on="", ends_on=""))
    house = house_of(db, forum_id(forum))
    assert forum.starts_on is None
    assert not forum.venue_name
    assert {quota.guarantee for quota in house.quotas} == {0}
    assert len(house.categories) == len(house_of(db, forum_id(the_forum(db))).categories)
    assert [one.email for one in people_of(db, Actor.operator(), forum)] == [SOKHA.email]
    mine = actor_of(db, make_user(db, SOKHA))
    assert mine.roles[forum_id(forum)] == {Role.OWNER}
    page = forum_page(db, NEXT)
    assert (page.tracks, page.objectives, page.rooms) == ((), (), {})


def test_an_address_that_is_taken_or_means_something_else_is_refused(db: Db):
    owner = make_actor(db, SOKHA, Role.OWNER)
    with pytest.raises(Invalid):
        opened(db, owner, asked(slug=SLUG))
    for slug in (*sorted(RESERVED), "Capitals", "-", "with space", "", "x" * 65):
        with pytest.raises(Invalid):
            asked(slug=slug)
    with pytest.raises(Invalid):
        asked("programme", starts_on="", ends_on="")


def test_every_word_that_addresses_use_is_reserved():
    paths = [str(route.path).split("/") for route in iter_route_contexts(ROUTES)]
    words = {parts[2] for parts in paths if parts[1] == "{lang}" and len(parts) > 2 and "{" not in parts[2]}
    assert words
    assert words <= RESERVED


def test_only_an_owner_opens_one(db: Db):
    organiser = make_actor(db, DARA, Role.ORGANISER)
    with pytest.raises(Forbidden):
        opened(db, organiser, asked())
    with pytest.raises(NotFound):
        opened(db, make_actor(db, RITH), asked())
    with pytest.raises(NotFound):
        forum_by_slug(db, NEXT)
