"""Tables that people send: CSV and XLSX files and pasted text become rows of texts; and the empty ones they fill in.

Nothing of a file is trusted: not its name, its announced sizes, its dimensions or its formulas. What cannot be read
is refused with a reason, whatever it is.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from app.kit.errors import Refused

MOST_BYTES = 1_000_000
"""The longest file taken: below the usual limit of a request, so that this and not that is what is answered."""
MOST_ROWS = 1000
MOST_COLUMNS = 40
MOST_LETTERS = 2_000_000
"""Of all cells together: each of a workbook's may name the same long text, which is in the file only once."""
_DELIMITERS = "\t;,|"
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"

Rows = list[tuple[int, list[str]]]
"""Rows that hold something, with their numbers as a spreadsheet shows them, from 1."""


def read_file(body: bytes) -> Rows:
    """The rows of a file: the first sheet of an XLSX workbook, or a CSV text in UTF-8 or UTF-16.

    Raises Refused: `list_too_large`, `list_overfull`, `list_empty`, `list_too_long`, `old_office`, `list_encoding`,
    `list_unreadable`.
    """
    if len(body) > MOST_BYTES:
        raise Refused("list_too_large", most=MOST_BYTES // 1000)
    if body.startswith(_OLD_OFFICE):
        raise Refused("old_office")
    if body.startswith(b"PK\x03\x04"):
        return _workbook_rows(body)
    encoding = next((name for bom, name in _BOMS if body.startswith(bom)), "utf-8")
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        raise Refused("list_encoding") from None
    return read_text(text)


def read_text(text: str) -> Rows:
    """The rows of a pasted text: columns between tabs, semicolons, commas or bars, whichever its first line has most
    of. Raises Refused: `list_empty`, `list_too_long`, `list_unreadable`."""
    text = text.lstrip("\ufeff")
    if "\0" in text:
        raise Refused("list_unreadable")
    delimiter = _delimiter(text)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter != "\t")
    try:
        return _within_limits(enumerate(lines, 1))
    except csv.Error:
        raise Refused("list_unreadable") from None


def as_text(rows: Rows) -> str:
    """Rows as a text that `read_text` reads as the same rows with the same numbers: tabs between columns, empty lines
    where rows hold nothing. Only far apart rows move together, and line breaks in the first row become spaces."""
    far = bool(rows) and rows[-1][0] > 2 * MOST_ROWS
    lines: list[list[str]] = []
    for number, cells in rows:
        lines += [[]] * (0 if far else number - 1 - len(lines))
        lines.append(cells)
    place = next((at for at, cells in enumerate(lines) if cells), None)
    if place is not None:
        first = [" ".join(cell.split()) for cell in lines[place]]
        # the first line tells what stands between columns: more tabs in it than any other sign
        tabs = max(len(first), *(sum(cell.count(sign) for cell in first) + 1 for sign in _DELIMITERS))
        lines[place] = first + [""] * (tabs - len(first))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t").writerows(lines)
    return text.getvalue()


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=lambda sign: (first.count(sign), -_DELIMITERS.index(sign)))


def _within_limits(rows: Iterable[tuple[int, list[str]]]) -> Rows:
    kept: Rows = []
    letters = 0
    for number, cells in rows:
        letters += sum(map(len, cells))
        if letters > MOST_LETTERS:
            raise Refused("list_too_large", most=MOST_BYTES // 1000)
        trimmed = [cell.strip() for cell in cells]
        while trimmed and not trimmed[-1]:
            trimmed.pop()
        if trimmed:
            kept.append((number, trimmed[: MOST_COLUMNS + 1]))
        if len(kept) > MOST_ROWS + 10:  # a few lines may stand above the names of columns
            raise Refused("list_too_long", most=MOST_ROWS)
    if not kept:
        raise Refused("list_empty")
    return kept


def _workbook_rows(body: bytes) -> Rows:
    """The first sheet's rows. What a broken or hostile workbook makes the reader raise is one refusal."""
    from app.kit.workbooks import rows_of  # noqa: PLC0415 - brings openpyxl along: 0.1 s, for workbooks alone

    try:
        found = rows_of(body, MOST_COLUMNS + 1)
        return _within_limits((number, [_shown(value) for value in row]) for number, row in found)
    except Refused:
        raise
    except Exception:  # noqa: BLE001 - a file can break the reader in any way, and all of them are the file's fault
        raise Refused("list_unreadable") from None


def _shown(value: Any) -> str:
    """A cell as the text somebody would have typed; a formula stays its own text and is nothing else."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value) if isinstance(value, str | int | float) else "="


def is_formula(cell: str) -> bool:
    """Would a spreadsheet compute this, or has it failed to? Such a cell is nobody's name."""
    return cell.startswith("=") or cell in _FAILURES


_FAILURES = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"})


def letter_of(column: int) -> str:
    """The letter of a column, counted from 0, as a spreadsheet shows it."""
    place, letters = column + 1, ""
    while place:
        place, last = divmod(place - 1, 26)
        letters = chr(ord("A") + last) + letters
    return letters


def empty_csv(headers: Sequence[str]) -> bytes:
    """A CSV file with the names of the columns, in UTF-8 with its mark: without it some programs garble Khmer."""
    return csv_file(headers, ())


def csv_file(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The same with rows under them, whose texts are guarded already where a spreadsheet would compute them."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([headers, *rows])
    return text.getvalue().encode("utf-8-sig")


def empty_workbook(headers: Sequence[str], title: str) -> bytes:
    """An XLSX workbook with the names of the columns; all cells are texts, so a telephone number keeps its plus."""
    return workbook(headers, (), title)


def workbook(headers: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> bytes:
    """An XLSX workbook with these rows under the names of the columns, all of them texts: none is a formula."""
    from openpyxl import Workbook  # noqa: PLC0415 - 0.1 s, for workbooks alone
    from openpyxl.styles import Font  # noqa: PLC0415 - as above

    book = Workbook()
    sheet: Any = book.active
    sheet.title = title[:31]
    for place, header in enumerate(headers, 1):
        cell = sheet.cell(row=1, column=place, value=header)
        cell.font = Font(bold=True)
        column = sheet.column_dimensions[letter_of(place - 1)]
        column.width, column.number_format = max(14, len(header) + 4), "@"
        for row in range(2, max(52, len(rows) + 22)):
            sheet.cell(row=row, column=place).number_format = "@"
    for number, texts in enumerate(rows, 2):
        for place, text in enumerate(texts, 1):
            if text:
                cell = sheet.cell(row=number, column=place)
                cell.value, cell.data_type = text, "s"
    sheet.freeze_panes = "A2"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()
