"""One's own API tokens in a browser's place."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.forum.tokens import is_token
from tests.cast import SLUG
from tests.doors import Doors, open_doors

OWN = "/account/tokens"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("tokens"), forum_file) as found:
        found.enrol("viewer", Role.VIEWER)
        found.enrol("nobody")
        yield found


def test_a_token_is_shown_once_and_ended_by_its_button(doors: Doors) -> None:
    assert "You have no tokens" in doors.page(OWN, "viewer").text
    form = {"form": doors.seal(OWN, "viewer")}
    made = doors.post(OWN, "viewer", {**form, "forum": SLUG, "name": "Ourតារាង <b>", "days": "៣០"})
    assert made.status_code == 200
    assert made.headers["cache-control"] == "private, no-store"
    page = doors.page(OWN, "viewer")
    token = made.text.partition('value="sala_')[2].partition('"')[0]
    assert is_token(f"sala_{token}")
    assert token not in page.html
    assert token[-4:] in page.text
    assert "Ourតារាង <b>" in page.text
    number = page.one("button", name="end").attributes["value"]
    assert doors.post(OWN, "viewer", {**form, "end": number}).headers["location"] == f"{OWN}?done=ended"
    assert doors.post(OWN, "viewer", {**form, "end": number}).status_code == 404
    assert "The token is ended" in doors.page(f"{OWN}?done=ended", "viewer").text


def test_what_was_chosen_stays_beside_what_is_wrong(doors: Doors) -> None:
    form = {"form": doors.seal(OWN, "viewer")}
    before = doors.rows()
    for fields, said in (
        ({"forum": SLUG, "name": "", "days": "30"}, "Please fill in"),
        ({"forum": "no-such-forum", "name": "A", "days": "30"}, "forum"),
        ({"forum": SLUG, "name": "A", "days": "366"}, "365"),
        ({"forum": SLUG, "name": "A", "days": "30", "scope": "see_people"}, "may not do all of this"),
    ):
        answer = doors.post(OWN, "viewer", {**form, **fields})
        assert answer.status_code == 422, fields
        assert said in answer.text
    assert doors.rows() == before


def test_who_works_for_no_forum_is_told_so(doors: Doors) -> None:
    page = doors.page(OWN, "nobody")
    assert "You work for no forum" in page.text
    assert not page.all("form", class_="form")
