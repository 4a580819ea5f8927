"""The desk's rooms in a browser's place: the form, both versions side by side, and what stands in the way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.rules import Role
from app.editions.form import ForumFile
from tests.cast import SLUG
from tests.doors import Doors, Page, open_doors

ROOMS = f"/desk/{SLUG}/rooms"
FIELDS = {"name_en": "Library", "name_km": "បណ្ណាល័យ", "seats": "៤០", "setup": "theatre", "changeover_minutes": "20"}
FIELDS |= {"listed": "yes", "in_banquet": "24", "in_u-shape": "", "in_theatre": ""}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("rooms"), forum_file) as found:
        found.enrol("owner", Role.OWNER)
        found.enrol("viewer", Role.VIEWER)
        yield found


def send(doors: Doors, tail: str, **fields: str) -> Any:
    return doors.post(f"{ROOMS}/{tail}", "owner", {"form": doors.seal(f"{ROOMS}/new", "owner"), **fields})


def test_a_room_is_added_changed_and_removed_and_both_versions_stand_side_by_side(doors: Doors) -> None:
    assert send(doors, "new", **FIELDS, code="library").headers["location"] == f"{ROOMS}?done=added"
    page = doors.page(f"{ROOMS}/library", "owner")
    assert page.one("input", name="seats").attributes["value"] == "40"
    assert page.one("input", name="in_banquet").attributes["value"] == "24"
    edition = page.hidden["edition"]
    assert send(doors, "library", **{**FIELDS, "seats": "44"}, edition=edition).status_code == 303
    late = send(doors, "library", **{**FIELDS, "name_en": "Archive"}, edition=edition)
    shown = Page(late.text)
    assert late.status_code == 409
    assert shown.one("input", name="name_en").attributes["value"] == "Archive", "what was typed is kept"
    assert "44" in shown.one("section", id="theirs").text
    again = send(doors, "library", **{**FIELDS, "name_en": "Archive"}, edition=shown.hidden["edition"])
    assert again.headers["location"] == f"{ROOMS}?done=changed"
    assert send(doors, "library/removal").headers["location"] == f"{ROOMS}?done=removed"


def test_a_form_saved_as_it_was_opened_changes_nothing(doors: Doors) -> None:
    page = doors.page(f"{ROOMS}/bassac", "owner")
    opened = {each.attributes["name"]: each.attributes["value"] for each in page.all("input", type="text")}
    sent = {**opened, "setup": "theatre", "listed": "yes", "edition": page.hidden["edition"]}
    assert send(doors, "bassac", **sent).headers["location"] == f"{ROOMS}?done=same"


def test_a_room_with_sessions_says_which_they_are(doors: Doors) -> None:
    refused = send(doors, "mekong/removal")
    assert refused.status_code == 422
    assert "D1-07" in Page(refused.text).one("div", id="errors").text
    gone = send(doors, "mekong", **FIELDS, edition=doors.page(f"{ROOMS}/mekong", "owner").hidden["edition"])
    assert gone.status_code == 422, "working groups ask for its boardroom"
    assert "D2-07" in gone.text


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("seats", "many"),
        ("seats", "-1"),
        ("in_banquet", "²"),
        ("in_banquet", "999999"),
        ("setup", "circus"),
        ("changeover_minutes", "481"),
        ("name_km", ""),
        ("code", "Not a code"),
        ("code", "new"),
        ("code", "mekong"),
    ],
)
def test_a_faulty_form_is_shown_again_and_nothing_is_written(doors: Doors, field: str, typed: str) -> None:
    before = doors.rows()
    answer = send(doors, "new", **{**FIELDS, "code": "hall", field: typed})
    assert answer.status_code == 422
    place = "name_en" if field == "name_km" else field
    assert Page(answer.text).all("p", id=f"{place}-fault")
    assert doors.rows() == before


def test_whoever_only_looks_sees_no_button(doors: Doors) -> None:
    page = doors.page(ROOMS, "viewer")
    assert "Mekong Room" in page.text
    assert not [link for link in page.links if link.startswith(f"{ROOMS}/")]


def test_what_happened_to_a_room_is_one_link_away(doors: Doors) -> None:
    send(doors, "new", **FIELDS, code="hall-of-maps")
    (log,) = [href for href in doors.page(f"{ROOMS}/hall-of-maps", "owner").links if "/facts?" in href]
    told = doors.page(log, "owner")
    assert "hall-of-maps" in told.text
    assert len(told.all("li", class_="fact") or told.all("tr")) < 5, "of this room alone"
