"""What a browser does at the desk in tests: sign in, read a page's seal, send a form."""

import re
from typing import Any

from starlette.testclient import TestClient

from app.accounts import signing_in
from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.kit.db import Db
from app.kit.pen import SITE
from app.web.cookies import LOGIN as COOKIE
from app.web.site import Site
from tests.cast import NOW, SLUG, SOKHA, Figure, make_actor, make_user

DESK = f"/desk/{SLUG}"


def make_link(site: Site, figure: Figure = SOKHA, **user: Any) -> str:
    """The token of a one-time link for a figure's account."""

    def deed(db: Db) -> str:
        return signing_in.make_link(db, Actor.operator(), make_user(db, figure, **user), now=NOW)

    return site.pen.write_now(SITE, deed)


def sign_in(client: TestClient, site: Site, *roles: Role, figure: Figure = SOKHA) -> str:
    """Sign a figure with these roles in the real forum in, as the door does; the login's token."""
    site.pen.write_now(SLUG, lambda db: make_actor(db, figure, *roles))
    token = make_link(site, figure)
    login = site.pen.write_now(SITE, lambda db: signing_in.sign_in(db, token, now=NOW))
    client.cookies.set(COOKIE, login)
    return login


def seal_on(page: Any) -> str:
    """The sealed token of a page's forms."""
    found = re.search(r'name="form" value="([^"]+)"', page.text)
    assert found, f"no form on this page ({page.status_code})"
    return found[1]


def send(client: TestClient, page: str, to: str, **fields: str) -> Any:
    """Open a page and send one of its forms."""
    return client.post(to, data={"form": seal_on(client.get(page)), **fields})
