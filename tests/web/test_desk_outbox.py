"""The outbox at the desk."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.rules import PERMISSIONS, Permission, Role
from app.audit.recording import history
from app.kit.db import Db, table
from app.kit.i18n import LANGS, Lang, has_text
from app.kit.pen import Pen
from app.mail.models import Message
from app.mail.outbox import claim, mark_failed, mark_sent, queue_mail
from app.main import create_app
from app.registration.applying import cancel
from app.web.deps import Desk
from app.web.desk_outbox import STATES, _read
from app.web.site import Site
from tests.cast import CAST, NOW, RITH, SLUG, SOKHA, VANNA, make_application, the_forum
from tests.conftest import settings_for, site_behind
from tests.web.visits import DESK, send, sign_in

OUTBOX = f"{DESK}/outbox"


def everybody(db: Db) -> None:
    for figure in CAST:
        make_application(db, figure)


def addresses(page: Any) -> list[str]:
    """Whom the mails shown are for, in order."""
    return re.findall(r'<span class="under">([^<]+@[^<]+)</span>', page.text)


@pytest.fixture
def with_mail(sqlite_url: str) -> Iterator[TestClient]:
    """A browser before a site from which mail can leave."""
    app = create_app(settings_for(sqlite_url, SMTP_URL="smtp://localhost:2525"))
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as browser:
        yield browser


@pytest.mark.parametrize("lang", LANGS)
def test_without_smtp_the_page_says_why_mail_waits(client: TestClient, site: Site, lang: Lang) -> None:
    site.pen.write_now(SLUG, everybody)
    sign_in(client, site, Role.OWNER)
    page = client.get(f"{OUTBOX}?lang={lang}")
    assert page.status_code == 200
    assert "SMTP" in page.text
    assert addresses(page) == [figure.email for figure in CAST][::-1]


def test_with_smtp_there_is_nothing_to_say(with_mail: TestClient) -> None:
    site_behind(with_mail).pen.write_now(SLUG, everybody)
    sign_in(with_mail, site_behind(with_mail), Role.OWNER)
    assert "SMTP" not in with_mail.get(OUTBOX).text


def test_each_mail_shows_its_state_its_tries_and_the_servers_words(client: TestClient, site: Site) -> None:
    def work(db: Db) -> None:
        everybody(db)
        first, second, third, *_ = claim(db, now=NOW, most=6)
        mark_sent(db, first, now=NOW)
        mark_failed(db, second, "550 no <such> person", None)
        mark_failed(db, third, "421 later", NOW)
        messages = table(Message)
        db.execute(update(messages).where(messages.c.id == first.id).values(possibly_repeated=True))

    site.pen.write_now(SLUG, work)
    sign_in(client, site, Role.OWNER)
    page = client.get(OUTBOX).text
    for words in ("550 no &lt;such&gt; person", "421 later", "possibly sent twice", "again:"):
        assert words in page
    assert "no <such> person" not in page
    assert len(addresses(client.get(f"{OUTBOX}?state=failed"))) == 1
    assert len(addresses(client.get(f"{OUTBOX}?state=sending"))) == 3


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("lang", LANGS)
def test_every_state_has_its_page_and_is_explained(client: TestClient, site: Site, state: str, lang: Lang) -> None:
    sign_in(client, site, Role.OWNER)
    assert client.get(f"{OUTBOX}?state={state}&lang={lang}").status_code == 200
    assert has_text(lang, f"desk.mail_state.{state}.name")
    assert has_text(lang, f"desk.mail_state.{state}.about")


def test_a_state_there_is_none_of_is_not_found(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.OWNER)
    assert client.get(f"{OUTBOX}?state=lost").status_code == 404


def test_a_mark_that_is_no_number_is_left_alone(client: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, everybody)
    sign_in(client, site, Role.OWNER)
    for before in ("x", "-1", "៣", "9" * 40):
        assert len(addresses(client.get(OUTBOX, params={"before": before}))) == len(CAST)


def test_long_outboxes_turn(client: TestClient, site: Site) -> None:
    def many(db: Db) -> None:
        for number in range(53):
            to = (f"person{number}@crowd.example", "Person")
            queue_mail(db, SLUG, "registration/seated", "en", to, "registration:ABCDEFG", now=NOW)

    site.pen.write_now(SLUG, many)
    sign_in(client, site, Role.OWNER)
    first = client.get(f"{OUTBOX}?state=queued")
    following = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert following
    second = client.get(following[1].replace("&amp;", "&"))
    shown = addresses(first) + addresses(second)
    assert shown == [f"person{number}@crowd.example" for number in range(53)][::-1]


def test_a_mail_leads_to_its_registration(client: TestClient, site: Site) -> None:
    code = site.pen.write_now(SLUG, lambda db: make_application(db, VANNA)).code
    sign_in(client, site, Role.OWNER)
    assert f'href="{DESK}/registrations/{code}"' in client.get(OUTBOX).text


def test_mail_of_another_forum_is_not_here(client: TestClient, site: Site) -> None:
    def elsewhere(db: Db) -> None:
        queue_mail(db, "second", "registration/seated", "en", (RITH.email, "Rith"), "registration:ABCDEFG", now=NOW)

    site.pen.write_now(SLUG, elsewhere)
    sign_in(client, site, Role.OWNER)
    assert addresses(client.get(OUTBOX)) == []


def fail_one(site: Site) -> tuple[int, str]:
    """Vanna's mail, given up by the server, and the code of her registration."""

    def work(db: Db) -> tuple[int, str]:
        code = make_application(db, VANNA).code
        (mail,) = claim(db, now=NOW)
        mark_failed(db, mail, "550 full", None)
        return mail.id, code

    return site.pen.write_now(SLUG, work)


def test_a_failed_mail_is_tried_again_and_that_is_noted(client: TestClient, site: Site) -> None:
    mail, code = fail_one(site)
    sign_in(client, site, Role.REGISTRAR)
    answer = send(client, OUTBOX, f"{OUTBOX}/{mail}/attempt")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{OUTBOX}?done=again")
    page = client.get(answer.headers["location"]).text
    assert "in the queue again" in page
    assert "attempt" not in page
    assert [one.id for one in site.pen.write_now(SLUG, lambda db: claim(db, now=NOW))] == [mail]
    fact = site.database.read(lambda db: history(db, SLUG, f"registration:{code}"))[-1]
    assert (fact.kind, fact.actor_name, fact.before["state"]) == ("mail.queued_again", SOKHA.name, "failed")
    assert "A mail is tried again" in client.get(f"{DESK}/registrations/{code}").text


def test_a_mail_that_did_not_fail_is_not_sent_twice(client: TestClient, site: Site) -> None:
    mail, _ = fail_one(site)
    sign_in(client, site, Role.OWNER)
    assert send(client, OUTBOX, f"{OUTBOX}/{mail}/attempt").status_code == 303
    again = send(client, OUTBOX, f"{OUTBOX}/{mail}/attempt")
    assert again.status_code == 409
    assert "not one that failed" in again.text


def test_a_mail_that_is_no_longer_true_is_not_tried_again(client: TestClient, site: Site) -> None:
    mail, code = fail_one(site)
    site.pen.write_now(SLUG, lambda db: cancel(db, Actor.operator(), the_forum(db), code, now=NOW))
    sign_in(client, site, Role.OWNER)
    again = send(client, OUTBOX, f"{OUTBOX}/{mail}/attempt")
    assert again.status_code == 409
    assert "no longer true" in again.text


@pytest.mark.parametrize("number", ["0", "x", "-1", "9" * 40])
def test_a_mail_there_is_none_of_cannot_be_tried_again(client: TestClient, site: Site, number: str) -> None:
    sign_in(client, site, Role.OWNER)
    assert send(client, OUTBOX, f"{OUTBOX}/{number}/attempt").status_code == 404


@pytest.mark.parametrize("role", Role)
def test_mail_is_for_the_roles_that_have_to_do_with_it(client: TestClient, site: Site, role: Role) -> None:
    sign_in(client, site, role)
    assert client.get(OUTBOX).status_code == (200 if Permission.SEE_MAIL in PERMISSIONS[role] else 403)


def test_every_mail_about_a_registration_has_words(db: Db) -> None:
    everybody(db)
    templates = set(db.execute(select(table(Message).c.template)).scalars())
    assert templates
    for template in templates:
        for lang in LANGS:
            assert has_text(lang, f"desk.mail_kind.{template.replace('/', '.')}"), template


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_takes_as_many_queries_for_three_as_for_one(
    database: Any, queries: Callable[[], Any], rows: int
) -> None:
    for figure in CAST[:rows]:
        Pen(database).write_now(SLUG, lambda db, figure=figure: make_application(db, figure))
    desk = Desk(Actor.operator(), "en", "", database.read(the_forum))
    with queries() as counted:
        found, _ = database.read(lambda db: _read(db, desk, "", None))
    assert len(found) == rows
    assert len(counted) == 2, counted
