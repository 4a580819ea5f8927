"""The forum's numbers at the desk: changed, refused, tried; and nothing of two organisers lost."""

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app.accounts.rules import Role
from app.audit.recording import history
from app.forum.queries import forum_id
from app.kit.db import table
from app.registration.models import Application
from app.registration.quotas import House, house_of
from app.web.desk_numbers_form import fields_of
from app.web.site import Site
from tests.cast import SLUG, VANNA, make_application, the_forum
from tests.web.visits import DESK, seal_on, sign_in

PAGE = f"{DESK}/seats"


@pytest.fixture
def desk(client: TestClient, site: Site) -> TestClient:
    sign_in(client, site, Role.ORGANISER)
    return client


def house(site: Site) -> House:
    return site.database.read(lambda db: house_of(db, forum_id(the_forum(db))))


def form(desk: TestClient, site: Site, **changes: str) -> dict[str, str]:
    """The form as the page shows it, with something typed in."""
    now = house(site)
    fields = {**fields_of(now, "Asia/Phnom_Penh"), "edition": str(now.terms.edition)}
    return {**fields, "form": seal_on(desk.get(PAGE)), **{name.replace("_of_", "-"): v for name, v in changes.items()}}


def save(desk: TestClient, site: Site, to: str = PAGE, **changes: str) -> Any:
    return desk.post(to, data=form(desk, site, **changes))


def somebody_sits(site: Site) -> Any:
    return site.pen.write_now(SLUG, lambda db: make_application(db, VANNA))


def test_every_number_stands_in_its_field(desk: TestClient, site: Site) -> None:
    page = desk.get(PAGE).text
    for name, value in fields_of(house(site), "Asia/Phnom_Penh").items():
        assert f'name="{name}"' in page, name
        assert f'value="{value}"' in page, name
    assert 'value="2027-03-16T17:00"' in page


def test_the_form_saved_as_it_stands_changes_nothing(desk: TestClient, site: Site) -> None:
    facts = site.database.read(lambda db: len(history(db, SLUG, f"forum:{SLUG}")))
    assert save(desk, site).headers["location"].endswith("done=as_before")
    assert site.database.read(lambda db: len(history(db, SLUG, f"forum:{SLUG}"))) == facts


def test_other_numbers_and_times_are_saved(desk: TestClient, site: Site) -> None:
    answer = save(
        desk,
        site,
        STU_of_limit="៤៥",
        STU_of_closes_at="2027-03-01T12:00",
        promotion="offer",
        offer_hours="24",
        DIP_of_mode="open",
    )
    assert answer.headers["location"].endswith("done=saved")
    now = house(site)
    assert (now.terms.promotion, now.terms.offer_hours) == ("offer", 24)
    row = now.categories["STU"]
    assert (row.limit, row.closes_at.isoformat()) == (45, "2027-03-01T05:00:00+00:00")
    assert now.categories["DIP"].mode == "open"
    assert now.categories["STU"].name.en == "Students and scholars"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"capacity": "many"}, "Please write a number."),
        ({"STU_of_guarantee": "-1"}, "This number is too small"),
        ({"STU_of_opens_at": "soon"}, "Please give a date and a time"),
        ({"target": "301"}, "The target cannot be above the capacity."),
        ({"STU_of_limit": "1"}, "is above its limit"),
        ({"PRESS_of_guarantee": "1"}, "nothing can be guaranteed to it"),
        ({"capacity": "200", "target": "200"}, "The guarantees add up to 250"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    desk: TestClient, site: Site, changes: dict[str, str], said: str
) -> None:
    for to in (PAGE, f"{PAGE}/trial"):
        answer = save(desk, site, to, **changes)
        assert answer.status_code == 422
        assert said in answer.text
        assert all(f'value="{value}"' in answer.text for value in changes.values())
    assert house(site).terms.capacity == 300


def test_numbers_below_what_is_taken_are_refused_until_they_are_meant(desk: TestClient, site: Site) -> None:
    somebody_sits(site)
    students = house(site).categories["STU"].name.en
    assert "over_is_meant" not in desk.get(PAGE).text
    changes = {"STU_of_guarantee": "0", "STU_of_limit": "0"}
    answer = save(desk, site, **changes)
    assert answer.status_code == 422
    assert f"One seat more is taken in the group “{students}” than its limit." in answer.text
    assert "than the hall would hold" not in answer.text
    assert "Groups above their limit get no new seats" in answer.text
    assert "No new seats are given in the hall" not in answer.text
    assert 'href="#STU-limit"' in answer.text
    assert 'name="over_is_meant"' in answer.text
    assert save(desk, site, over_is_meant="yes", **changes).status_code == 303
    assert house(site).taken["STU"] == 1


def test_of_two_organisers_the_second_sees_both_and_loses_nothing(desk: TestClient, site: Site) -> None:
    mine = form(desk, site, STU_of_limit="45")
    save(desk, site, STU_of_limit="50", target="240")
    answer = desk.post(PAGE, data=mine)
    assert answer.status_code == 409
    assert "The numbers were changed by somebody else" in answer.text
    assert 'name="STU-limit" type="number" min="0" max="100000" value="45"' in answer.text
    assert "Now: 50" in answer.text
    assert "Now: 240" in answer.text
    edition = answer.text.split('name="edition" value="')[1].split('"')[0]
    assert desk.post(PAGE, data={**mine, "edition": edition}).status_code == 303
    assert house(site).categories["STU"].limit == 45


def test_trying_shows_who_would_be_seated_and_saves_nothing(desk: TestClient, site: Site) -> None:
    row = somebody_sits(site)
    people = table(Application)
    save(desk, site, STU_of_guarantee="0", STU_of_limit="1")
    second = site.pen.write_now(SLUG, lambda db: make_application(db, VANNA, email="b@x.example", family_name="Waits"))
    assert site.database.read(lambda db: db.execute(select(people.c.state).where(people.c.id == second.id)).scalar())
    before = house(site)
    answer = save(desk, site, f"{PAGE}/trial", STU_of_limit="2")
    assert answer.status_code == 200
    shown = answer.text.split('id="trial"')[1].split("</section>")[0]
    assert "WAITS Vanna" in shown
    assert f"/registrations/{second.code}" in shown
    assert f"/registrations/{row.code}" not in shown
    assert 'name="STU-limit" type="number" min="0" max="100000" value="2"' in answer.text
    assert house(site).terms == before.terms
    assert house(site).categories["STU"].limit == 1


def forms_on(page: Any) -> list[tuple[str, list[str], dict[str, str]]]:
    """Each form of the numbers' page: where it goes, its buttons, its fields."""
    found = []
    for attributes, inside in re.findall(r"<form([^>]*)>(.*?)</form>", page.text, re.DOTALL):
        to = re.search(r'action="([^"]+)"', attributes)
        buttons = re.findall(r"<button[^>]*>(.*?)</button>", inside)
        fields = {
            unescape(name): unescape(value)
            for name, value in re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', inside)
        }
        found.append((to[1] if to else "", buttons, fields))
    return [form for form in found if form[0].startswith(PAGE)]


def test_enter_in_a_field_tries_the_numbers_and_only_what_was_tried_is_saved(desk: TestClient, site: Site) -> None:
    [(to, buttons, _)] = forms_on(desk.get(PAGE))
    assert (to, buttons) == (f"{PAGE}/trial", ["Try these numbers"])
    tried = desk.post(to, data=form(desk, site, STU_of_limit="61"))
    (saving, saves, fields), (again, _, _) = forms_on(tried)
    assert (saving, saves, again) == (PAGE, ["Save these numbers"], f"{PAGE}/trial")
    assert desk.post(saving, data=fields).headers["location"].endswith("done=saved")
    assert house(site).categories["STU"].limit == 61


def test_a_trial_says_what_was_changed_and_has_a_row_for_the_hall(desk: TestClient, site: Site) -> None:
    somebody_sits(site)
    limit = house(site).categories["PTY"].limit
    answer = save(desk, site, f"{PAGE}/trial", PTY_of_limit=f"0{(limit or 0) + 10}", confirm_hours="50")
    shown = answer.text.split('id="trial"')[1].split("</section>")[0]
    name = house(site).categories["PTY"].name.en
    lines = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", line)) for line in re.findall(r"<li>(.*?)</li>", shown)]
    assert lines[:2] == [
        "The hall, hours to confirm: 48 → 50",
        f"{name}, limit: {limit} → {(limit or 0) + 10}",
    ]
    sums = shown.split('<tbody class="sum">')[1].split("</tbody>")[0]
    assert "The hall" in sums
    assert '<td class="number" data-label="Taken">1</td>' in sums
    same = save(desk, site, f"{PAGE}/trial").text
    assert "These are the numbers as they stand" in same


def test_a_trial_that_is_over_says_which_groups_are_blocked_and_asks_whether_it_is_meant(
    desk: TestClient, site: Site
) -> None:
    somebody_sits(site)
    students = house(site).categories["STU"].name.en
    answer = save(desk, site, f"{PAGE}/trial", STU_of_guarantee="0", STU_of_limit="0")
    shown = answer.text.split('id="trial"')[1].split("</section>")[0]
    assert f"One seat more is taken in the group “{students}” than its limit." in shown
    assert 'name="over_is_meant"' in shown
    assert "Groups above their limit get no new seats" in shown


def test_the_simulator_is_led_to_from_the_top_of_the_page(desk: TestClient) -> None:
    page = desk.get(PAGE).text
    assert page.index('href="#try"') < page.index('name="capacity"')
    assert '<button id="try">' in page


def test_a_trial_sent_from_elsewhere_is_not_answered(desk: TestClient, site: Site) -> None:
    assert desk.post(f"{PAGE}/trial", data={**form(desk, site), "form": "x"}).status_code == 422


def test_a_registrar_does_not_change_numbers(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.REGISTRAR)
    assert client.get(PAGE).status_code == 403
