"""Tables as files that spreadsheet programs open."""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table as CSV (RFC 4180) in UTF-8 with its mark: without it some programs garble Khmer.

    A cell that a program would take for a formula begins with an apostrophe, so that nobody's text is computed.
    """
    text = io.StringIO(newline="")
    written = csv.writer(text)
    written.writerow(headings)
    written.writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
