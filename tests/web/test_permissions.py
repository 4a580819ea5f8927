"""The permission matrix: every door of the site against the cast."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.accounts.rules import Role
from app.kit.db import Db
from app.registration.applying import feed_token, manage_token
from app.web.site import Site
from tests.cast import CHAN, DARA, SECRET, SLUG, SOKHA, make_application
from tests.doors import DOORS, Door
from tests.web.visits import make_link, seal_on, sign_in

SIGNED_IN = {"sokha": (SOKHA, Role.OWNER), "chan": (CHAN, Role.RAPPORTEUR), "dara": (DARA, None)}
"""Sokha owns the forum, Chan is its rapporteur, Dara has an account and no role; Rith has not signed in."""


@pytest.fixture
def blanks(client: TestClient, site: Site) -> dict[str, str]:
    """What fills the blanks of addresses: things that are there, Vanna's registration among them."""
    vanna = site.pen.write_now(SLUG, _awaits_approval)
    return {
        "lang": "en",
        "forum": SLUG,
        "registration": vanna.code,
        "my": manage_token(SECRET, vanna.id, 1),
        "feed": feed_token(SECRET, vanna.id, 1),
        "link": make_link(site, DARA),
        "session": "D1-02",
        "speaker": "host-representative",
        "track": "existing-architectures",
        "asset": site.assets.url("base/tokens.css").removeprefix("/static/"),
    }


def _awaits_approval(db: Db) -> Any:
    return make_application(db, category="DIP")


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.method} {door.path}")
@pytest.mark.parametrize("who", ["sokha", "chan", "dara", "rith"])
def test_each_of_the_cast_gets_what_is_theirs(
    client: TestClient, site: Site, blanks: dict[str, str], who: str, door: Door
):
    if who in SIGNED_IN:
        figure, role = SIGNED_IN[who]
        sign_in(client, site, *([role] if role else []), figure=figure)
    address = door.address.format(**blanks)
    if door.method == "GET":
        answer = client.get(address)
    else:
        sent = dict(door.sends)
        if door.form:
            page = client.get(door.form.format(**blanks))
            sent["form"] = seal_on(page) if page.status_code == 200 and 'name="form"' in page.text else ""
        answer = client.post(address, data=sent)
    assert answer.status_code == door.answers.get(who, door.answers.get("others"))
