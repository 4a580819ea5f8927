"""The desk's first pages."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.rules import PERMISSIONS, Permission, Role
from app.editions.form import ForumFile
from app.editions.loading import load
from app.kit.db import Db, table
from app.kit.pen import SITE
from app.mail.models import Message
from app.registration.applying import confirm
from app.registration.models import Category
from app.web.deps import MENU
from app.web.site import Site
from tests.cast import BOPHA, CHAN, NOW, SLUG, SOKHA, VANNA, make_application, make_user, the_forum
from tests.web.visits import DESK, make_link, send, sign_in


def a_few(db: Db) -> None:
    """A confirmed seat, an unconfirmed one, and one held while somebody decides."""
    make_application(db, SOKHA, now=NOW - timedelta(days=2))
    confirm(db, Actor.operator(), the_forum(db), make_application(db, VANNA).code, now=NOW)
    make_application(db, BOPHA)


def test_the_only_forum_is_gone_to_at_once(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.VIEWER)
    answer = client.get("/desk")
    assert (answer.status_code, answer.headers["location"]) == (303, DESK)


@pytest.mark.parametrize("lang", ["en", "km"])
def test_of_several_forums_one_is_chosen(client: TestClient, site: Site, forum_file: ForumFile, lang: str) -> None:
    second = forum_file.model_copy(update={"forum": forum_file.forum.model_copy(update={"slug": "second"})})
    site.pen.write_now("second", lambda db: load(db, Actor.operator(), second, now=NOW))
    site.pen.write_now(SITE, lambda db: make_user(db, SOKHA, site_owner=True))
    link = f"/login/{make_link(site)}"
    send(client, link, link)
    page = client.get(f"/desk?lang={lang}")
    assert page.status_code == 200
    assert f'href="{DESK}"' in page.text
    assert 'href="/desk/second"' in page.text


def test_whoever_works_for_no_forum_is_told_so(client: TestClient, site: Site) -> None:
    sign_in(client, site, figure=CHAN)
    page = client.get("/desk")
    assert page.status_code == 200
    assert "no forum’s desk is open to you" in page.text
    assert SLUG not in page.text


def test_the_overview_shows_the_numbers_and_where_they_lead(client: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, a_few)
    sign_in(client, site, Role.OWNER)
    page = client.get(DESK).text
    assert "3 of 300 seats are taken. The target is 250." in page
    for standing, group in (("confirmed", "STU"), ("unconfirmed", "ORG"), ("held", "GOV"), ("awaiting", "GOV")):
        assert re.search(rf'href="{DESK}/registrations\?category={group}&amp;state={standing}[^"]*">1</a>', page)
    figures = re.findall(r"<li[^>]*><b>(\d+)</b>", page)
    assert figures[:4] == ["3", "1", "1", "0"]
    assert "3 registrations in the last 14 days, 2 on the busiest." in page


@pytest.mark.parametrize(("lang", "taken"), [("en", "<b>3</b>"), ("km", "<b>៣</b>")])
def test_the_overview_is_whole_in_both_languages(client: TestClient, site: Site, lang: str, taken: str) -> None:
    site.pen.write_now(SLUG, a_few)
    sign_in(client, site, Role.OWNER)
    page = client.get(f"{DESK}?lang={lang}")
    assert page.status_code == 200
    assert taken in page.text


def test_held_seats_are_told_from_confirmed_ones_without_colour(client: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, a_few)
    sign_in(client, site, Role.OWNER)
    drawing = client.get(DESK).text.split('class="waffle"')[1].split("</svg>")[0]
    shown = re.findall(r'<g class="(\w+) band-(\w+)">\s*<title>([^<]+)</title>.*?>(\w+)</text>', drawing, re.DOTALL)
    assert sorted(shown) == [
        ("confirmed", "yellow", "Students and scholars: 1 confirmed", "S"),
        ("held", "green", "Organizations and private sector: 1 held, not confirmed yet", "O"),
        ("held", "red", "Royal Government: 1 held, not confirmed yet", "G"),
    ]
    assert 'class="target"' in drawing


def test_without_smtp_waiting_mail_is_said_plainly(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.OWNER)
    assert "no SMTP server" not in client.get(DESK).text
    site.pen.write_now(SLUG, make_application)
    assert "One mail waits here because no SMTP server is set up." in client.get(DESK).text


def test_failed_and_retried_mail_calls(client: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, a_few)
    sign_in(client, site, Role.OWNER)
    assert "state=retrying" not in client.get(DESK).text

    def unlucky(db: Db) -> None:
        mails = table(Message)
        for number, state in ((1, "failed"), (2, "retrying")):
            db.execute(update(mails).where(mails.c.id == number).values(state=state))

    site.pen.write_now(SLUG, unlucky)
    page = client.get(DESK).text
    assert re.search(r'<li class="calls"><b>1</b><span><a href="[^"]*state=failed">', page)
    assert re.search(r'<li><b>1</b><span><a href="[^"]*state=retrying">', page)


@pytest.mark.parametrize("role", Role)
def test_every_role_sees_the_figures_and_only_links_it_may_follow(client: TestClient, site: Site, role: Role) -> None:
    site.pen.write_now(SLUG, a_few)
    sign_in(client, site, role)
    page = client.get(DESK)
    assert page.status_code == 200
    main = page.text.split("<main")[1]
    assert ("/registrations?" in main) == (Permission.SEE_PEOPLE in PERMISSIONS[role])
    assert ("/outbox?" in main) == (Permission.SEE_MAIL in PERMISSIONS[role])
    assert "Vanna" not in main


@pytest.mark.parametrize("role", Role)
def test_the_menu_has_the_pages_that_the_role_may_open_and_no_others(
    client: TestClient, site: Site, role: Role
) -> None:
    sign_in(client, site, role)
    page = client.get(DESK).text
    menu = page[page.index('<nav class="menu"') : page.index("</nav>")]
    tails = {tail for _, pages in MENU for tail, _, _ in pages}
    shown = {tail for tail in tails if f'href="{DESK}{tail}"' in menu}
    assert shown == {tail for tail in tails if client.get(f"{DESK}{tail}").status_code == 200}
    led_to = set(re.findall('href="([^"]+)"', menu))
    assert led_to == {f"{DESK}{tail}" for tail in shown} | {f"/en/{SLUG}"}, "and the forum's site"


@pytest.mark.parametrize(("lang", "words"), [("en", "(no limit)"), ("km", "(គ្មានកំណត់)")])
def test_badges_without_a_limit_are_said_to_have_none_wherever_a_group_is_chosen(
    client: TestClient, site: Site, lang: str, words: str
) -> None:
    outside = {"in_hall": False, "guarantee": 0, "limit": None}
    badges = update(table(Category)).where(table(Category).c.code == "THK").values(**outside)
    code = site.pen.write_now(SLUG, lambda db: (db.execute(badges), make_application(db, BOPHA).code)[1])
    sign_in(client, site, Role.OWNER)
    for tail in (f"/registrations/{code}", "/hold-backs", "/delegations/new", "/invitations/new"):
        page = client.get(f"{DESK}{tail}?lang={lang}").text
        assert page.count(words) == 1, tail
        assert "000,0" not in page, tail
        assert "999" not in page, tail
    own = site.pen.write_now(SLUG, lambda db: make_application(db, VANNA, category="THK", by=Actor.operator()).code)
    assert "000,000" not in client.get(f"{DESK}/registrations/{own}").text
