"""Every list of the desk as a file: for whom, with which columns, and what of sessions and people never leaves."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from app.accounts.actor import Actor
from app.accounts.rules import PERMISSIONS, Role
from app.audit.recording import history
from app.editions.form import ForumFile
from app.kit.db import Db
from app.kit.i18n import LANGS, text_of
from app.registration import holding, picking
from app.registration.inputs import HoldBackInput
from app.reports.lists import BY_NAME, LISTS
from tests.cast import NOW, SLUG, the_forum
from tests.doors import Doors, Page, open_doors
from tests.embassies import delegate

BASE = f"/desk/{SLUG}/lists"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("lists"), forum_file) as found:
        for role in Role:
            found.enrol(role.value, role)
        yield found


def take(doors: Doors, name: str, columns: Any = (), kind: str = "csv", *, by: str = "owner", lang: str = "en") -> Any:
    sent = {"form": doors.seal(f"{BASE}/rooms", by), "columns": columns or names(name), "kind": kind}
    return doors.post(f"{BASE}/{name}?lang={lang}", by, sent)


def names(name: str) -> list[str]:
    return [one.name for one in BY_NAME[name].columns]


def lines(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.status_code
    assert answer.content.startswith(b"\xef\xbb\xbf"), "some programs garble Khmer without this mark"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("role", Role)
def test_a_list_is_for_exactly_those_who_may_take_it_and_so_are_its_columns(doors: Doors, role: Role) -> None:
    by, may = role.value, PERMISSIONS[role]
    offered = {href.removeprefix(f"{BASE}/") for href in doors.page(BASE, by).links if href.startswith(f"{BASE}/")}
    assert offered == {one.name for one in LISTS if set(one.needs) <= may}
    for listed in LISTS:
        guarded = [one.name for one in listed.columns if one.need and one.need not in may]
        if listed.name not in offered:
            assert take(doors, listed.name, by=by).status_code == 403, listed.name
        elif guarded:
            assert take(doors, listed.name, guarded, by=by).status_code == 422, listed.name


@pytest.mark.parametrize("lang", LANGS)
def test_every_list_has_all_its_columns_under_their_headings(doors: Doors, lang: Any) -> None:
    for listed in LISTS:
        answer = take(doors, listed.name, lang=lang)
        headings = next(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert headings == [text_of(lang, f"lists.column.{name}") for name in names(listed.name)]
        assert answer.headers["content-disposition"] == f'attachment; filename="{SLUG}-{listed.name}.csv"'
        assert answer.headers["cache-control"] == "private, no-store"


def test_a_workbook_has_numbers_dates_and_texts_that_are_no_formulas_under_headings_that_stay(doors: Doors) -> None:
    sent = HoldBackInput(category="STU", seats=2, purpose="=Cmd(A1)", release_at=NOW)
    sent = sent.model_copy(update={"release_at": datetime.fromisoformat("2027-03-01T08:00:00+07:00")})
    doors.write(SLUG, lambda db: holding.keep_back(db, Actor.operator(), the_forum(db), sent, now=NOW))
    answer = take(doors, "hold-backs", ["purpose", "kept", "release_at"], "xlsx")
    sheet: Any = load_workbook(io.BytesIO(answer.content)).active
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=Cmd(A1)", "s")
    assert (sheet["B2"].value, sheet["B2"].data_type) == (2, "n")
    assert sheet["C2"].is_date
    assert sheet["C2"].value.isoformat() == "2027-03-01T08:00:00", "at the forum's place"
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["C"].width >= 16
    assert lines(take(doors, "hold-backs", ["purpose"]))[0]["Purpose"] == "'=Cmd(A1)"


def test_closed_sessions_and_who_is_under_chatham_house_leave_in_no_list(doors: Doors) -> None:
    one = doors.confirmed(family_name="Attending")

    def choose(db: Db) -> None:
        for code in ("D1-07", "D1-08", "C-01"):  # Chatham House, on the record, closed
            picking.pick(db, Actor.operator(), the_forum(db), one.code, code, now=NOW, forced=True)

    doors.write(SLUG, choose)
    seen = {row["Session"] for row in lines(take(doors, "attendance"))}
    assert seen == {"D1-08"}
    counted = {row["Code"]: row for row in lines(take(doors, "sign-ups"))}
    assert "C-01" not in counted
    assert counted["D1-07"]["Taken"] + counted["D1-07"]["Waiting"] + counted["D1-07"]["In calendars"] == ""
    assert int(counted["D1-08"]["Taken"]) + int(counted["D1-08"]["In calendars"]) == 1
    for name in ("programme", "speakers", "rooms", "materials"):
        assert "C-01" not in take(doors, name).text, name
    assert "C-01" in take(doors, "programme-whole").text


def test_in_a_private_capacity_a_delegate_stands_without_the_institution(doors: Doors) -> None:
    doors.delegate(delegate(7, attends_as="private", family_name="Privately"), delegate(8, family_name="Officially"))
    found = {row["Name"].split()[0]: row for row in lines(take(doors, "delegates"))}
    private, official = found["PRIVATELY"], found["OFFICIALLY"]
    assert {private[name] for name in ("Delegation", "Institution", "Position")} == {""}
    assert official["Institution"]


def test_mails_leave_without_their_text_and_facts_without_what_is_personal_unless_it_is_asked_for(doors: Doors) -> None:
    doors.register("INT", family_name="Personal", institution="Tellinghouse")
    assert not {"values", "text", "body"} & set(names("outbox"))
    usual = [one.name for one in BY_NAME["facts"].columns if one.usual]
    assert "personal" not in usual
    assert "Tellinghouse" not in take(doors, "facts", usual).text


def test_that_a_list_was_taken_is_a_fact_with_its_columns_and_lines(doors: Doors) -> None:
    rows = lines(take(doors, "rooms", ["seats", "code"]))
    facts = doors.site.database.read(lambda db: list(history(db, SLUG, f"forum:{SLUG}")))
    last = [one.after for one in facts if one.kind == "list.exported"][-1]
    assert last == {"of": "rooms", "columns": ["code", "seats"], "kind": "csv", "entries": len(rows)}
    assert "The list “Rooms” was taken as a file" in doors.page(f"/desk/{SLUG}/facts?lang=en", "owner").text


@pytest.mark.parametrize(("columns", "kind", "at"), [(["nothing"], "csv", "columns"), (["code"], "exe", "kind")])
def test_what_cannot_be_is_refused_beside_its_field(doors: Doors, columns: list[str], kind: str, at: str) -> None:
    answer = take(doors, "rooms", columns, kind)
    assert answer.status_code == 422
    assert f"{at}-fault" in Page(answer.text).ids


def test_a_list_that_is_none_is_not_found(doors: Doors) -> None:
    assert doors.get(f"{BASE}/passwords", "owner").status_code == 404
