"""Signing in by a one-time link, and out again."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from app.accounts.models import Login, User
from app.kit import codes
from app.kit.db import table
from app.kit.pen import SITE
from app.mail.models import Message
from app.main import create_app
from app.web.cookies import LOGIN as COOKIE
from app.web.login import ASK, SECONDS_TO_ASK
from app.web.site import Site
from tests.cast import NOW, RITH, SECRET, SOKHA, make_user
from tests.conftest import Clock, settings_for, site_behind
from tests.web.visits import make_link, seal_on, send, sign_in

LINK_ASKED = "If this address belongs to an organiser"


@pytest.fixture
def browser(sqlite_url: str) -> Iterator[Callable[..., TestClient]]:
    """Opens a browser before a site with settings of its own."""
    opened: list[TestClient] = []

    def open_site(base_url: str = "http://localhost", **environment: str) -> TestClient:
        app = create_app(settings_for(sqlite_url, **environment))
        opened.append(TestClient(app, base_url=base_url, follow_redirects=False).__enter__())
        return opened[-1]

    yield open_site
    for one in opened:
        one.__exit__(None, None, None)


def messages(site: Site) -> list[Any]:
    return site.database.read(lambda db: list(db.execute(select(table(Message)))))


def logins(site: Site) -> int:
    live = table(Login).c.revoked_at.is_(None)
    return site.database.read(lambda db: db.execute(select(func.count()).where(live)).scalar_one())


@pytest.mark.parametrize("lang", ["en", "km"])
def test_without_smtp_the_page_says_that_the_operator_prints_a_link(client: TestClient, lang: str) -> None:
    page = client.get(f"/login?lang={lang}")
    assert page.status_code == 200
    assert "SMTP" in page.text
    assert "sala owner" in page.text
    assert "<form" not in page.text
    assert page.headers["content-language"] == lang
    assert page.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("email", [SOKHA.email, "nobody@example.org"])
def test_no_answer_comes_before_a_time_that_covers_the_work_for_a_known_address(
    browser: Callable[..., TestClient], email: str
) -> None:
    client = browser(SMTP_URL="smtp://localhost:2525")
    seal, began = seal_on(client.get("/login")), time.monotonic()
    assert client.post("/login", data={"form": seal, "email": email}).status_code == 200
    assert time.monotonic() - began >= SECONDS_TO_ASK


def test_a_known_and_an_unknown_address_get_one_and_the_same_answer(browser: Callable[..., TestClient]) -> None:
    client = browser(SMTP_URL="smtp://localhost:2525")
    site = site_behind(client)
    site.pen.write_now(SITE, lambda db: make_user(db, SOKHA))
    known = send(client, "/login", "/login", email=SOKHA.email.upper())
    unknown = send(client, "/login", "/login", email=RITH.email)
    assert known.status_code == unknown.status_code == 200
    assert LINK_ASKED in known.text
    assert known.text == unknown.text
    assert [(one.to_address, one.template, one.forum) for one in messages(site)] == [
        (SOKHA.email, "accounts/sign_in_link", SITE)
    ]


def test_the_outbox_holds_no_token_and_the_readers_language(browser: Callable[..., TestClient]) -> None:
    client = browser(SMTP_URL="smtp://localhost:2525")
    site = site_behind(client)
    user = site.pen.write_now(SITE, lambda db: make_user(db, SOKHA))
    client.get("/login?lang=km")
    send(client, "/login", "/login", email=SOKHA.email)
    [message] = messages(site)
    assert (message.language, message.values, message.subject) == ("km", {}, f"user:{user.id}")


def test_a_disabled_user_is_sent_nothing(browser: Callable[..., TestClient]) -> None:
    client = browser(SMTP_URL="smtp://localhost:2525")
    site = site_behind(client)
    site.pen.write_now(SITE, lambda db: make_user(db, SOKHA))
    site.pen.write_now(SITE, lambda db: db.execute(update(table(User)).values(disabled=True)) and None)
    assert LINK_ASKED in send(client, "/login", "/login", email=SOKHA.email).text
    assert messages(site) == []


def test_what_is_no_address_is_said_and_kept(browser: Callable[..., TestClient]) -> None:
    client = browser(SMTP_URL="smtp://localhost:2525")
    answer = send(client, "/login", "/login", email="sokha at home")
    assert answer.status_code == 422
    assert 'value="sokha at home"' in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_too_many_tries_for_one_address_are_held_back_known_or_not(browser: Callable[..., TestClient]) -> None:
    client = browser(SMTP_URL="smtp://localhost:2525", THROTTLE_PER_EMAIL="2")
    site_behind(client).pen.write_now(SITE, lambda db: make_user(db, SOKHA))
    for email in (SOKHA.email, RITH.email):
        answers = [send(client, "/login", "/login", email=email) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].headers["retry-after"] == "3600"
        assert f'value="{email}"' in answers[2].text
    assert len(messages(site_behind(client))) == 2


def test_a_form_left_open_too_long_is_shown_again_with_what_was_typed(
    browser: Callable[..., TestClient], clock: Clock
) -> None:
    client = browser(SMTP_URL="smtp://localhost:2525")
    seal = seal_on(client.get("/login"))
    clock.move(hours=13)
    answer = client.post("/login", data={"form": seal, "email": SOKHA.email})
    assert answer.status_code == 410
    assert f'value="{SOKHA.email}"' in answer.text


def test_without_smtp_asking_queues_nothing(client: TestClient, site: Site) -> None:
    site.pen.write_now(SITE, lambda db: make_user(db, SOKHA))
    opened = int(NOW.timestamp() * 1000)
    sealed = codes.seal(SECRET, f"form/{ASK}/", f"{opened}-ANYKEY")
    answer = client.post("/login", data={"form": sealed, "email": SOKHA.email})
    assert answer.status_code == 200
    assert "sala owner" in answer.text
    assert messages(site) == []


def test_a_form_without_its_seal_is_refused(browser: Callable[..., TestClient]) -> None:
    client = browser(SMTP_URL="smtp://localhost:2525")
    assert client.post("/login", data={"email": SOKHA.email}).status_code == 422


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://elsewhere.example"}],
)
def test_a_form_sent_by_another_sites_page_is_refused(client: TestClient, site: Site, headers: dict[str, str]) -> None:
    link = f"/login/{make_link(site)}"
    answer = client.post(link, data={"form": seal_on(client.get(link))}, headers=headers)
    assert answer.status_code == 403
    assert logins(site) == 0


@pytest.mark.parametrize("lang", ["en", "km"])
def test_opening_a_link_uses_nothing_up(client: TestClient, site: Site, lang: str) -> None:
    link = f"/login/{make_link(site)}"
    for _ in range(3):
        page = client.get(link, headers={"accept-language": lang})
        assert page.status_code == 200
        assert "<button" in page.text
        assert page.headers["content-language"] == lang
        assert page.headers["cache-control"] == "private, no-store"
    assert "set-cookie" not in page.headers


def test_the_button_signs_in_once_and_leads_to_the_desk(client: TestClient, site: Site) -> None:
    link = f"/login/{make_link(site, site_owner=True)}"
    answer = send(client, link, link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie
    assert client.get("/desk").headers["location"].startswith("/desk/")


def test_on_https_the_cookie_is_never_sent_in_the_clear(browser: Callable[..., TestClient]) -> None:
    client = browser("https://sala.example", BASE_URL="https://sala.example")
    link = f"/login/{make_link(site_behind(client))}"
    assert "Secure" in send(client, link, link).headers["set-cookie"]


@pytest.mark.parametrize(("lang", "words"), [("en", "used already or is out of time"), ("km", "តំណ")])
def test_used_old_and_unknown_links_look_alike(
    client: TestClient, site: Site, clock: Clock, lang: str, words: str
) -> None:
    used, old = make_link(site), make_link(site)
    send(client, f"/login/{used}", f"/login/{used}")
    client.cookies.clear()
    clock.move(hours=24)
    answers = [client.get(f"/login/{token}", headers={"accept-language": lang}) for token in (used, old, "x" * 43)]
    assert [answer.status_code for answer in answers] == [410, 410, 410]
    assert len({answer.text.replace(one, "") for one, answer in zip((used, old, "x" * 43), answers, strict=True)}) == 1
    assert words in answers[0].text


def test_a_link_used_meanwhile_signs_nobody_in(client: TestClient, site: Site) -> None:
    link = f"/login/{make_link(site)}"
    seal = seal_on(client.get(link))
    assert client.post(link, data={"form": seal}).status_code == 303
    client.cookies.clear()
    again = client.post(link, data={"form": seal})
    assert again.status_code == 410
    assert "set-cookie" not in again.headers


def test_signing_in_again_ends_the_browsers_former_login(client: TestClient, site: Site) -> None:
    first, second = make_link(site), make_link(site)
    send(client, f"/login/{first}", f"/login/{first}")
    former = client.cookies[COOKIE]
    send(client, f"/login/{second}", f"/login/{second}")
    assert client.cookies[COOKIE] != former
    assert logins(site) == 1


def test_whoever_is_signed_in_is_led_from_the_login_to_the_desk(client: TestClient, site: Site) -> None:
    sign_in(client, site)
    assert client.get("/login").headers["location"] == "/desk"


def test_signing_out_ends_the_login_for_good(client: TestClient, site: Site) -> None:
    login = sign_in(client, site)
    answer = send(client, "/desk", "/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    client.cookies.set(COOKIE, login)
    assert client.get("/desk").headers["location"] == "/login"


def test_a_page_left_open_overnight_still_signs_out(client: TestClient, site: Site, clock: Clock) -> None:
    sign_in(client, site)
    seal = seal_on(client.get("/desk"))
    clock.move(hours=13)
    assert client.post("/logout", data={"form": seal}).status_code == 303
    assert logins(site) == 0


def test_signing_out_needs_the_seal_of_this_login(client: TestClient, site: Site) -> None:
    sign_in(client, site)
    other = seal_on(client.get("/desk"))
    sign_in(client, site)
    assert client.post("/logout", data={"form": other}).status_code == 422
    assert client.post("/logout").status_code == 422
    assert logins(site) == 2


def test_nobody_can_sign_out_who_is_not_signed_in(client: TestClient) -> None:
    answer = client.post("/logout")
    assert answer.status_code == 401
    assert "Please sign in first" in answer.text


def test_a_login_ends_by_itself_after_two_weeks(client: TestClient, site: Site, clock: Clock) -> None:
    sign_in(client, site)
    clock.at = NOW + timedelta(days=14)
    assert client.get("/desk").headers["location"] == "/login"
