"""What the site's cookies are called, and which of them it reads."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.signing_in import make_link, put_owner
from app.kit import clock
from app.kit.pen import SITE
from app.main import create_app
from tests.conftest import settings_for, site_behind
from tests.doors import Page


@contextmanager
def browsing(url: str, address: str) -> Iterator[tuple[TestClient, str]]:
    """A browser before a site of this address, and a link that signs its owner in."""
    app = create_app(settings_for(url, BASE_URL=address))
    with TestClient(app, base_url=address, follow_redirects=False) as browser:

        def deed(db: object) -> str:
            owner = put_owner(db, Actor.operator(), "sokha@secretariat.example", "Sokha", now=clock.now())
            return make_link(db, Actor.operator(), owner, now=clock.now())

        yield browser, f"/login/{site_behind(app).pen.write_now(SITE, deed)}"


def used(browser: TestClient, link: str) -> str:
    """The cookie that the login came in, as it was given."""
    seal = Page(browser.get(link).text).hidden["form"]
    answer = browser.post(link, data={"form": seal})
    assert answer.status_code == 303
    return str(answer.headers["set-cookie"])


def test_by_https_each_cookie_is_this_hosts_alone_and_no_other_is_read(sqlite_url: str) -> None:
    with browsing(sqlite_url, "https://localhost") as (browser, link):
        given = used(browser, link)
        name, _, token = given.partition(";")[0].partition("=")
        assert name == "__Host-sala_login"
        told = {part.strip().lower() for part in given.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= told
        assert not any(part.startswith("domain") for part in told), "a name with this prefix has none"
        assert browser.get("/account").status_code == 200
        browser.cookies.clear()
        assert browser.get("/account", headers={"cookie": f"sala_login={token}"}).status_code == 303
        asked = browser.get("/login?lang=km").headers["set-cookie"]
        assert asked.startswith("__Host-lang=km;")
        browser.cookies.clear()
        assert '<html lang="km"' in browser.get("/login", headers={"cookie": "__Host-lang=km"}).text
        assert '<html lang="km"' not in browser.get("/login", headers={"cookie": "lang=km"}).text


def test_signing_out_takes_the_cookie_of_that_name_back(sqlite_url: str) -> None:
    with browsing(sqlite_url, "https://localhost") as (browser, link):
        used(browser, link)
        seal = Page(browser.get("/account").text).hidden["form"]
        left = browser.post("/logout", data={"form": seal})
        assert left.headers["set-cookie"].startswith('__Host-sala_login="";')
        assert "Secure" in left.headers["set-cookie"]


@pytest.mark.parametrize("address", ["http://localhost", "http://127.0.0.1"])
def test_by_http_on_ones_own_machine_they_have_no_prefix_that_a_browser_would_refuse(
    sqlite_url: str, address: str
) -> None:
    with browsing(sqlite_url, address) as (browser, link):
        assert used(browser, link).startswith("sala_login=")
        assert browser.get("/account").status_code == 200
