"""The desk's sign-ups: figures for all, names for who sees people, places for who edits the programme."""

from typing import Any

from starlette.testclient import TestClient

from app.accounts.rules import Role
from app.registration.picking import put_picks
from app.web.site import Site
from tests.cast import CHAN, NOW, SLUG, VANNA, holder, make_application, the_forum
from tests.doors import Page
from tests.web.test_my_sessions import counted
from tests.web.visits import DESK, send, sign_in

A, B = "D1-07", "D1-08"
HERE = f"{DESK}/sign-ups"


def come(site: Site, figure: Any, *wanted: str) -> Any:
    row = site.pen.write_now(SLUG, lambda db: make_application(db, figure))
    site.pen.write_now(SLUG, lambda db: put_picks(db, holder(row), the_forum(db), row.code, set(wanted), 0, now=NOW))
    return row


def test_names_are_shown_to_who_sees_people_and_figures_to_all(client: TestClient, site: Site) -> None:
    come(site, CHAN, A)
    sign_in(client, site, Role.VIEWER)
    assert client.get(HERE).status_code == 200
    assert CHAN.family_name.upper() not in client.get(f"{HERE}/{A}").text
    sign_in(client, site, Role.PROTOCOL_OFFICER, figure=VANNA)
    page = client.get(f"{HERE}/{A}").text
    assert CHAN.family_name.upper() in page
    assert "Has a place" in page
    assert "For the desk alone" in page
    assert f"{HERE}/{A}/names" not in page


def test_places_are_changed_and_those_who_wait_move_up(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.OWNER)
    assert send(client, f"{HERE}/{A}", f"{HERE}/{A}/places", places="១").headers["location"] == f"{HERE}/{A}?done=saved"
    come(site, CHAN, A), come(site, VANNA, A)
    assert "Waiting" in client.get(f"{HERE}/{A}").text
    wrong = send(client, f"{HERE}/{A}", f"{HERE}/{A}/places", places="many")
    assert wrong.status_code == 422
    assert Page(wrong.text).one("input", id="places").attributes["value"] == "many"
    send(client, f"{HERE}/{A}", f"{HERE}/{A}/places", places="2")
    assert client.get(f"{HERE}/{A}").text.count("Has a place") == 2
    send(client, f"{HERE}/{A}", f"{HERE}/{A}/places", places="1")
    assert "Nobody loses one" in client.get(f"{HERE}/{A}").text
    send(client, f"{HERE}/{A}", f"{HERE}/{A}/places", places="")
    assert "open seating" in client.get(f"{HERE}/{A}").text


def test_a_person_is_put_on_a_list_and_taken_off(client: TestClient, site: Site) -> None:
    row = come(site, CHAN, B)
    sign_in(client, site, Role.REGISTRAR)
    clash = send(client, f"{HERE}/{A}", f"{HERE}/{A}/names", registration=row.code.lower())
    assert clash.status_code == 422
    assert "at the same time" in clash.text
    assert send(client, f"{HERE}/{A}", f"{HERE}/{A}/names", registration="NOBODY1").status_code == 422
    put = send(client, f"{HERE}/{A}", f"{HERE}/{A}/names", registration=row.code, forced="yes")
    assert put.headers["location"].endswith("?done=added")
    assert "admitted by the desk" in client.get(f"{HERE}/{A}").text
    off = send(client, f"{HERE}/{A}", f"{HERE}/{A}/names/{row.code}/removal")
    assert off.headers["location"].endswith("?done=removed")
    assert "Nobody has chosen" in client.get(f"{HERE}/{A}").text


def test_a_session_that_is_not_there_is_not_found(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.OWNER)
    assert client.get(f"{HERE}/D9-99").status_code == 404
    assert client.get(f"{HERE}/d1").status_code == 404


def test_both_pages_ask_the_database_as_often_with_one_name_as_with_two(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.OWNER)
    asked = []
    for figure in (CHAN, VANNA):
        come(site, figure, A)
        asked.append((counted(client, site, HERE), counted(client, site, f"{HERE}/{A}")))
    assert asked[0] == asked[1]
    assert asked[0][0] <= 9
    assert asked[0][1] <= 11
