"""Delegations at the desk: the list in few queries, inviting, and one delegation's page."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.kit.db import Database, Db, table
from app.kit.i18n import text_of
from app.registration.delegation_queries import delegations, own_delegation
from app.registration.models import Delegation
from app.web.desk_delegations import instant
from app.web.site import Site
from tests.cast import DARA, SLUG, VANNA, make_application, the_forum
from tests.embassies import delegate, make_delegation, name_some, page_of
from tests.web.visits import DESK, send, sign_in

FIELDS = {
    "institution": "An embassy",
    "category": "DIP",
    "seats": "៣",
    "deadline": "2027-02-01T17:00",
    "focal_name": DARA.name,
    "focal_email": DARA.email,
    "language": "km",
}


def stored(site: Site) -> Any:
    with site.database.reading() as db:
        return db.execute(table(Delegation).select()).one()


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_two_queries_and_a_focal_points_page_five(
    database: Database, queries: Callable[[], Any], count: int
) -> None:
    def prepare(db: Db) -> list[Any]:
        rows = [make_delegation(db, "DIP", 2, institution=f"Embassy {n}") for n in range(count)]
        name_some(db, rows[0], *(delegate(n) for n in range(count - 1)))
        return rows

    with Db(database.write_engine) as db:
        rows = prepare(db)
        forum = the_forum(db)
        with queries() as counted:
            assert len(delegations(db, Actor.operator(), forum)) == count
        assert len(counted) == 2
        with queries() as counted:
            own_delegation(db, page_of(rows[0]))
        assert len(counted) == 5
        db.rollback()


def test_a_delegation_is_invited_from_the_form_in_the_forums_own_time(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.REGISTRAR)
    answer = send(client, f"{DESK}/delegations/new", f"{DESK}/delegations", **FIELDS)
    row = stored(site)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{DESK}/delegations/{row.code}?done=invited")
    assert (row.seats, row.deadline.isoformat()) == (3, "2027-02-01T10:00:00+00:00")
    page = client.get(f"{DESK}/delegations").text
    assert "An embassy" in page
    assert page_of(row) not in client.get(f"{DESK}/delegations/{row.code}").text, (
        "the link is shown when asked for alone"
    )


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("deadline", "soon", "not_a_date"),
        ("deadline", "", "not_a_date"),
        ("deadline", "2020-01-01T08:00", "deadline_past"),
        ("deadline", "2100-12-31T23:59", "deadline_after_forum"),
        ("deadline", "9999-12-31T23:59", "not_a_moment"),
        ("focal_email", "dara", "not_an_email"),
        ("seats", "many", "not_a_number"),
        ("seats", "0", "too_small"),
        ("category", "ZZZ", "unknown_category"),
        ("institution", " ", "missing"),
    ],
)
def test_a_form_with_a_fault_comes_back_with_what_was_typed(
    client: TestClient, site: Site, field: str, typed: str, code: str
) -> None:
    sign_in(client, site, Role.REGISTRAR)
    page = send(client, f"{DESK}/delegations/new", f"{DESK}/delegations", **{**FIELDS, field: typed})
    assert page.status_code == 422
    assert f'href="#{field}"' in page.text
    assert text_of("en", f"refused.{code}", least=1).split(":")[0] in unescape(page.text)
    assert "An embassy" in page.text or field == "institution"


def test_an_instant_is_read_in_the_forums_zone_and_what_is_none_is_left_to_be_refused() -> None:
    assert instant("2027-02-01T17:00", "Asia/Phnom_Penh") == "2027-02-01T10:00:00+00:00"
    assert instant("0001-01-01T00:00", "Asia/Phnom_Penh") == ""
    assert instant("tomorrow", "Asia/Phnom_Penh") == "tomorrow"


def test_the_seats_form_says_what_is_wrong_and_changes_nothing(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.REGISTRAR)
    row = site.pen.write_now(SLUG, lambda db: make_delegation(db, "DIP", 2))
    site.pen.write_now(SLUG, lambda db: name_some(db, row, delegate(1), delegate(2)))
    page = f"{DESK}/delegations/{row.code}"
    refused = send(client, page, f"{page}/seats", seats="1")
    assert (refused.status_code, stored(site).seats) == (422, 2)
    assert text_of("en", "refused.delegation_named", named=2) in unescape(refused.text)
    over = send(client, page, f"{page}/seats", seats="5", over="yes", over_reason="Because")
    assert (over.status_code, stored(site).seats) == (403, 2)


def test_the_link_is_shown_once_asked_for_and_renewed(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.REGISTRAR)
    row = site.pen.write_now(SLUG, lambda db: make_delegation(db, "DIP", 2))
    page = f"{DESK}/delegations/{row.code}"
    shown = send(client, page, f"{page}/link")
    assert f"/en/delegations/{page_of(row)}" in shown.text
    assert send(client, page, f"{page}/renewal").status_code == 303
    assert client.get(f"/en/delegations/{page_of(row)}").status_code == 404
    assert send(client, page, f"{page}/withdrawal", people="yes").headers["location"].endswith("done=withdrawn")
    assert send(client, page, f"{page}/link").status_code == 200


@pytest.mark.parametrize("role", [Role.REGISTRAR, Role.OWNER])
def test_its_mails_in_the_outbox_and_its_people_lead_to_the_delegations_page(
    client: TestClient, site: Site, role: Role
) -> None:
    sign_in(client, site, role)
    row = site.pen.write_now(SLUG, lambda db: make_delegation(db, "DIP", 2, institution_km="ស្ថានទូតមួយ"))
    (person,) = site.pen.write_now(SLUG, lambda db: name_some(db, row, delegate(1, heads="yes")))
    here = f'href="{DESK}/delegations/{row.code}"'
    assert here in client.get(f"{DESK}/outbox").text
    page = client.get(f"{DESK}/registrations/{person}").text
    assert here in page
    assert text_of("en", "delegations.my.head") in page


def test_a_registration_that_no_delegation_named_speaks_of_none(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.REGISTRAR)
    one = site.pen.write_now(SLUG, lambda db: make_application(db, VANNA))
    assert f"{DESK}/delegations/" not in client.get(f"{DESK}/registrations/{one.code}").text
