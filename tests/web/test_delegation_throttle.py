"""How often a focal point may ask who is registered: by lists that are looked at, and by naming people."""

from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.audit.recording import history
from app.editions.form import ForumFile
from app.kit.i18n import text_of
from app.kit.settings import Settings
from app.registration.delegations import seat_rows
from app.registration.listing import most_people
from app.web.site import Site
from tests.cast import SLUG
from tests.conftest import settings_for
from tests.doors import Page
from tests.embassies import make_delegation, page_of
from tests.web.test_delegation_pages import Mission
from tests.web.visits import seal_on, send

SPARE = 2
MOST = 4 + SPARE
"""Tries in a window: the mission has four seats."""


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    return settings_for(sqlite_url, THROTTLE_PER_DELEGATION=str(SPARE))


@pytest.fixture
def mission(client: TestClient, site: Site, forum_file: ForumFile) -> Mission:
    return Mission(client, site, forum_file)


def look(mission: Mission, *addresses: str) -> Any:
    table = "\n".join(["Family name\tE-mail", *(f"Lim\t{address}" for address in addresses)])
    form = seal_on(mission.client.get(f"{mission.base}/list"))
    return mission.client.post(f"{mission.base}/list", data={"form": form, "pasted": table})


def name(mission: Mission, address: str) -> Any:
    typed = {"family_name": "Lim", "email": address, "attends_as": "official", "language": "en"}
    return send(mission.client, f"{mission.base}/people", f"{mission.base}/people", **typed)


def named(mission: Mission) -> int:
    rows = mission.site.database.read(lambda db: seat_rows(db, mission.row.id))
    return sum(seat.application_id is not None for seat in rows)


def assert_waits(answer: Any) -> None:
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert text_of("en", "refused.too_many", minutes=0)[:20] in unescape(answer.text)


def test_lists_looked_at_are_counted_refused_or_not_and_then_nobody_can_be_asked_about(mission: Mission) -> None:
    for _ in range(MOST - 1):
        assert look(mission, "x@y.example").status_code == 200
    assert look(mission, "not an address").status_code == 422
    assert_waits(look(mission, "x@y.example"))
    waits = name(mission, "x@y.example")
    assert_waits(waits)
    assert 'value="x@y.example"' in waits.text, "what was typed is kept"
    assert named(mission) == 0


def test_namings_are_counted_also_where_they_are_refused(mission: Mission) -> None:
    assert name(mission, "one@y.example").status_code == 303
    for _ in range(MOST - 1):
        assert name(mission, "one@y.example").status_code == 422, "registered already"
    assert_waits(name(mission, "two@y.example"))
    assert named(mission) == 1


def test_another_focal_point_is_not_kept_waiting(mission: Mission) -> None:
    for _ in range(MOST):
        look(mission, "x@y.example")
    other = mission.write(lambda db: make_delegation(db, "DIP", 1, institution="Another embassy"))
    mission.base = f"/en/delegations/{page_of(other)}"
    assert look(mission, "x@y.example").status_code == 200


def test_a_list_much_longer_than_the_seats_is_not_even_looked_through(mission: Mission) -> None:
    most = most_people(4)
    longer = look(mission, *(f"p{n}@y.example" for n in range(most + 1)))
    assert longer.status_code == 422
    said = text_of("en", "refused.list_beyond_seats", rows=most + 1, seats=4, most=most)
    assert said in unescape(longer.text)
    assert text_of("en", "delegations.list.more", wanted=most, free=4) in unescape(
        look(mission, *(f"p{n}@y.example" for n in range(most))).text
    )


def test_a_list_that_was_accepted_is_one_fact_of_the_delegations(mission: Mission) -> None:
    page = look(mission, "one@y.example", "two@y.example")
    assert mission.client.post(f"{mission.base}/list/acceptance", data=Page(page.text).hidden).status_code == 303
    facts = mission.site.database.read(lambda db: history(db, SLUG, f"delegation:{mission.row.code}"))
    assert [(fact.after, fact.actor) for fact in facts if fact.kind == "delegation.list_accepted"] == [
        ({"people": 2}, f"focal_point:{mission.row.id}")
    ]
    assert name(mission, "three@y.example").status_code == 303
    after = mission.site.database.read(lambda db: history(db, SLUG, f"delegation:{mission.row.code}"))
    assert len(after) == len(facts)
