"""The head table at the desk: set, exchanged, seen from the room, and both versions where somebody was quicker."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.rules import Role
from app.editions.form import ForumFile
from tests.cast import SLUG
from tests.doors import Doors, Page, open_doors

PATH = f"/desk/{SLUG}/head-table"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("table"), forum_file) as found:
        found.enrol("protocol", Role.PROTOCOL_OFFICER)
        found.enrol("finance", Role.FINANCE)
        yield found


def send(doors: Doors, **fields: Any) -> Any:
    return doors.post(PATH, "protocol", {"form": doors.seal(PATH, "protocol"), **fields})


def test_the_table_is_set_exchanged_and_shown_as_the_room_sees_it(doors: Doors) -> None:
    codes = [doors.confirmed("INT", family_name=name).code for name in ("Aaa", "Bbb", "Ccc")]
    assert doors.page(PATH, "finance").all("div", class_="plan") == []
    fields = {"act": "set", "seats": "៣", "shape": "row", "host": "", "guests": codes, "edition": "0"}
    assert send(doors, **fields).headers["location"] == f"{PATH}?done=set"
    late = send(doors, **{**fields, "guests": codes[:1]})
    page = Page(late.text)
    assert late.status_code == 409
    ticked = [one for one in page.all("input", name="guests") if "checked" in one.attributes]
    assert len(ticked) == 1, "what was chosen is kept"
    edition = page.hidden["edition"]
    marks = [one.text for one in doors.page(f"{PATH}?lang=en", "finance").all("span", class_="mark")]
    assert marks == ["3", "1", "★", "2"]
    swap = {"act": "exchange", "first": "1", "second": "2", "edition": edition}
    refused = send(doors, **swap, reason="")
    assert refused.status_code == 422
    assert "reason-fault" in Page(refused.text).ids
    assert send(doors, **swap, reason="The doyen first").headers["location"] == f"{PATH}?done=exchanged"
    shown = doors.page(PATH, "finance")
    assert "The doyen first" not in shown.text
    assert not shown.all("select"), "who only reads has no form"
    assert {f"/desk/{SLUG}/registrations/{code}" for code in codes} <= set(shown.links)
    assert "AAA" in shown.text, "a list prints the family name in capitals"


def test_more_guests_than_seats_are_refused_with_what_was_chosen(doors: Doors) -> None:
    codes = [doors.confirmed("INT", family_name=name).code for name in ("Ddd", "Eee")]
    edition = doors.page(PATH, "protocol").hidden["edition"]
    answer = send(doors, act="set", seats="1", shape="horseshoe", host="", guests=codes, edition=edition)
    page = Page(answer.text)
    assert answer.status_code == 422
    assert "guests-fault" in page.ids
    assert len([one for one in page.all("input", name="guests") if "checked" in one.attributes]) == 2
