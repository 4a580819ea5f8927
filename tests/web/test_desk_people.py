"""Colleagues at the desk in a browser's place, and the table of roles as it is asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.rules import PERMISSIONS, Permission, Role
from app.editions.form import ForumFile
from tests.cast import SLUG
from tests.doors import ELSEWHERE, Doors, Page, open_doors

PEOPLE = f"/desk/{SLUG}/people"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("people"), forum_file) as found:
        found.enrol("owner", Role.OWNER)
        found.enrol("registrar", Role.REGISTRAR, Role.VIEWER)
        yield found


def send(doors: Doors, tail: str = "", **fields: str) -> Any:
    return doors.post(f"{PEOPLE}{tail}", "owner", {"form": doors.seal(PEOPLE, "owner"), **fields})


def line_of(doors: Doors, words: str) -> str:
    return next(row.text for row in doors.page(PEOPLE, "owner").all("tr") if words in row.text)


def test_a_colleague_is_let_in_sent_another_link_and_withdrawn(doors: Doors) -> None:
    typed = {"email": "new@desk.example", "name": "<b>New</b>", "role": "door_staff", "language": "km"}
    assert send(doors, **typed).headers["location"] == f"{PEOPLE}?done=invited"
    page = doors.page(PEOPLE, "owner")
    assert not [each for each in page.all("b") if each.text == "New"], "a name is a name and no markup"
    assert "Invited, not signed in yet" in line_of(doors, "new@desk.example")
    number = next(
        form.attributes["action"].split("/")[-2]
        for form in page.all("form")
        if "/invitation" in form.attributes["action"]
    )
    assert send(doors, f"/{number}/invitation").headers["location"] == f"{PEOPLE}?done=again"
    assert send(doors, f"/{number}/withdrawal").headers["location"] == f"{PEOPLE}?done=withdrawn"
    assert "new@desk.example" not in doors.get(PEOPLE, "owner").text
    assert send(doors, f"/{number}/withdrawal").status_code == 404


def test_the_last_owner_is_told_why_they_stay(doors: Doors) -> None:
    number = next(
        form.attributes["action"].split("/")[-2]
        for row in doors.page(PEOPLE, "owner").all("tr")
        if "owner@desk.example" in row.text
        for form in doors.page(PEOPLE, "owner").all("form")
        if "/removal" in form.attributes["action"]
    )
    refused = send(doors, f"/{number}/removal", role="owner")
    assert refused.status_code == 422
    assert "last owner" in Page(refused.text).one("div", id="errors").text


def test_a_faulty_form_is_shown_again_with_what_was_typed(doors: Doors) -> None:
    before = doors.rows()
    refused = send(doors, email="nonsense", name="Somebody", role="king", language="en")
    page = Page(refused.text)
    assert refused.status_code == 422
    assert {"email-fault", "role-fault"} <= set(page.ids)
    assert page.one("input", name="name").attributes["value"] == "Somebody"
    assert doors.rows() == before


def test_a_colleague_of_another_forum_is_not_found(doors: Doors) -> None:
    theirs = doors.colleague(slug=ELSEWHERE)
    for tail in ("removal", "invitation", "withdrawal"):
        assert send(doors, f"/{theirs}/{tail}", role="viewer").status_code == 404


def test_the_page_of_permissions_is_the_table_itself_and_marks_ones_own_roles(doors: Doors) -> None:
    page = doors.page(f"/desk/{SLUG}/permissions", "registrar")
    cells = [cell.text.strip() for cell in page.all("td")]
    table_of = ["✓yes" if permission in PERMISSIONS[role] else "–no" for permission in Permission for role in Role]
    assert cells == table_of
    assert page.text.count("yours") == 2
    assert "Registrar, Viewer" in page.text
