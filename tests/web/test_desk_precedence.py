"""The order of precedence at the desk: read, changed, and one person put elsewhere with a reason."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.rules import Role
from app.editions.form import ForumFile
from tests.cast import SLUG
from tests.doors import Doors, Page, open_doors

LADDER = f"/desk/{SLUG}/precedence"
RUNG = {"name_en": "Guests of honour", "name_km": "ភ្ញៀវកិត្តិយស", "titles": "Samdech\nសម្ដេច", "categories": "GOV"}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("precedence"), forum_file) as found:
        found.enrol("protocol", Role.PROTOCOL_OFFICER)
        found.enrol("finance", Role.FINANCE)
        yield found


def send(doors: Doors, address: str, **fields: Any) -> Any:
    return doors.post(address, "protocol", {"form": doors.seal(LADDER, "protocol"), **fields})


def test_a_rung_is_added_changed_and_removed_and_both_versions_stand_side_by_side(doors: Doors) -> None:
    assert send(doors, f"{LADDER}/new", **RUNG).headers["location"] == f"{LADDER}?done=added"
    (link,) = [link for link in doors.page(LADDER, "protocol").all("a") if link.text == "Guests of honour"]
    address = link.attributes["href"]
    page = doors.page(address, "protocol")
    assert "checked" in page.one("input", name="categories", value="GOV").attributes
    edition = page.hidden["edition"]
    assert send(doors, address, **{**RUNG, "functions": "Patron"}, edition=edition).status_code == 303
    late = send(doors, address, **{**RUNG, "name_en": "Patrons"}, edition=edition)
    shown = Page(late.text)
    assert late.status_code == 409
    assert shown.one("input", name="name_en").attributes["value"] == "Patrons", "what was typed is kept"
    assert "Patron" in shown.one("section", id="theirs").text
    same = {**RUNG, "functions": "Patron", "edition": shown.hidden["edition"]}
    assert send(doors, address, **same).headers["location"] == f"{LADDER}?done=same"
    up = send(doors, LADDER, act="up", rung=address.rpartition("/")[2])
    assert up.headers["location"] == f"{LADDER}?done=placed"
    removed = send(doors, LADDER, act="removal", rung=address.rpartition("/")[2])
    assert removed.headers["location"] == f"{LADDER}?done=removed"
    assert doors.get(address, "protocol").status_code == 404


def test_what_is_wrong_with_a_rung_stands_beside_its_field(doors: Doors) -> None:
    answer = send(doors, f"{LADDER}/new", **{**RUNG, "name_km": "", "categories": "NONE"})
    assert answer.status_code == 422
    assert "name_en-fault" in Page(answer.text).ids
    unknown = send(doors, f"{LADDER}/new", **{**RUNG, "categories": "NONE"})
    assert "categories-fault" in Page(unknown.text).ids


def test_a_person_is_put_on_a_rung_with_a_reason_and_stands_there(doors: Doors) -> None:
    one = doors.register("INT", family_name="Honoured")
    address = f"/desk/{SLUG}/registrations/{one.code}/precedence"
    missing = send(doors, address, rung="ambassadors", reason="", seen=doors.page(address, "protocol").hidden["seen"])
    assert missing.status_code == 422
    assert "reason-fault" in Page(missing.text).ids
    done = send(doors, address, rung="ambassadors", reason="Doyen of the corps", seen=" ")
    assert done.headers["location"] == f"{address}?done=ranked"
    page = doors.page(address, "protocol")
    assert "Doyen of the corps" in page.text
    assert send(doors, address, rung="heads", reason="Late", seen=" ").status_code == 409
    rows = [row for row in doors.page(f"{LADDER}?all=1", "finance").all("tr") if "HONOURED" in row.text]
    assert "Ambassadors" in rows[0].text
    assert not doors.page(address, "finance").all("textarea")
    assert "seen" not in doors.page(address, "finance").hidden, "who only reads has no form"
