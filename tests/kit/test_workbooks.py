"""Workbooks: what is read is what the usual reader reads, and none costs more than a list of people does."""

import io
import zipfile
from datetime import datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from app.kit import workbooks
from app.kit.errors import Refused
from app.kit.sheets import read_file
from app.kit.workbooks import rows_of

SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
BOOK = f'<workbook {SPACE} xmlns:r="{TYPES}"><sheets><sheet name="A" sheetId="1" r:id="one"/></sheets></workbook>'
HEAD = '<row r="1"><c r="A1" t="inlineStr"><is><t>Family name</t></is></c></row>'


def archive(rows: str, *, texts: str = "", styles: str = "", after: str = "", book: str = BOOK) -> bytes:
    """A workbook written by hand."""

    def named(*parts: tuple[str, str, str]) -> str:
        inside = "".join(f'<Relationship Id="{key}" Type="{TYPES}/{kind}" Target="{to}"/>' for key, kind, to in parts)
        return f"<Relationships>{inside}</Relationships>"

    parts = {
        "_rels/.rels": named(("x", "officeDocument", "/xl/workbook.xml")),
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": named(
            ("one", "worksheet", "sheets/first.xml"), ("two", "sharedStrings", "t.xml"), ("three", "styles", "s.xml")
        ),
        "xl/sheets/first.xml": f"<worksheet {SPACE}><sheetData>{rows}</sheetData>{after}</worksheet>",
        "xl/t.xml": f"<sst {SPACE}>{texts}</sst>",
        "xl/s.xml": f"<styleSheet {SPACE}>{styles}</styleSheet>",
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path, text in parts.items():
            packed.writestr(path, text)
    return written.getvalue()


CELLS = "<c/>" * 80
BOMBS = {
    "cells of one row": archive(HEAD + f"<row>{'<c/>' * 1_200_000}</row>"),
    "cells of many rows": archive(HEAD + f"<row>{CELLS}</row>" * 12_000),
    "rows": archive(HEAD + "<row/>" * 700_000),
    "shared texts": archive(HEAD, texts="<si/>" * 900_000),
    "anything": archive(HEAD, after="<a/>" * 1_200_000),
    "unpacked bytes": archive(HEAD, after=f"<!--{'x' * 6_000_000}-->"),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_small_file_that_unpacks_to_too_much_is_refused_before_much_of_it_is_read(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, met = BOMBS[what], 0
    assert len(body) < 60_000
    opened = workbooks._Cells.opened

    def counted(cells: Any, name: str, attributes: Any) -> None:
        nonlocal met
        met += 1
        opened(cells, name, attributes)

    monkeypatch.setattr(workbooks._Cells, "opened", counted)
    with pytest.raises(Refused) as refused:
        read_file(body)
    assert refused.value.code == "list_overfull"
    assert met <= workbooks.MOST_ELEMENTS


def test_rows_behind_the_longest_list_are_not_read() -> None:
    body = archive("<row><c><v>1</v></c></row>" * 29_000)
    with pytest.raises(Refused) as refused:
        read_file(body)
    assert refused.value.code == "list_too_long"


def test_parts_that_multiply_each_other_are_read_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    run = workbooks._Reader.run

    def noted(reader: Any, path: str, part: Any) -> Any:
        read.append(path)
        return run(reader, path, part)

    monkeypatch.setattr(workbooks._Reader, "run", noted)
    sheets = '<sheet name="A" sheetId="1" r:id="one"/>' * 5000
    many = f'<workbook {SPACE} xmlns:r="{TYPES}"><sheets>{sheets}</sheets></workbook>'
    formats = f'<numFmts><numFmt numFmtId="200" formatCode="{"[" * 100_000}"/></numFmts>'
    cells = "<xf numFmtId='200'/>" * 20_000
    styles = f"{formats}<cellXfs>{cells}</cellXfs>"
    shared = '<c><f t="shared" si="0" ref="A2:A3">' + "A1+" * 2000 + "A1</f></c>" + '<c><f t="shared" si="0"/></c>' * 30
    body = archive(HEAD + f"<row>{shared}</row>", styles=styles, book=many)
    rows = read_file(body)
    assert rows[0] == (1, ["Family name"])
    assert rows[1][1][1] == "=", "a formula is never computed or carried on"
    assert len(read) < 10
    assert read.count("xl/sheets/first.xml") == 1


def test_a_formatted_empty_row_at_the_very_end_is_no_long_list() -> None:
    assert read_file(archive(HEAD + '<row r="1048576"><c r="A1048576" s="1"/></row>')) == [(1, ["Family name"])]


def test_texts_of_several_runs_are_one_and_their_pronunciation_is_left_out() -> None:
    texts = "<si><r><rPr><b/></rPr><t>លឹម</t></r><r><t xml:space='preserve'> Dara</t></r><rPh><t>no</t></rPh></si>"
    assert read_file(archive('<row><c t="s"><v>0</v></c><c t="s"/></row>', texts=texts)) == [(1, ["លឹម Dara"])]


@pytest.mark.parametrize(
    "row",
    ['<row r="0"/>', '<row r="1048577"/>', '<row><c r="ABCD1"/></row>', '<row><c r="12"><v>1</v></c></row>', "<row>"],
)
def test_places_that_no_sheet_has_are_not_read(row: str) -> None:
    with pytest.raises(Refused) as refused:
        read_file(archive(row))
    assert refused.value.code == "list_unreadable"


CELL = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(-1e9, 1e9).filter(lambda number: number == 0 or abs(number) > 1e-4),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x17FF), max_size=12).filter(lambda text: text[:1] != "="),
    st.sampled_from([datetime(1998, 4, 30), datetime(2027, 3, 1, 9, 30), time(9, 30), "=A1+1", "#REF!"]),  # noqa: DTZ001
)


@given(st.lists(st.lists(CELL, min_size=1, max_size=6), min_size=1, max_size=5))
def test_what_is_read_is_what_the_usual_reader_reads(rows: list[list[Any]]) -> None:
    book, written = Workbook(), io.BytesIO()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    book.save(written)
    usual: Any = load_workbook(io.BytesIO(written.getvalue())).active
    expected = {
        place: _without_end(list(values))
        for place, values in enumerate(usual.iter_rows(values_only=True), 1)
        if any(value is not None for value in values)
    }
    found = {number: row for number, row in rows_of(written.getvalue(), 41) if row}
    assert found == expected


def _without_end(row: list[Any]) -> list[Any]:
    while row and row[-1] is None:
        row.pop()
    return row
