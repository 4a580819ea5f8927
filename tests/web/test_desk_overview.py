"""What the overview says beside the seats: tasks, the waiting list with its reasons, conflicts, the balance."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.inputs import parse
from app.kit.pen import Pen
from app.programme import asking, casting
from app.programme.drafting import states_of
from app.programme.editing import change
from app.programme.inputs import TypedSpeaker
from app.registration.applying import confirm
from app.registration.models import Answer, Application, Category, Question, Terms
from app.registration.overview_queries import (
    asked_between,
    doubles_count,
    due_soon,
    first_waiting,
    genders,
    present,
    queues,
)
from app.registration.quotas import house_of
from app.registration.rules.reasons import Why
from app.web.site import Site
from tests.cast import BOPHA, CHAN, NOW, RITH, SECRET, SLUG, SOKHA, VANNA, make_actor, make_application, the_forum
from tests.embassies import make_delegation
from tests.web.visits import DESK, sign_in

OPERATOR = Actor.operator()
_people, _categories, _terms = table(Application), table(Category), table(Terms)


def close(db: Db, category: str) -> None:
    """A category has its limit with whoever sits in it."""
    full = {"guarantee": 0, "limit": 1}
    db.execute(update(_categories).where(_categories.c.code == category).values(**full))


def some_wait(db: Db, number: int = 2) -> list[str]:
    """One student sits, the others wait behind the limit."""
    close(db, "STU")
    made = [
        make_application(db, VANNA, email=f"s{n}@crowd.example", family_name=f"Queue{n}") for n in range(number + 1)
    ]
    return [row.code for row in made[1:]]


# ---- reads


def test_each_group_that_waits_has_its_reason(db: Db):
    some_wait(db)
    house = house_of(db, forum_id(the_forum(db)))
    (one,) = queues(house, {"STU": 2}, now=NOW)
    assert (one.category.code, one.number, one.reason.why, one.reason.limit) == ("STU", 2, Why.LIMIT, 1)


def test_the_first_in_the_list_stand_in_the_rules_order(db: Db):
    first, second = some_wait(db)
    by = make_actor(db, SOKHA, Role.REGISTRAR)
    assert [row.code for row in first_waiting(db, by, the_forum(db), most=5)] == [first, second]
    db.execute(update(_people).where(_people.c.code == second).values(priority=1))
    assert [row.code for row in first_waiting(db, by, the_forum(db), most=1)] == [second]


def test_what_ends_soon_is_counted_and_what_does_not_is_not(db: Db):
    forum = the_forum(db)
    assert due_soon(db, OPERATOR, forum, now=NOW) == {}
    make_delegation(db, deadline=NOW + timedelta(days=6), seats=2)
    make_delegation(db, deadline=NOW + timedelta(days=20), seats=2, institution="Another embassy")
    offered = make_application(db, VANNA)
    values = {"state": "offered", "offer_until": NOW + timedelta(hours=23)}
    db.execute(update(_people).where(_people.c.id == offered.id).values(**values))
    assert due_soon(db, OPERATOR, forum, now=NOW) == {"delegations": 1, "offers": 1}
    assert due_soon(db, OPERATOR, forum, now=NOW - timedelta(days=5)) == {}


def test_doubles_are_counted_while_there_are_few_people(db: Db, monkeypatch: pytest.MonkeyPatch):
    make_application(db, VANNA)
    assert doubles_count(db, OPERATOR, the_forum(db)) == 0
    make_application(db, VANNA, email="vanna@elsewhere.example")
    assert doubles_count(db, OPERATOR, the_forum(db)) == 1
    monkeypatch.setattr("app.registration.overview_queries.FEW", 1)
    assert doubles_count(db, OPERATOR, the_forum(db)) is None


def test_those_who_come_are_counted_and_a_private_capacity_leaves_the_institution_out(db: Db):
    confirm(db, OPERATOR, the_forum(db), make_application(db, VANNA, country="TL").code, now=NOW)
    make_application(db, CHAN, attends_as="private", country="FR")
    make_application(db, BOPHA)  # awaits a decision
    found = present(db, OPERATOR, the_forum(db))
    assert [(share.key, share.confirmed, share.unconfirmed) for share in found.groups] == [
        ("asean", 1, 0),
        ("other", 0, 1),
        ("unknown", 0, 0),
    ]
    assert [share.key for share in found.institutions] == [VANNA.institution]


def test_gender_is_counted_where_a_question_asks_for_it_and_whoever_looks_may_see_it(db: Db):
    forum, by = the_forum(db), make_actor(db, CHAN, Role.VIEWER)
    assert genders(db, by, forum) == ()
    options = [{"value": value, "en": value, "km": value} for value in ("woman", "man")]
    like = dict(db.execute(select(table(Question)).limit(1)).mappings().one())
    like |= {"id": None, "code": "gender", "options": options, "position": 99, "sensitive": False}
    number = db.execute(
        insert(table(Question)).values({k: v for k, v in like.items() if k != "id"})
    ).inserted_primary_key[0]
    for figure, value in ((VANNA, "woman"), (CHAN, "woman"), (BOPHA, "man")):
        row = make_application(db, figure)
        db.execute(
            insert(table(Answer)).values(application_id=row.id, question_id=number, value=value, answered_at=NOW)
        )
    assert [(one.name.en, one.number) for one in genders(db, by, forum)] == [("woman", 2), ("man", 0)], "Bopha awaits"
    db.execute(update(table(Question)).where(table(Question).c.id == number).values(sensitive=True))
    assert genders(db, by, forum) == ()
    assert genders(db, make_actor(db, SOKHA, Role.PROTOCOL_OFFICER), forum)


def test_days_are_counted_by_an_index_alone(either_database: Any):
    def read(db: Db) -> list[int]:
        edges = [(NOW - timedelta(days=n + 1), NOW - timedelta(days=n)) for n in (1, 0)]
        return asked_between(db, OPERATOR, the_forum(db), edges)

    def write(db: Db) -> None:
        make_application(db, VANNA, now=NOW - timedelta(hours=30))
        make_application(db, CHAN, now=NOW - timedelta(hours=2))
        make_application(db, RITH, now=NOW - timedelta(hours=1))

    Pen(either_database).write_now(SLUG, write)
    assert either_database.read(read) == [1, 2]
    with either_database.reading() as db:
        assert due_soon(db, OPERATOR, the_forum(db), now=NOW) == {}
        if either_database.is_sqlite:
            asked = (
                "EXPLAIN QUERY PLAN SELECT count(*) FROM registration_application WHERE forum_id = 1 AND asked_at >= 1"
            )
            assert "COVERING INDEX ix_registration_application_asked" in str(
                db.connection().exec_driver_sql(asked).all()
            )


# ---- the page


def look(client: TestClient, site: Site, *roles: Role, lang: str = "en") -> str:
    sign_in(client, site, *roles)
    page = client.get(f"{DESK}?lang={lang}")
    assert page.status_code == 200
    return page.text.split("<main")[1]


def test_a_forum_that_has_just_begun_says_that_nothing_waits(client: TestClient, site: Site) -> None:
    page = look(client, site, Role.OWNER)
    for words in ("Nothing waits for a decision.", "Nobody waits.", "Nobody holds a seat yet."):
        assert words in page


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "The limit of this group, 1, is reached."), ("km", "គឺ ១ បានគ្រប់ហើយ")]
)
def test_who_waits_is_said_with_the_reason(client: TestClient, site: Site, lang: str, words: str) -> None:
    codes = site.pen.write_now(SLUG, some_wait)
    page = look(client, site, Role.OWNER, lang=lang)
    assert words in page
    assert f'href="{DESK}/registrations?category=STU&amp;state=waiting"' in page
    assert all(f'href="{DESK}/registrations/{code}"' in page for code in codes)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.PROGRAMME_EDITOR, Role.DOOR_STAFF, Role.RAPPORTEUR])
def test_who_may_not_see_people_sees_figures_and_no_names(client: TestClient, site: Site, role: Role) -> None:
    codes = site.pen.write_now(SLUG, some_wait)
    page = look(client, site, role)
    assert "The limit of this group, 1, is reached." in page
    assert not re.search(r"queue\d", page, re.IGNORECASE)
    assert not any(code in page for code in codes)
    assert "/registrations" not in page
    assert 'id="countries"' in page
    assert VANNA.institution not in page


def test_tasks_lead_to_where_they_are_done(client: TestClient, site: Site) -> None:
    def deed(db: Db) -> None:
        forum = the_forum(db)
        make_application(db, BOPHA)
        typed = {"function_en": "Speaker", "function_km": "វាគ្មិន", "name_en": "Somebody", "email": "one@crowd.example"}
        code = casting.add_speaker(db, OPERATOR, forum, parse(TypedSpeaker, typed), now=NOW)
        asking.ask(db, OPERATOR, forum, code, SECRET, now=NOW)
        (state,) = states_of(db, forum_id(forum), code="D1-07").values()
        early = state.draft.model_copy(update={"ends_at": state.draft.starts_at})
        change(db, OPERATOR, forum, "D1-07", early, edition=state.edition, now=NOW, reason="So it is")

    site.pen.write_now(SLUG, deed)
    page = look(client, site, Role.OWNER)
    tasks = page.split('id="tasks"')[1].split("</section>")[0]
    for href in ("/registrations?state=awaiting", "/speakers", "/programme/versions"):
        assert f'<b>1</b> <span><a href="{DESK}{href}">' in tasks
    programme = page.split('id="programme"')[1].split("</section>")[0]
    assert "conflicts with a reason" in programme
    assert "worth a look" in programme


def test_the_balance_leads_to_the_people_behind_each_figure(client: TestClient, site: Site) -> None:
    def deed(db: Db) -> None:
        confirm(db, OPERATOR, the_forum(db), make_application(db, VANNA, country="TL").code, now=NOW)

    site.pen.write_now(SLUG, deed)
    page = look(client, site, Role.OWNER).split('id="balance"')[1]
    for asked in ("country=TL", "institution=A+university", "category=STU"):
        assert f'href="{DESK}/registrations?{asked}&amp;state=confirmed">1</a>' in page
    assert 'width="100.00"' in page


@pytest.mark.parametrize("days", [5, 40])
def test_the_day_on_which_registration_closes_is_marked_while_it_is_in_sight(
    client: TestClient, site: Site, days: int
) -> None:
    closes = {"closes_at": NOW + timedelta(days=days)}
    site.pen.write_now(SLUG, lambda db: db.execute(update(_terms).values(**closes)))
    page = look(client, site, Role.OWNER)
    assert ('class="closes"' in page) == (days == 5)
    assert "egistration closes on" in page


def test_the_page_costs_as_many_questions_whatever_it_shows(client: TestClient, site: Site) -> None:
    asked: list[str] = []
    event.listen(site.database.read_engine, "before_cursor_execute", lambda _c, _k, said, *_rest: asked.append(said))
    sign_in(client, site, Role.OWNER)
    found = []
    for number in (1, 3):
        site.pen.write_now(SLUG, lambda db, number=number: more(db, number))
        asked.clear()
        assert client.get(DESK).status_code == 200
        found.append(sum(said.startswith(("SELECT", "WITH")) for said in asked))
    assert found[0] == found[1] <= 36


def more(db: Db, number: int) -> None:
    """So many people who sit, wait and await a decision, and delegations whose day is near."""
    close(db, "STU")
    for n in range(number + 1):
        make_application(db, VANNA, email=f"a{number}{n}@crowd.example", family_name=f"Student{number}{n}")
    for n in range(number):
        make_application(db, BOPHA, email=f"b{number}{n}@crowd.example", family_name=f"Minister{number}{n}")
        make_application(db, CHAN, email=f"c{number}{n}@crowd.example", family_name=f"Other{number}{n}", country="FR")
