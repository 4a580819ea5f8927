"""Tables as files that spreadsheet programs open: CSV, and XLSX with real numbers and dates."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

Cell = str | int | float | date | datetime | None
"""What stands in a table: texts, numbers, days, and instants as the wall clock of the place showed them (no zone)."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NARROWEST, _WIDEST = 8, 60
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What no workbook may hold (XML 1.0 §2.2)."""
_LONGEST = 32_767
"""The letters a cell of a workbook may have."""


def as_csv(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A table as CSV (RFC 4180) in UTF-8 with its mark: without it some programs garble Khmer.

    A text that a program would take for a formula begins with an apostrophe, so that nobody's text is computed.
    """
    text = io.StringIO(newline="")
    written = csv.writer(text)
    written.writerow(headings)
    written.writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_workbook(
    headings: Sequence[str], rows: Iterable[Sequence[Cell]], title: str, above: Sequence[str] = ()
) -> bytes:
    """A table as an XLSX workbook of one sheet: its headings stay in sight, columns are as wide as what is in them.

    Texts are texts and none a formula; numbers, days and instants are the program's own. `above` are lines over the
    headings. What no workbook may hold is left out of a text.
    """
    # a library that the API, which is read by each process, needs only where somebody takes a workbook
    from openpyxl import Workbook  # noqa: PLC0415 - as said above
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415 - as said above
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - as said above

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "".join(letter for letter in title if letter not in "[]:*?/\\")[:31] or "1"
    for number, line in enumerate(above, 1):
        _write(sheet.cell(row=number, column=1), line).font = Font(bold=number == 1)
    top = len(above) + 1 if above else 0
    widths = [len(heading) + 2 for heading in headings]
    for place, heading in enumerate(headings, 1):
        cell = _write(sheet.cell(row=top + 1, column=place), heading)
        cell.font, cell.alignment = Font(bold=True), Alignment(vertical="top", wrap_text=True)
    last = top + 1
    for last, row in enumerate(rows, top + 2):
        for place, value in enumerate(row, 1):
            if value is not None and value != "":
                _write(sheet.cell(row=last, column=place), value)
                widths[place - 1] = max(widths[place - 1], _width(value))
    for place, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(place)].width = min(max(width, _NARROWEST), _WIDEST)
    sheet.freeze_panes = f"A{top + 2}"
    if headings:
        sheet.auto_filter.ref = f"A{top + 1}:{get_column_letter(len(headings))}{last}"
        sheet.print_title_rows = f"{top + 1}:{top + 1}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage = 0, True
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _write(cell: Any, value: Cell) -> Any:
    if isinstance(value, str):
        cell.value = _ILLEGAL.sub("", value)[:_LONGEST]
        cell.data_type, cell.number_format = "s", "@"
        if len(value) > _WIDEST or "\n" in value:
            from openpyxl.styles import Alignment  # noqa: PLC0415 - as in `as_workbook`

            cell.alignment = Alignment(vertical="top", wrap_text=True)
        return cell
    cell.value = value
    if isinstance(value, datetime):
        cell.number_format = "yyyy-mm-dd hh:mm"
    elif isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"
    return cell


def _width(value: Cell) -> int:
    if isinstance(value, str):
        return max(map(len, value.splitlines()), default=0) + 2
    return 18 if isinstance(value, datetime) else 12


def _plain(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M")
    if not isinstance(cell, str):
        return "" if cell is None else str(cell)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
