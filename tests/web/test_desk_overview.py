"""What the overview says beside the seats: tasks, the waiting list with its reasons, conflicts, the balance."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import event, update
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.i18n import text_of
from app.kit.inputs import parse
from app.programme import asking, casting
from app.programme.drafting import states_of
from app.programme.editing import change
from app.programme.inputs import TypedSpeaker
from app.registration.applying import confirm
from app.registration.holding import keep_back
from app.registration.inputs import HoldBackInput
from app.registration.models import Application, Category, Terms
from app.web.site import Site
from tests.cast import BOPHA, CHAN, NOW, SECRET, SLUG, VANNA, make_application, the_forum
from tests.registration.test_overview_queries import close, some_wait
from tests.web.visits import DESK, sign_in

OPERATOR = Actor.operator()
_people, _categories, _terms = table(Application), table(Category), table(Terms)


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
        make_application(db, VANNA, email="unsaid@crowd.example", country="")
        make_application(db, CHAN, country="FR")

    site.pen.write_now(SLUG, deed)
    page = look(client, site, Role.OWNER).split('id="balance"')[1]
    links = re.findall(rf'href="({DESK}/registrations\?[^"]*&amp;state=\w+)">(\d+)</a>', page)
    asked = {parse_qsl(urlsplit(unescape(address)).query)[0] for address, _ in links}
    assert asked >= {("country", "TL"), ("institution", VANNA.institution), ("category", "STU"), ("side", "science")}
    assert asked >= {("origin", "asean"), ("origin", "other"), ("origin", "unknown")}
    for address, n in links:
        words = text_of("en", "many.whole", n=int(n))
        assert f'name="whole" value="1"><label for="whole">{words}' in client.get(unescape(address)).text, address
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


def test_a_figure_leads_to_as_many_people_as_it_says(client: TestClient, site: Site) -> None:
    def fill(db: Db) -> None:
        rows = [make_application(db, VANNA, email=f"seated{n}@crowd.example", given_name=f"Seated{n}") for n in "ab"]
        db.execute(update(_people).where(_people.c.id == rows[0].id).values(confirmed_at=NOW))
        sent = HoldBackInput(category="GOV", seats=2, purpose="Late guests")
        keep_back(db, OPERATOR, the_forum(db), sent, now=NOW)

    site.pen.write_now(SLUG, fill)
    page = look(client, site, Role.OWNER)
    assert text_of("en", "desk.figure.nameless", n=2) in page
    people = f"{DESK}/registrations"
    for question, n in (("place=hall", 2), ("state=confirmed&place=hall", 1)):
        assert f'href="{people}?{question.replace("&", "&amp;")}"' in page
        assert (
            f'name="whole" value="1"><label for="whole">{text_of("en", "many.whole", n=n)}'
            in client.get(f"{people}?{question}").text
        )
    assert f'data-label="{text_of("en", "desk.seats.held")}">2</td>' in page, "nobody is behind them"
