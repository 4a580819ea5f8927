"""Tables that people send: what is read, what is refused, and that nothing else ever happens."""

import csv
import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from app.kit import sheets
from app.kit.errors import Refused
from app.kit.sheets import as_text, empty_csv, empty_workbook, is_formula, letter_of, read_file, read_text

ROWS = [(1, ["Family name", "E-mail"]), (2, ["Lim", "dara@embassy.example"])]


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_separators_and_encodings_are_found_out(sign: str, encoding: str) -> None:
    text = f"Family name{sign}E-mail\r\nLim{sign}dara@embassy.example\r\n"
    body = ("\ufeff" if encoding == "utf-16-le" else "").encode(encoding) + text.encode(encoding)
    assert read_file(body) == ROWS


CELLS = st.lists(st.text(st.sampled_from("aក ,;|\t\"'=\n\u2028"), max_size=6), min_size=1, max_size=5)


@given(st.lists(CELLS, min_size=1, max_size=6))
def test_rows_shown_as_a_text_are_read_as_the_same_rows(lines: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    try:
        rows = read_text(text.getvalue())
    except Refused:
        return
    first = (rows[0][0], [" ".join(cell.split()) for cell in rows[0][1]])
    again = as_text(rows)
    assert read_text(again) == [first, *rows[1:]]
    # a browser gives every line break back as CR and LF
    assert [number for number, _ in read_text(again.replace("\r\n", "\n").replace("\n", "\r\n"))] == [
        number for number, _ in rows
    ]


def test_rows_very_far_apart_move_together_and_no_text_of_empty_lines_is_made() -> None:
    assert as_text([(5, ["Family name"]), (900_000, ["Lim"])]) == "Family name\r\nLim\r\n"


def test_khmer_letters_and_digits_come_as_they_are() -> None:
    assert read_file("ឈ្មោះ,លេខទូរសព្ទ\nលឹម ដារ៉ា,០១២ ៣៤៥ ៦៧៨".encode("utf-8-sig"))[1] == (2, ["លឹម ដារ៉ា", "០១២ ៣៤៥ ៦៧៨"])


def test_a_workbook_is_read_with_its_row_numbers_and_formulas_as_text() -> None:
    body = workbook(["Family name", "Phone"], [], ["Lim", 85512345678], ["=1+1", True], ["x", 1.5])
    assert read_file(body) == [
        (1, ["Family name", "Phone"]),
        (3, ["Lim", "85512345678"]),
        (4, ["=1+1", "1"]),
        (5, ["x", "1.5"]),
    ]
    assert is_formula("=1+1")
    assert is_formula("#REF!")
    assert not is_formula("+855 12")


def test_a_quoted_cell_may_hold_the_separator_and_spaces_around_are_dropped() -> None:
    assert read_text('a,b\n"Lim, Dara" ,  x ') == [(1, ["a", "b"]), (2, ["Lim, Dara", "x"])]


def big_archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 30_000_000)
    return written.getvalue()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "list_empty"),
        (b"\n \n,,\n", "list_empty"),
        (b"x" * 1_000_001, "list_too_large"),
        (b"\xd0\xcf\x11\xe0 old", "old_office"),
        (b"PK\x03\x04 not really", "list_unreadable"),
        ("Nomé".encode("latin-1"), "list_encoding"),
        (b"a\0b", "list_unreadable"),
        (b"x\n" * 1200, "list_too_long"),
        (big_archive(), "list_overfull"),
        (workbook(*[["x"]] * 1200), "list_too_long"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_reason(body: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_file(body)
    assert refused.value.code == code


def test_a_workbook_that_lies_about_its_size_is_read_as_it_is() -> None:
    original, changed = zipfile.ZipFile(io.BytesIO(workbook(["a"], ["b"]))), io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in original.infolist():
            body = original.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                body = body.replace(b'<dimension ref="A1:A2"', b'<dimension ref="A1:XFD1048576"')
                assert b"XFD1048576" in body
            archive.writestr(part.filename, body)
    assert read_file(changed.getvalue()) == [(1, ["a"]), (2, ["b"])]


def test_entities_that_grow_without_end_are_refused() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "' + b"a" * 1000 + b'">'
    for level in range(8):
        bomb += b'<!ENTITY %c "%s">' % (98 + level, b"&%c;" % (97 + level) * 30)
    bomb += b']><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
    bomb += b'<c r="A1" t="inlineStr"><is><t>&i;</t></is></c></row></sheetData></worksheet>'
    original, changed = zipfile.ZipFile(io.BytesIO(workbook(["a"]))), io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in original.infolist():
            archive.writestr(part.filename, bomb if "sheet1" in part.filename else original.read(part))
    with pytest.raises(Refused) as refused:
        read_file(changed.getvalue())
    assert refused.value.code == "list_unreadable"


def test_the_empty_tables_can_be_read_back() -> None:
    headers = ["នាមត្រកូល", "E-mail"]
    assert read_file(empty_csv(headers)) == [(1, headers)]
    assert empty_csv(headers).startswith(b"\xef\xbb\xbf")
    assert read_file(empty_workbook(headers, "គណៈប្រតិភូ")) == [(1, headers)]
    book = load_workbook(io.BytesIO(empty_workbook(headers, "x")))
    sheet: Any = book.active
    assert sheet["B2"].number_format == "@"


def test_columns_have_the_letters_a_spreadsheet_shows() -> None:
    assert [letter_of(column) for column in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def only_refused(body: bytes) -> None:
    code, rows = "", []
    try:
        rows = read_file(body)
    except Refused as refused:
        code = refused.code
    assert code.startswith(("list_", "old_")) or 0 < len(rows) <= sheets.MOST_ROWS + 10


@given(st.binary(max_size=400))
def test_whatever_bytes_come_nothing_is_raised_but_a_refusal(body: bytes) -> None:
    only_refused(body)
    only_refused(b"\xff\xfe" + body)


@given(st.text(max_size=200))
def test_whatever_text_is_pasted_nothing_is_raised_but_a_refusal(text: str) -> None:
    code = "list_"
    try:
        read_text(text)
    except Refused as refused:
        code = refused.code
    assert code.startswith("list_")


WHOLE = workbook(["Family name"], ["Lim"])
"""Made once: the hour is written into a workbook, so another one may be longer by a byte."""


@given(st.data())
def test_a_spoilt_workbook_raises_nothing_but_a_refusal(spoiling: st.DataObject) -> None:
    body = bytearray(WHOLE)
    for _ in range(spoiling.draw(st.integers(1, 8))):
        at = spoiling.draw(st.integers(4, len(body) - 1))
        body[at] = spoiling.draw(st.integers(0, 255))
    only_refused(bytes(body))


_PIECES = [
    "<row",
    ' r="',
    "1048577",
    "-1",
    "<c",
    ' t="s"',
    ' t="d"',
    "<v>",
    "999",
    "</v>",
    "<f>",
    "&#0;",
    ">",
    "</row>",
    "x",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=30).map("".join))
def test_a_sheet_of_any_nonsense_raises_nothing_but_a_refusal(inside: str) -> None:
    original, changed = zipfile.ZipFile(io.BytesIO(workbook(["Family name"]))), io.BytesIO()
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    with zipfile.ZipFile(changed, "w") as archive:
        for part in original.infolist():
            spoilt = f'<worksheet xmlns="{space}"><sheetData>{inside}</sheetData></worksheet>'
            archive.writestr(part.filename, spoilt if "sheet1" in part.filename else original.read(part))
    only_refused(changed.getvalue())


def test_a_workbook_of_rows_holds_texts_alone_whatever_they_look_like():
    rows = [["=1+1", "", "0123"], ["+855", "@x", "ខ្មែរ\nពីរបន្ទាត់"]]
    written = sheets.workbook(["a", "b", "c"], rows, "x")
    sheet = load_workbook(io.BytesIO(written)).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    assert read_file(written) == [(1, ["a", "b", "c"]), (2, ["=1+1", "", "0123"]), (3, ["+855", "@x", "ខ្មែរ\nពីរបន្ទាត់"])]


def test_a_long_text_that_every_cell_names_is_not_multiplied():
    names = {
        "_rels/.rels": '<R><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.xml"/></R>',
        "xl/workbook.xml": '<workbook xmlns:r="r"><sheets><sheet name="a" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<R><Relationship Id="r1" Type="x/worksheet" Target="s.xml"/>'
        '<Relationship Id="r2" Type="x/sharedStrings" Target="t.xml"/></R>',
        "xl/t.xml": f"<sst><si><t>{'a' * 100_000}</t></si></sst>",
        "xl/s.xml": "<s>" + '<row><c t="s"><v>0</v></c></row>' * 21 + "</s>",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in names.items():
            archive.writestr(name, text)
    with pytest.raises(Refused, match="list_too_large"):
        read_file(packed.getvalue())
