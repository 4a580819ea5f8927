"""A list of registrations as a file."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.editions.form import ForumFile
from app.kit.i18n import text_of
from app.registration.erasing import erase
from app.registration.exporting import COLUMNS
from tests.cast import NOW, SLUG, the_forum
from tests.doors import Doors, Page, open_doors

LIST = f"/desk/{SLUG}/registrations"
PATH = f"{LIST}/export"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("export"), forum_file) as found:
        for role in (Role.OWNER, Role.FINANCE, Role.VIEWER):
            found.enrol(role.value, role)
        yield found


def take(doors: Doors, columns: Any, kind: str = "csv", *, by: str = "owner", asked: str = "") -> Any:
    sent = {"form": doors.seal(f"{PATH}?lang=en", by), "columns": columns, "kind": kind}
    return doors.post(f"{PATH}?lang=en{asked}", by, sent)


def rows(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf"), "some programs garble Khmer without this mark"
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def facts_of(doors: Doors) -> list[Any]:
    found = doors.site.database.read(lambda db: [(one.kind, one.after) for one in history(db, SLUG, f"forum:{SLUG}")])
    return [after for kind, after in found if kind == "people.exported"]


def test_the_file_has_the_chosen_columns_of_the_lists_question_and_that_it_left_is_noted(doors: Doors) -> None:
    one = doors.register("INT", family_name="Exported", name_km="ហេង", phone="+85512345678", institution="A bank")
    doors.register("STU", family_name="Unasked")
    answer = take(doors, ["phone", "code", "name_km", "institution"], asked="&q=exported")
    assert rows(answer)[1:] == [[one.code, "ហេង", "A bank", "'+855 12 345 678"]]
    assert answer.headers["content-disposition"] == 'attachment; filename="registrations.csv"'
    assert answer.headers["cache-control"] == "private, no-store"
    (fact,) = facts_of(doors)
    assert (fact["people"], fact["columns"]) == (1, ["code", "name_km", "institution", "phone"])
    assert "exported" not in str(fact).lower(), "words may name somebody: they are personal"


def test_a_workbook_holds_texts_as_they_were_typed_and_no_formula(doors: Doors) -> None:
    doors.register("INT", family_name="=Formula(A1)")
    sheet = load_workbook(io.BytesIO(take(doors, ["family_name"], "xlsx", asked="&q=formula").content)).active
    assert sheet is not None
    cell = sheet["A2"]
    assert (cell.value, cell.data_type) == ("=Formula(A1)", "s")


def test_in_a_private_capacity_institution_and_position_are_left_out(doors: Doors) -> None:
    told = {"institution": "A ministry", "position_title": "Minister"}
    doors.register("INT", family_name="Privately", attends_as="private", **told)
    found = rows(take(doors, ["attends_as", "institution", "position_title"], asked="&q=privately"))
    assert found[1:] == [[text_of("en", "export.private"), "", ""]]


def test_no_column_holds_a_sensitive_answer(doors: Doors) -> None:
    doors.register("INT", family_name="Sensitive", meals="no pork", access="A ramp, please")
    text = take(doors, list(COLUMNS), asked="&q=sensitive").text
    assert "Sensitive" in text
    assert "no pork" not in text
    assert "ramp" not in text


def test_every_column_has_its_heading_in_both_languages(doors: Doors) -> None:
    for lang in ("en", "km"):
        page = doors.page(f"{PATH}?lang={lang}", "owner")
        labels = [each.text for each in page.all("label")]
        assert [label for name in COLUMNS if (label := text_of(lang, f"export.column.{name}")) not in labels] == []


def test_whoever_was_erased_is_neither_counted_nor_in_the_file(doors: Doors) -> None:
    doors.register("INT", family_name="Staying", institution="The same house")
    gone = doors.register("INT", family_name="Going", institution="The same house")
    doors.write(SLUG, lambda db: erase(db, Actor.operator(), the_forum(db), gone.code, now=NOW))
    found = [row[0] for row in rows(take(doors, ["code"]))[1:]]
    assert gone.code not in found
    page = doors.page(f"{PATH}?lang=en", "owner")
    assert text_of("en", "export.people", n=len(found)) in page.text


@pytest.mark.parametrize(
    ("columns", "kind", "at"), [([], "csv", "columns"), (["nothing"], "csv", "columns"), (["code"], "exe", "kind")]
)
def test_what_cannot_be_is_refused_beside_its_field_and_no_list_leaves(
    doors: Doors, columns: list[str], kind: str, at: str
) -> None:
    before = len(facts_of(doors))
    answer = take(doors, columns, kind)
    assert answer.status_code == 422
    assert f"{at}-fault" in Page(answer.text).ids
    assert len(facts_of(doors)) == before


def test_it_is_offered_to_those_who_may_take_people_along(doors: Doors) -> None:
    assert any(href.startswith(PATH) for href in doors.page(LIST, "finance").links)
    assert take(doors, ["code"], by="finance").status_code == 200
    assert doors.get(PATH, "viewer").status_code == 403
