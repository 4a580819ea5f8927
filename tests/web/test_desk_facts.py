"""The log at the desk: everything that was done, found by what it is about, by whom and when."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import app
from app.accounts.rules import Role
from app.audit.recording import head_of, record
from app.editions.form import ForumFile
from app.kit.i18n import has_text
from tests.cast import NOW, SLUG
from tests.doors import ELSEWHERE, Doors, Page, open_doors

LOG = f"/desk/{SLUG}/facts"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("facts"), forum_file) as found:
        for role in (Role.OWNER, Role.PROGRAMME_EDITOR):
            found.enrol(role.value, role)
        yield found


def note(doors: Doors, kind: str, subject: str, *, slug: str = SLUG, now: Any = NOW, **more: Any) -> None:
    doors.write(slug, lambda db: record(db, slug, ("user:1", "Sokha"), kind, subject, now=now, **more))


def rows(page: Page) -> list[str]:
    return [row.text for row in page.all("tr")[1:]]


def test_a_registration_is_found_by_its_code_with_what_was_done_and_the_way_to_it(doors: Doors) -> None:
    one = doors.register("INT")
    page = doors.page(f"{LOG}?q={one.code.lower()}", "owner")
    assert any("Asked to attend" in row for row in rows(page))
    assert all(one.code in row for row in rows(page))
    assert f"/desk/{SLUG}/registrations/{one.code}" in page.links


def test_what_stood_before_and_after_is_shown_and_typed_text_is_escaped(doors: Doors) -> None:
    told = {"before": {"name": "<xss>Old</xss>"}, "after": {"name": "ហេង"}, "note": "because <xss>"}
    note(doors, "room.changed", "room:angkor", personal=told)
    page = doors.page(f"{LOG}?q=angkor&lang=en", "owner")
    assert page.all("xss") == []
    assert "<xss>Old</xss>" in page.one("del").text
    assert "ហេង" in [each.text for each in page.all("ins")]
    assert "because <xss>" in page.text


def test_after_a_purge_the_fact_is_still_there_without_what_was_personal(doors: Doors) -> None:
    note(doors, "room.added", "room:purged", personal={})
    (row,) = rows(doors.page(f"{LOG}?q=purged&lang=en", "owner"))
    assert "A room was added" in row


def test_the_log_is_narrowed_to_a_part_of_the_desk_and_to_days_of_the_forum(doors: Doors) -> None:
    midnight = NOW.replace(hour=17, minute=0, second=0) + timedelta(days=9)  # in Phnom Penh the tenth day begins
    note(doors, "material.shared", "material:EVENING", now=midnight - timedelta(seconds=1))
    note(doors, "material.shared", "material:MORNING", now=midnight)
    day = (midnight + timedelta(hours=7)).date()

    def found(**asked: Any) -> str:
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        return doors.page(f"{LOG}?{query}", "owner").text

    assert "MORNING" in found(since=day, until=day)
    assert "EVENING" not in found(since=day, until=day)
    assert "EVENING" in found(until=day - timedelta(days=1), part="programme")
    assert "MORNING" not in found(part="mail")


def test_pages_follow_one_another_without_a_gap_or_a_double(doors: Doors) -> None:
    for number in range(120):
        note(doors, "room.placed", f"room:paged{number:03}")
    seen, address = [], f"{LOG}?q=paged&lang=en"
    while address:
        page = doors.page(address, "owner")
        seen += [each.text for each in page.all("td", class_="code")]
        following = page.all("a", rel="next")
        address = following[0].attributes["href"] if following else ""
    assert seen == [f"paged{number:03}" for number in reversed(range(120))]


def test_another_forums_facts_are_not_in_it(doors: Doors) -> None:
    note(doors, "room.added", "room:foreign", slug=ELSEWHERE)
    assert "foreign" not in doors.page(f"{LOG}?q=room", "owner").text


def test_a_group_is_named(doors: Doors) -> None:
    doors.register("STU", family_name="Named")
    words = doors.page(f"{LOG}?part=people", "owner").text
    assert "in the group Students and scholars" in words
    assert "in the group STU" not in words


@pytest.mark.parametrize("asked", ["part=nothing", "before=x", "before=-1", "since=yesterday", "until=0001-01-01"])
def test_what_cannot_be_asked_is_not_found(doors: Doors, asked: str) -> None:
    assert doors.get(f"{LOG}?{asked}", "owner").status_code == 404


@pytest.mark.parametrize("words", ["%", "_", "\\", "'; --"])
def test_signs_of_a_pattern_are_looked_for_as_they_are(doors: Doors, words: str) -> None:
    note(doors, "delegation.head", "delegation:PLAIN")
    assert rows(doors.page(f"{LOG}?q={quote(words)}&part=invitations", "owner")) == []


def test_it_is_for_those_who_may_see_facts(doors: Doors) -> None:
    assert doors.get(LOG, "programme_editor").status_code == 403
    assert LOG not in doors.page(f"/desk/{SLUG}", "programme_editor").links
    assert LOG in doors.page(f"/desk/{SLUG}", "owner").links


def test_the_end_of_the_chain_is_shown_to_be_noted_down(doors: Doors) -> None:
    head = doors.site.database.read(lambda db: head_of(db, SLUG))
    assert head is not None
    assert f"{head[0]}:{head[1]}" in doors.page(LOG, "owner").text


def test_everything_that_is_recorded_of_a_forum_is_said_in_words() -> None:
    told = re.compile(r'\brecord\(\s*db,\s*forum\.slug,[^()"]*"([a-z_]+\.[a-z_]+)"')
    kinds = {kind for file in Path(app.__file__).parent.rglob("*.py") for kind in told.findall(file.read_text())}
    assert len(kinds) > 50
    assert [kind for kind in sorted(kinds) if not has_text("en", f"desk.history.{kind}")] == []
