"""Copying another edition's programme at the desk: asked for in an address, seen, and then done."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.forum.queries import forum_id
from app.kit import clock
from app.programme.drafting import states_of
from tests.cast import NOW, SLUG, the_forum
from tests.doors import ELSEWHERE, Doors, Page, open_doors

PAGE = f"/desk/{ELSEWHERE}/programme/copy"
ASKED = f"{PAGE}?source={SLUG}&first_day=2028-03-21&speakers=yes"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with (
        clock.reading(lambda: NOW),
        open_doors(loaded_file, tmp_path_factory.mktemp("copy"), forum_file) as found,
    ):
        found.enrol("both", site_owner=True)
        found.enrol("here", Role.PROGRAMME_EDITOR, slug=ELSEWHERE)
        yield found


def count(doors: Doors) -> int:
    with doors.site.database.reading() as db:
        return len(states_of(db, forum_id(the_forum(db, ELSEWHERE))))


@pytest.mark.parametrize("lang", ["en", "km"])
def test_what_copying_would_change_is_seen_before_it_is_done(doors: Doors, lang: str) -> None:
    before = count(doors)
    page = doors.page(f"{ASKED}&lang={lang}", "both")
    assert len(page.all("li")) > 28
    assert "C-01" not in page.text.split("D1-14")[0], "closed sessions are not asked for"
    assert count(doors) == before


def test_what_was_seen_is_copied_for_a_reason_and_a_stale_look_is_looked_at_again(doors: Doors) -> None:
    before, page = count(doors), doors.page(ASKED, "both")
    fields = {**page.hidden, "reason": "As arranged"}
    assert doors.post(PAGE, "both", {**page.hidden, "reason": ""}).status_code == 422
    assert doors.post(PAGE, "both", fields).status_code == 303
    after = count(doors)
    assert after == before + 28
    again = doors.post(PAGE, "both", fields)
    assert again.status_code == 409
    assert count(doors) == after
    assert Page(again.text).hidden["mark"] != page.hidden["mark"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("source=nowhere&first_day=2028-03-21", "source"),
        (f"source={ELSEWHERE}&first_day=2028-03-21", "source"),
        ("source=&first_day=2028-03-21", "source"),
        (f"source={SLUG}&first_day=soon", "first_day"),
        (f"source={SLUG}&first_day=", "first_day"),
        (f"source={SLUG}&first_day=9999-12-31", "first_day"),
        (f"source={SLUG}&first_day=0001-01-01", "first_day"),
        (f"source={SLUG}&first_day=2028-03-21&speakers=maybe", "speakers"),
    ],
)
def test_what_cannot_be_copied_is_said_beside_its_field(doors: Doors, query: str, field: str) -> None:
    answer = doors.get(f"{PAGE}?{query}", "both")
    assert answer.status_code == 422
    assert f"{field}-fault" in Page(answer.text).ids


def test_who_sees_no_other_desk_is_told_so_and_copies_nothing(doors: Doors) -> None:
    page = doors.page(PAGE, "here")
    assert page.all("select") == []
    assert doors.get(ASKED, "here").status_code == 422
    assert SLUG not in doors.get(ASKED, "here").text.replace(f"source={SLUG}", "")
