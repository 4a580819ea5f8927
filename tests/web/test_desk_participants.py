"""The list of participants as files: what stands in the workbook and in what is printed."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.kit.i18n import Lang
from app.registration.participant_lists import Issue, LayoutInput
from app.reports.participants import printed_values
from tests.cast import NOW, SLUG, the_forum
from tests.doors import Doors, Page, open_doors

PATH = f"/desk/{SLUG}/participants"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("participants"), forum_file) as found:
        found.enrol("protocol", Role.PROTOCOL_OFFICER)
        found.enrol("finance", Role.FINANCE)
        found.register(
            "INT", family_name="Listed", given_name="Sok", name_km="លីស សុខ", titles="H.E.", institution="A bank"
        )
        yield found


def take(doors: Doors, by: str = "protocol", lang: str = "en", **fields: str) -> Any:
    usual = {"language": "both", "group": "category", "status": "provisional", "kind": "xlsx"}
    return doors.post(f"{PATH}?lang={lang}", by, {"form": doors.seal(PATH, by), **usual, **fields})


def rows(answer: Any) -> list[tuple[Any, ...]]:
    assert answer.status_code == 200
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    return list(sheet.iter_rows(values_only=True))


def test_a_workbook_says_what_it_is_and_of_when_and_has_a_row_for_each_person(doors: Doors) -> None:
    answer = take(doors)
    assert answer.headers["content-disposition"].endswith('-participants-provisional-both.xlsx"')
    assert answer.headers["cache-control"] == "private, no-store"
    title, _, state, empty, headings, first = rows(answer)[:6]
    assert title[0] == "List of participants · បញ្ជីអ្នកចូលរួម"
    assert "Provisional – As of" in str(state[0])
    assert not any(empty)
    assert headings[0] == "No. · ល.រ"
    assert [first[at] for at in (0, 2, 3, 4, 5, 7)] == [1, "H.E.", "LISTED Sok", "ឯកឧត្តម", "លីស សុខ", "A bank"]


def test_a_final_list_is_offered_again_and_later_ones_are_revisions(doors: Doors) -> None:
    first = take(doors, status="final", language="en")
    assert first.headers["content-disposition"].endswith('-participants-final-1-en.xlsx"')
    take(doors, status="final")
    page = doors.page(f"{PATH}?lang=en", "finance")
    kept = page.one("section", id="kept").text
    assert "Final, revision 1" in kept
    again = doors.post(PATH, "finance", {"form": doors.seal(PATH, "finance"), "number": "1", "kind": "xlsx"})
    assert rows(again) == rows(first)
    assert (
        doors.post(PATH, "finance", {"form": doors.seal(PATH, "finance"), "number": "9", "kind": "pdf"}).status_code
        == 404
    )


def test_it_is_printed_in_either_language_and_in_both(doors: Doors) -> None:
    for language in ("en", "km", "both"):
        answer = take(doors, kind="pdf", language=language)
        assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"kind": "exe"}, "kind"),
        ({"status": "draft"}, "status"),
        ({"language": "fr"}, "language"),
        ({"group": ""}, "group"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(doors: Doors, fields: dict[str, str], at: str) -> None:
    answer = take(doors, **fields)
    assert answer.status_code == 422
    assert f"{at}-fault" in Page(answer.text).ids


def test_finance_takes_a_provisional_list_and_is_not_offered_a_final_one(doors: Doors) -> None:
    assert take(doors, "finance").status_code == 200
    assert take(doors, "finance", status="final").status_code == 403
    assert [each.attributes["value"] for each in doors.page(PATH, "finance").all("input", name="status")] == [
        "provisional"
    ]


@pytest.mark.parametrize(("language", "shown"), [("en", ["H.E. LISTED Sok"]), ("km", ["ឯកឧត្តម លីស សុខ"])])
def test_a_person_stands_in_the_lists_own_script_or_in_both(doors: Doors, language: Lang, shown: list[str]) -> None:
    line = {
        "heading": {"en": "", "km": ""},
        "titles": "H.E.",
        "name": "LISTED Sok",
        "titles_km": "ឯកឧត្តម",
        "name_km": "លីស សុខ",
        "post": "",
        "institution": {"en": "", "km": ""},
        "country": "KH",
        "private": True,
        "head": False,
    }
    with doors.site.database.reading() as db:
        forum = the_forum(db)
    (section,) = printed_values(forum, Issue(2, NOW, LayoutInput(language=language, group="category"), [line]))[
        "sections"
    ]
    assert section["people"][0]["names"] == shown
    both = printed_values(forum, Issue(2, NOW, LayoutInput(language="both", group="category"), [line]))
    assert both["sections"][0]["people"][0]["names"] == ["H.E. LISTED Sok", "ឯកឧត្តម លីស សុខ"]
    assert both["sections"][0]["heading"].startswith("In a private capacity")
    assert both["status"].startswith("Final, revision 1")
