"""The first sheet of an XLSX workbook as rows of values (ECMA-376 part 1 §18), read as something sent by anybody.

Twenty kilobytes can unpack to millions of cells, and a workbook's parts can be made to multiply each other. So the
parts are read one after the other, each once, and nothing is kept but the values of the cells that are asked for.
"""

import io
import re
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from posixpath import dirname, join, normpath, split
from typing import Any
from xml.parsers import expat

from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from app.kit.errors import Refused

MOST_UNPACKED = 5_000_000
"""Bytes of all parts: a list of a thousand people with forty columns unpacks to some four million."""
MOST_PARTS = 200
MOST_CELLS = 60_000
"""Cells, rows and shared texts, together: a full list of forty columns has forty thousand cells."""
MOST_ELEMENTS = 400_000
"""All that stands in tags in the parts that are read."""
_LAST_ROW = 1_048_576
_AT_ONCE = 65_536
_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""The numbers of formats of dates and times that every program knows (§18.8.30)."""
_NOT_FOR_DATES = re.compile(r'"[^"]*"?|\[[^\]]*\]?|[\\_*].')
"""What is written out in a format: quoted words, brackets, signs after a mark."""

Values = list[Any]
"""A row's values from its first column on: a text, a number, True or False, a date or time; None for an empty cell."""


def rows_of(body: bytes, columns: int) -> Iterator[tuple[int, Values]]:
    """Number, from 1, and the first `columns` values of every row of the first sheet that has cells, in their order.

    A formula is its own text, as far as the file has it, behind an equals sign. Raises Refused("list_overfull") where
    the workbook holds more than a list of people needs; whatever else is wrong raises some other exception.
    """
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        # zipfile reads no more of a part than its announced size, so this bounds what is unpacked
        parts = archive.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise _overfull()
        reader = _Reader(archive)
        book = reader.related("", "officeDocument").get("", "xl/workbook.xml")
        sheet, is_mac = reader.first_sheet(book)
        texts = reader.shared_texts(reader.related(book, "sharedStrings").get(""))
        dates = reader.date_styles(reader.related(book, "styles").get(""))
        cells = _Cells(columns, texts, dates, CALENDAR_MAC_1904 if is_mac else CALENDAR_WINDOWS_1900)
        yield from reader.run(sheet, cells)


def _overfull() -> Refused:
    return Refused("list_overfull", most=MOST_CELLS)


class _Part:
    """What looks at one part as it is read: elements as they open and close, by their plain names."""

    keeps: frozenset[str] = frozenset()
    """The names of the elements whose text is wanted."""

    def opened(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def closed(self, name: str, text: str) -> None:
        """An element ends; its text, where it is wanted."""

    def ready(self) -> list[Any]:
        """What is there since the last time."""
        return []


class _Reader:
    """Runs parts through one parser each; counts over all of them together."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.elements = 0
        self.cells = 0

    def run(self, path: str, part: _Part) -> Iterator[Any]:
        """What `part` makes of the part at `path`, as soon as it is there. Raises KeyError where there is none."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        kept: list[str] = []

        def opened(name: str, attributes: dict[str, str]) -> None:
            plain = name.rpartition(" ")[2]
            self.elements += 1
            self.cells += plain in {"c", "row", "si"}
            if self.elements > MOST_ELEMENTS or self.cells > MOST_CELLS:
                raise _overfull()
            part.opened(plain, attributes)
            kept.clear()
            parser.CharacterDataHandler = kept.append if plain in part.keeps else None

        def closed(name: str) -> None:
            parser.CharacterDataHandler = None
            part.closed(name.rpartition(" ")[2], "".join(kept))
            kept.clear()

        parser.StartElementHandler, parser.EndElementHandler = opened, closed
        parser.StartDoctypeDeclHandler = _has_document_type
        with self.archive.open(path) as body:
            while piece := body.read(_AT_ONCE):
                parser.Parse(piece)
                yield from part.ready()
        parser.Parse(b"", True)
        yield from part.ready()

    def related(self, path: str, kind: str) -> dict[str, str]:
        """The parts that the part at `path` names as of this kind: id → path; the first of them under "" too."""
        folder, name = split(path)
        found = _Found("Relationship")
        try:
            self._all(join(folder, "_rels", f"{name}.rels"), found)
        except KeyError:
            return {}
        targets: dict[str, str] = {}
        for one in found.met:
            if one.get("Type", "").endswith(f"/{kind}"):
                target = normpath(join("/", dirname(path), one["Target"])).lstrip("/")
                targets[one.get("Id", "")] = target
                targets.setdefault("", target)
        return targets

    def first_sheet(self, book: str) -> tuple[str, bool]:
        """The path of a workbook's first sheet of cells, and whether its days are counted from 1904."""
        found, said = _Found("sheet"), _Found("workbookPr")
        self._all(book, _Both(found, said))
        paths = self.related(book, "worksheet")
        ids = (value for one in found.met for name, value in one.items() if name.endswith(" id"))
        sheet = next(paths[key] for key in ids if key in paths)
        return sheet, any(one.get("date1904") in {"1", "true"} for one in said.met)

    def shared_texts(self, path: str | None) -> list[str]:
        """The texts that cells name by their number."""
        if path is None:
            return []
        texts = _Texts()
        self._all(path, texts)
        return texts.found

    def date_styles(self, path: str | None) -> frozenset[int]:
        """The numbers of the cell styles that show a number as a date or a time."""
        if path is None:
            return frozenset()
        styles = _Styles()
        self._all(path, styles)
        return frozenset(place for place, number in enumerate(styles.formats) if number in styles.dates)

    def _all(self, path: str, part: _Part) -> None:
        """Read a part to its end; it keeps what it needs itself."""
        deque(self.run(path, part), maxlen=0)


def _has_document_type(*_declared: object) -> None:
    raise ValueError("workbooks have no document type, and its entities grow without end")


class _Found(_Part):
    """The attributes of every element of one name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.met: list[Mapping[str, str]] = []

    def opened(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == self.name:
            self.met.append(attributes)


class _Both(_Part):
    def __init__(self, *parts: _Part) -> None:
        self.parts = parts

    def opened(self, name: str, attributes: Mapping[str, str]) -> None:
        for part in self.parts:
            part.opened(name, attributes)


class _Texts(_Part):
    """Shared texts; a text of several runs is one, how it is pronounced (rPh) is none of it (§18.4.8)."""

    keeps = frozenset({"t"})

    def __init__(self) -> None:
        self.found: list[str] = []
        self.runs: list[str] = []
        self.aside = False

    def opened(self, name: str, _attributes: Mapping[str, str]) -> None:
        if name == "si":
            self.runs = []
        elif name == "rPh":
            self.aside = True

    def closed(self, name: str, text: str) -> None:
        if name == "rPh":
            self.aside = False
        elif name == "t" and not self.aside:
            self.runs.append(text)
        elif name == "si":
            self.found.append("".join(self.runs))


class _Styles(_Part):
    """The formats of cells: `formats[style]` is the number of a format, `dates` those of dates and times."""

    def __init__(self) -> None:
        self.formats: list[int] = []
        self.dates = set(_DATES)
        self.in_cells = False

    def opened(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "cellXfs":
            self.in_cells = True
        elif name == "xf" and self.in_cells:
            self.formats.append(int(attributes.get("numFmtId", 0)))
        elif name == "numFmt":
            code = _NOT_FOR_DATES.sub("", attributes.get("formatCode", "").partition(";")[0])
            self.dates.discard(number := int(attributes["numFmtId"]))
            if re.search("[dmhysDMHYS]", code):
                self.dates.add(number)

    def closed(self, name: str, _text: str) -> None:
        if name == "cellXfs":
            self.in_cells = False


class _Cells(_Part):
    """A sheet's rows (§18.3.1.73). Their cells are counted on where they do not say where they stand."""

    keeps = frozenset({"v", "t", "f"})

    def __init__(self, columns: int, texts: list[str], dates: frozenset[int], epoch: datetime) -> None:
        self.columns, self.texts, self.dates, self.epoch = columns, texts, dates, epoch
        self.rows: list[tuple[int, Values]] = []
        self.number = self.column = 0
        self.row: Values = []
        self.cell: Mapping[str, str] = {}
        self.runs: list[str] = []
        self.formula: str | None = None
        self.aside = False

    def opened(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "row":
            self.number = int(attributes.get("r", self.number + 1))
            if not 0 < self.number <= _LAST_ROW:
                raise ValueError("not the number of a row")
            self.column, self.row = 0, []
        elif name == "c":
            self.cell, self.runs, self.formula = attributes, [], None
            self.column = _column(attributes["r"]) if "r" in attributes else self.column + 1
        elif name == "rPh":
            self.aside = True

    def closed(self, name: str, text: str) -> None:
        if name in {"v", "t"} and not self.aside:
            self.runs.append(text)
        elif name == "f":
            self.formula = text
        elif name == "rPh":
            self.aside = False
        elif name == "c" and self.column <= self.columns:
            value = self._value()
            if value is not None:
                self.row += [None] * (self.column - len(self.row))
                self.row[self.column - 1] = value
        elif name == "row":
            self.rows.append((self.number, self.row))

    def _value(self) -> Any:
        if self.formula is not None:
            return f"={self.formula}"
        value, kind = "".join(self.runs), self.cell.get("t", "n")
        if kind == "s" and value:
            return self.texts[int(value)]
        if kind == "b" and value:
            return value.strip() in {"1", "true"}
        return (self._number(value) if kind == "n" else value) if value else None

    def _number(self, value: str) -> Any:
        number = float(value) if set(value) & set(".eE") else int(value)
        if int(self.cell.get("s", 0)) not in self.dates:
            return number
        try:
            return from_excel(number, self.epoch)
        except (OverflowError, ValueError):
            return "#VALUE!"

    def ready(self) -> list[tuple[int, Values]]:
        rows, self.rows = self.rows, []
        return rows


def _column(reference: str) -> int:
    """The number, from 1, of the column in a cell's reference such as AB12. Raises ValueError."""
    letters = reference.rstrip("0123456789")
    if not (0 < len(letters) <= 3 and letters.isascii() and letters.isalpha()):
        raise ValueError("not the reference of a cell")
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
