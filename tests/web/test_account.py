"""The own page in a browser's place."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.accounts.rules import Role
from app.editions.form import ForumFile
from tests.cast import SLUG
from tests.doors import Doors, open_doors


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("account"), forum_file) as found:
        found.enrol("viewer", Role.VIEWER)
        found.enrol("other", Role.VIEWER)
        yield found


def test_logins_are_told_apart_and_ended_from_the_own_page(doors: Doors) -> None:
    number = doors.sign_in_again("viewer")
    page = doors.page("/account", "viewer")
    assert "This browser" in page.text
    assert "Firefox, Linux" in page.text
    form = {"form": page.hidden["form"]}
    assert doors.post(f"/account/logins/{number}/removal", "other", form).status_code == 422, "another login's form"
    theirs = {"form": doors.seal("/account", "other")}
    assert doors.post(f"/account/logins/{number}/removal", "other", theirs).status_code == 404
    ended = doors.post(f"/account/logins/{number}/removal", "viewer", form)
    assert ended.headers["location"] == "/account?done=ended"
    assert doors.post(f"/account/logins/{number}/removal", "viewer", form).status_code == 404
    doors.sign_in_again("viewer")
    assert doors.post("/account/logins/others", "viewer", form).headers["location"] == "/account?done=others"
    page = doors.page("/account", "viewer")
    assert "Firefox, Linux" not in page.text
    assert doors.get(f"/desk/{SLUG}", "viewer").status_code == 200


def test_the_browser_one_signs_in_with_is_known_again(doors: Doors) -> None:
    link = doors.sign_in_link()
    sent = {"form": doors.seal(f"/login/{link}")}
    answer = doors.post(f"/login/{link}", fields=sent, headers={"user-agent": "Mozilla/5.0 (X11; Linux) Firefox/145.0"})
    doors.pretend("come", answer.headers["set-cookie"].partition("sala_login=")[2].partition(";")[0])
    assert "Firefox, Linux" in doors.page("/account", "come").text
