"""A pasted list of people: from a spreadsheet (tabs) or with commas or semicolons, with or without a heading line."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FIELDS = (
    "email",
    "titles",
    "family_name",
    "given_name",
    "name_km",
    "position_title",
    "institution",
    "language",
)
"""The columns in the order that holds where there is no heading line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the list: the line's number as people count, and its fields by name."""

    number: int
    fields: Mapping[str, str]


def rows_of(text: str, headings: Mapping[str, str]) -> tuple[Row, ...]:
    """The people of a pasted list. `headings` maps a heading in small letters to a field's name.

    A first line with two or more known headings says the columns; columns it does not know are left out. Empty lines
    are passed over and counted. Cells are trimmed; more cells than columns are left out too.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    read = list(csv.reader(io.StringIO(lines), delimiter=_delimiter(lines), skipinitialspace=True))
    first = next((cells for cells in read if _is_filled(cells)), [])
    named = [headings.get(cell.strip().casefold(), "") for cell in first]
    has_heading = len([name for name in named if name]) > 1
    columns = named if has_heading else list(FIELDS)
    found = []
    for number, cells in enumerate(read, start=1):
        if _is_filled(cells) and not (has_heading and cells is first):
            pairs = zip(columns, cells, strict=False)
            found.append(Row(number, {name: cell.strip() for name, cell in pairs if name}))
    return tuple(found)


def _is_filled(cells: Sequence[str]) -> bool:
    return any(cell.strip() for cell in cells)


def _delimiter(text: str) -> str:
    first = next((line for line in text.split("\n") if line.strip()), "")
    return max("\t;,", key=lambda sign: (first.count(sign) > 0, first.count(sign) if sign != "," else 0))
