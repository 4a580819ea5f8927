"""Hold-backs at the desk: kept, moved, released, and given to a person on the registration's page."""

from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.kit.db import Db, table
from app.registration.applying import application_of
from app.registration.models import Category, HoldBack, Seat
from app.web.deps import Desk
from app.web.desk_hold_backs import _read
from app.web.site import Site
from tests.cast import DARA, SLUG, make_application, the_forum
from tests.web.visits import DESK, send, sign_in

PAGE = f"{DESK}/hold-backs"


@pytest.fixture
def desk(client: TestClient, site: Site) -> TestClient:
    sign_in(client, site, Role.ORGANISER)
    return client


def keep(desk: TestClient, **fields: str) -> Any:
    return send(desk, PAGE, PAGE, **{"category": "DIP", "seats": "6", "purpose": "Late dignitaries", **fields})


def seats(site: Site) -> list[Any]:
    return site.database.read(lambda db: list(db.execute(select(table(Seat)))))


def kept(site: Site) -> Any:
    return site.database.read(lambda db: db.execute(select(table(HoldBack))).one())


def test_seats_are_kept_back_until_a_local_time_and_shown(desk: TestClient, site: Site) -> None:
    assert "No seats are kept back at the moment." in desk.get(PAGE).text
    answer = keep(desk, release_at="2027-03-16T17:00")
    assert (answer.status_code, len(seats(site))) == (303, 6)
    assert kept(site).release_at.isoformat() == "2027-03-16T10:00:00+00:00"
    page = desk.get(answer.headers["location"]).text
    assert "The seats are kept back." in page
    assert 'value="2027-03-16T17:00"' in page
    assert "Release now (6)" in page


def test_khmer_digits_are_read(desk: TestClient, site: Site) -> None:
    assert keep(desk, seats="៣").status_code == 303
    assert len(seats(site)) == 3


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"seats": "many"}, "Please write a number."),
        ({"purpose": " "}, "Please fill in this field."),
        ({"release_at": "soon"}, "Please write a date"),
        ({"release_at": "2026-11-01T08:00"}, "This time has passed."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    desk: TestClient, site: Site, fields: dict[str, str], said: str
) -> None:
    answer = keep(desk, **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert all(f'value="{value}"' in answer.text for value in fields.values())
    assert seats(site) == []


def test_beyond_the_rule_the_page_names_whose_guarantee_is_eaten_before_the_button(
    desk: TestClient, site: Site
) -> None:
    answer = keep(desk, category="INT", seats="60")
    assert (answer.status_code, seats(site)) == (422, [])
    assert "The rule gives 58 seats to the group “Interested groups”" in answer.text
    assert "Diplomatic corps: 35" in answer.text
    assert 'name="reason"' in answer.text
    assert keep(desk, category="INT", seats="60", reason="Asked for by the host").status_code == 303
    assert len(seats(site)) == 60


def test_the_time_is_moved_and_the_seats_released(desk: TestClient, site: Site) -> None:
    keep(desk)
    number = kept(site).id
    answer = send(desk, PAGE, f"{PAGE}/{number}/date", **{f"release_at_{number}": "2027-03-01T08:00"})
    assert answer.headers["location"].endswith("done=changed")
    assert kept(site).release_at.isoformat() == "2027-03-01T01:00:00+00:00"
    answer = send(desk, PAGE, f"{PAGE}/{number}/release")
    assert "Released before" in desk.get(answer.headers["location"]).text
    assert seats(site) == []
    assert send(desk, PAGE, f"{PAGE}/{number}/release").status_code == 422


def test_one_is_given_on_the_page_of_a_registration(desk: TestClient, site: Site) -> None:
    row = site.pen.write_now(SLUG, lambda db: make_application(db, DARA, category="MIN"))
    page = f"{DESK}/registrations/{row.code}"
    assert "A held-back seat" not in desk.get(page).text
    keep(desk, category="MIN", purpose="Protocol &lt;guests&gt;")
    assert "Protocol" in desk.get(page).text
    answer = send(desk, page, f"{page}/hold-back", hold_back=str(kept(site).id))
    assert "Seated on a held-back seat." in desk.get(answer.headers["location"]).text
    state = site.database.read(lambda db: application_of(db, the_forum(db), row.code).state)
    assert (state, len(seats(site))) == ("seated", 6)


@pytest.mark.parametrize("number", ["0", "99999", "x", "９"])
def test_another_number_is_not_found(desk: TestClient, number: str) -> None:
    assert send(desk, PAGE, f"{PAGE}/{number}/release").status_code == 404


def test_who_only_looks_gets_no_buttons(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.FINANCE)
    assert "Keep back" not in client.get(PAGE).text


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_takes_as_many_queries_for_three_as_for_one(
    desk: TestClient, database: Any, queries: Any, rows: int
) -> None:
    for _ in range(rows):
        keep(desk)
    forum = database.read(the_forum)

    def read(db: Db) -> Any:
        return _read(db, Desk(Actor.operator(), "en", "", forum))

    with queries() as counted:
        database.read(read)
    assert len(counted) == 4, counted


def test_the_real_forums_badges_are_outside_the_hall(site: Site) -> None:
    kinds = table(Category)
    wanted = select(kinds.c.code, kinds.c.guarantee).where(~kinds.c.in_hall).order_by(kinds.c.position)
    found = site.database.read(lambda db: db.execute(wanted).all())
    assert [tuple(row) for row in found] == [("ACC", 0), ("INTP", 0), ("DRV", 0), ("PRESS", 0), ("STAFF", 0)]
