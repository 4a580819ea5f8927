"""A list of delegates: rows of texts become people to name, or faults by row and column. Nothing is written here."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.kit.errors import Invalid, Refused
from app.kit.i18n import LANGS, latin_digits, text_of
from app.kit.inputs import parse
from app.kit.sheets import MOST_COLUMNS, MOST_ROWS, Rows, is_formula, letter_of
from app.registration.delegation_inputs import DelegateInput
from app.registration.rules.names import normal_name
from app.registration.same_person import Identity

COLUMNS = (
    "titles",
    "family_name",
    "given_name",
    "name_km",
    "display_name",
    "position_title",
    "institution",
    "country",
    "email",
    "phone",
    "language",
    "attends_as",
    "heads",
)
"""The columns of a list, in the order of the empty one."""
_NAMES = frozenset({"family_name", "name_km"})
_LINES_ABOVE = 10
_SPARE = 10
"""People in a list beyond the seats without a name."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """One thing wrong with a list: row from 1 and column letter as a spreadsheet shows them, a code and its values."""

    row: int
    column: str
    field: str
    code: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delegate:
    """A row that can be taken: its number, the fields as read (to be sent again on acceptance), and the input."""

    row: int
    fields: Mapping[str, str]
    person: DelegateInput


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list says: its people, its faults by row and column, and the names of columns that are not taken."""

    people: tuple[Delegate, ...]
    faults: tuple[RowFault, ...]
    ignored: tuple[str, ...]
    letters: Mapping[str, str]
    """Field → column letter."""


def most_people(unnamed: int) -> int:
    """How many people a list may have for so many seats without a name: some more, so that it can be told which is too
    many, but not any number, as each is looked up among the registered."""
    return min(MOST_ROWS, unnamed + _SPARE)


def read_list(
    rows: Rows,
    unnamed: int,
    institution: str,
    country_names: Callable[[str], Mapping[str, str]],
    identity_of: Callable[[DelegateInput], Identity],
    registered: Callable[[list[Identity]], Collection[str]],
) -> Listing:
    """Read a list of people for a delegation of `institution` with so many unnamed seats.

    `country_names(lang)` maps codes to names; `identity_of` tells a person from others, and `registered`
    says which of their marks registrations have. Raises Refused: `list_no_header`, `list_column_twice`,
    `list_beyond_seats`, `list_empty`.
    """
    at, columns, ignored = _header(rows)
    letters = {field: letter_of(place) for place, field in columns.items()}
    body = rows[at + 1 :]
    if not body:
        raise Refused("list_empty")
    if len(body) > most_people(unnamed):
        raise Refused("list_beyond_seats", rows=len(body), seats=unnamed, most=most_people(unnamed))
    width = len(rows[at][1])
    people: list[Delegate] = []
    faults: list[RowFault] = []
    for number, cells in body:
        found = _Row(number, letters)
        fields = found.fields(cells, columns, width, _countries(country_names))
        fields["institution"] = fields.get("institution") or institution
        try:
            person = parse(DelegateInput, fields)
        except Invalid as invalid:
            for fault in invalid.faults:
                found.add(fault.field.split(".")[0], fault.code, fault.values)
        else:
            if not found.faults:
                people.append(Delegate(number, fields, person))
        faults += found.faults.values()
    faults += _between_rows(people, letters, identity_of, registered)
    faults.sort(key=lambda fault: (fault.row, len(fault.column), fault.column))
    return Listing(tuple(people), tuple(faults), ignored, letters)


def _between_rows(
    people: list[Delegate],
    letters: Mapping[str, str],
    identity_of: Callable[[DelegateInput], Identity],
    registered: Callable[[list[Identity]], Collection[str]],
) -> Iterable[RowFault]:
    """What is wrong only beside other rows, or beside what is registered."""
    known = [identity_of(one.person) for one in people]
    there = frozenset(registered(known))
    first: dict[str, int] = {}
    head = 0
    for one, who in zip(people, known, strict=True):
        found = _Row(one.row, letters)
        named = "email" if one.person.email else "family_name" if one.person.family_name else "name_km"
        if before := [first[mark] for mark in who.marks if mark in first]:
            found.add(named, "twice_in_list_row", {"row": min(before)})
        elif who.marks & there:
            found.add(named, "member_registered")
        if one.person.heads and head:
            found.add("heads", "head_twice", {"row": head})
        for mark in who.marks:
            first.setdefault(mark, one.row)
        head = head or (one.row if one.person.heads else 0)
        yield from found.faults.values()


class _Row:
    """The faults of one row, one for each column at most."""

    def __init__(self, number: int, letters: Mapping[str, str]) -> None:
        self.number = number
        self.letters = letters
        self.faults: dict[str, RowFault] = {}

    def add(self, field: str, code: str, values: Mapping[str, Any] | None = None, column: str = "") -> None:
        letter = (
            column
            or self.letters.get(field)
            or next((self.letters[n] for n in sorted(_NAMES & self.letters.keys())), "")
        )
        self.faults.setdefault(letter, RowFault(self.number, letter, field, code, values or {}))

    def fields(
        self, cells: list[str], columns: Mapping[int, str], width: int, countries: Mapping[str, str]
    ) -> dict[str, str]:
        """The row's fields, words of choice as their values; what cannot be one is a fault and left out."""
        fields: dict[str, str] = {}
        for place, cell in enumerate(cells):
            field = columns.get(place)
            if field is None:
                if place >= width and cell:
                    self.add("", "beyond_header", column=letter_of(min(place, MOST_COLUMNS)))
                continue
            if is_formula(cell):
                self.add(field, "formula")
            elif not cell:
                continue
            elif field in {"attends_as", "heads", "language"}:
                chosen = _choices(field).get(_plain(cell))
                if chosen is None:
                    self.add(field, f"unknown_{field}")
                else:
                    fields[field] = chosen
            elif field == "country":
                code = countries.get(_plain(cell))
                if code is None:
                    self.add(field, "unknown_country")
                else:
                    fields[field] = code
            else:
                fields[field] = cell
        return fields


def _header(rows: Rows) -> tuple[int, dict[int, str], tuple[str, ...]]:
    """Which of the first rows names the columns, which column is what, and the names that are not known."""
    known = _headers()
    for at, (_, cells) in enumerate(rows[:_LINES_ABOVE]):
        columns = {place: known[_plain(cell)] for place, cell in enumerate(cells) if _plain(cell) in known}
        if not _NAMES & set(columns.values()):
            continue
        twice = [field for field in columns.values() if list(columns.values()).count(field) > 1]
        if twice:
            second = max(place for place, field in columns.items() if field == twice[0])
            raise Refused("list_column_twice", column=cells[second], letter=letter_of(second))
        ignored = tuple(cell for place, cell in enumerate(cells) if cell and place not in columns)
        return at, columns, ignored
    raise Refused("list_no_header")


def _plain(text: str) -> str:
    """A word as it is compared: without case, punctuation, invisible characters; digits in one script."""
    return normal_name(latin_digits(text)) or text.strip().casefold()


def _words(key: str) -> list[str]:
    """The words between commas under a key, in both languages."""
    return [word for lang in LANGS for word in text_of(lang, key).split(",")]


@cache
def _headers() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for field in COLUMNS:
        for word in (*_words(f"delegations.column.{field}"), *_words(f"delegations.also.{field}"), field):
            found.setdefault(_plain(word), field)
    return found


@cache
def _choices(field: str) -> Mapping[str, str]:
    """The words for each value of a column of choice."""
    values = {
        "attends_as": {"official": "official", "private": "private"},
        "heads": {"yes": "yes", "no": ""},
        "language": {"english": "en", "khmer": "km"},
    }
    return {
        _plain(word): value for name, value in values[field].items() for word in _words(f"delegations.words.{name}")
    }


@cache
def _countries(names: Callable[[str], Mapping[str, str]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for lang in LANGS:
        for code, name in names(lang).items():
            found[_plain(name)] = found[_plain(code)] = code
    return found
