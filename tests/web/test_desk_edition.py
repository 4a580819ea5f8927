"""A new edition in a browser's place: the counts, what is refused, and a desk that nobody else sees."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.rules import Role
from app.editions.form import ForumFile
from tests.cast import SLUG
from tests.doors import ELSEWHERE, Doors, Page, open_doors

PAGE = f"/desk/{SLUG}/edition"
NEXT = "phnom-penh-2029"
FIELDS: dict[str, Any] = {f"{name}_{lang}": "The next" for name in ("title", "short_title") for lang in ("en", "km")}
FIELDS |= {"slug": NEXT, "starts_on": "2029-03-20", "ends_on": "២០២៩-០៣-២១"}
FIELDS |= {"takes": ["place", "topics", "numbers", "programme", "speakers", "colleagues"]}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("edition"), forum_file) as found:
        found.enrol("owner", Role.OWNER)
        found.enrol("registrar", Role.REGISTRAR)
        yield found


def send(doors: Doors, **changes: Any) -> Any:
    return doors.post(PAGE, "owner", {"form": doors.seal(PAGE, "owner"), **FIELDS, **changes})


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("slug", SLUG),
        ("slug", "my"),
        ("slug", "Not an address"),
        ("slug", ""),
        ("title_km", ""),
        ("ends_on", "2029-03-19"),
        ("ends_on", ""),
        ("starts_on", "soon"),
        ("takes", "everybody"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_opened(doors: Doors, field: str, typed: str) -> None:
    before = doors.rows()
    answer = send(doors, **{field: typed})
    assert answer.status_code == 422
    place = "title_en" if field == "title_km" else field
    assert f"{place}-fault" in Page(answer.text).ids
    assert doors.rows() == before


def test_a_programme_without_days_is_refused(doors: Doors) -> None:
    answer = send(doors, starts_on="", ends_on="")
    assert answer.status_code == 422
    assert "starts_on-fault" in Page(answer.text).ids


def test_an_edition_is_opened_and_only_its_desk_knows_it_until_it_is_public(doors: Doors) -> None:
    assert "28" in doors.page(PAGE, "owner").text
    assert send(doors).headers["location"] == f"/desk/{NEXT}/settings?done=opened"
    page = doors.page(f"/desk/{NEXT}/settings?done=opened", "owner")
    assert "not open to the public" in page.text
    assert doors.get(f"/en/{NEXT}").status_code == doors.get(f"/en/{NEXT}/calendar.ics").status_code == 404
    assert "D1-02" in doors.page(f"/desk/{NEXT}/programme", "registrar").text, "colleagues came along"
    assert doors.get(f"/desk/{NEXT}", "owner").status_code == 200
    assert send(doors).status_code == 422, "the address is taken by now"
    standing = f"/desk/{NEXT}/settings/standing"
    sent = {**doors.page(standing, "owner").hidden, "act": "save", "public": "yes"}
    assert doors.post(standing, "owner", sent).status_code == 303
    assert doors.get(f"/en/{NEXT}").status_code == 200
    assert doors.get(f"/desk/{ELSEWHERE}/edition", "owner").status_code == 404
