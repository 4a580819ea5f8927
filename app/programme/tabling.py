"""The programme as a table: the working copy in rows that can be edited in a spreadsheet, and rows that were sent as
what sessions are to become. A cell that says what it said changes nothing, so the whole table can be sent back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.inputs import Language
from app.forum.models import Forum
from app.forum.queries import ForumPage, forum_id, forum_page
from app.kit.db import Db
from app.kit.errors import Fault, Invalid, Refused
from app.kit.i18n import LANGS, Bilingual, latin_digits, text_of
from app.kit.inputs import parse
from app.kit.sheets import MOST_COLUMNS, MOST_ROWS, Rows, is_formula, letter_of
from app.programme.altering import Alteration, Altered, Wanted, carry_out, foresee
from app.programme.drafting import states_of
from app.programme.inputs import AppearanceInput, SessionInput, SessionType, TypedSession
from app.programme.queries import speaker_names
from app.programme.remembering import Edit, State
from app.programme.rules.codes import CLOSED, next_code, series_of
from app.programme.rules.reading import Unreadable, day_in, guarded, hour_in, several_in, unguarded

WORDS = ("title", "abstract", "guiding_question")
PARTS = {"chair": "chair", "moderators": "moderator", "speakers": "speaker", "rapporteurs": "rapporteur"}
"""Column → the part of those named in it, in the order in which a changed cast is written."""
TIMES = ("date", "start", "end")
LISTS = ("tracks", "themes", "objectives", "spoken", "interpreted")
COLUMNS = (
    "code",
    "type",
    *(f"{name}_{lang}" for name in WORDS for lang in LANGS),
    *("tracks", "themes", "objectives", "facet", "room"),
    *TIMES,
    *PARTS,
    *("spoken", "interpreted", "attribution", "cancelled"),
)
"""The columns of the table, in their order."""
FACETS, RULES = ("traditional", "non-traditional", "both"), ("REC", "CHR", "CLO")
_ONE = ("type", "facet", "room", "attribution")
_LINES_ABOVE = 10
_YES, _NO = frozenset({"yes", "x", "1", "true", "✓"}), frozenset({"no", "0", "false"})
_COLUMN_OF = {"title": "title_en", "abstract": "abstract_en", "guiding_question": "guiding_question_en"}
_COLUMN_OF |= {"starts_at": "start", "ends_at": "end", "people": "speakers"}


@dataclass(frozen=True, slots=True)
class CellFault:
    """One thing wrong with a table: row from 1 and column letter as a spreadsheet shows them, the column's name in the
    catalogue, and what is wrong."""

    row: int
    letter: str
    column: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Table:
    """What a table says: what its sessions are to become, its faults, and the names of columns that are not taken."""

    wanted: tuple[Wanted, ...]
    faults: tuple[CellFault, ...]
    ignored: tuple[str, ...]
    alteration: Alteration | None
    """None where something is wrong."""


def headings() -> list[str]:
    """The names of the columns, each in both languages."""
    return [" / ".join(text_of(lang, f"tables.column.{name}") for lang in LANGS) for name in COLUMNS]


def rows_of(db: Db, forum: Forum) -> list[list[str]]:
    """The working copy as rows, in the order of the programme; cells that would be computed are guarded."""
    drafts = [state.draft for state in states_of(db, forum_id(forum)).values()]
    drafts.sort(key=lambda draft: (draft.starts_at is None, draft.starts_at or 0, draft.code))
    zone = ZoneInfo(forum.timezone)
    return [[guarded(text) for text in cells_of(draft, zone).values()] for draft in drafts]


def cells_of(draft: SessionInput, zone: ZoneInfo) -> dict[str, str]:
    """A session as plain texts by column."""
    cells = {"code": draft.code, "type": draft.type}
    for name in WORDS:
        text: Bilingual = getattr(draft, name) or Bilingual()
        cells |= {f"{name}_en": text.en, f"{name}_km": text.km}
    cells |= {
        name: "; ".join(str(each) for each in getattr(draft, name)) for name in ("tracks", "themes", "objectives")
    }
    cells |= {"facet": draft.facet or "", "room": draft.room or ""}
    cells |= _times(draft, zone)
    for column, role in PARTS.items():
        cells[column] = "; ".join(part.speaker for part in draft.people if part.role == role)
    cells |= {name: "; ".join(getattr(draft, name)) for name in ("spoken", "interpreted")}
    return cells | {"attribution": draft.attribution or "", "cancelled": "yes" if draft.cancelled else ""}


def _times(draft: SessionInput, zone: ZoneInfo) -> dict[str, str]:
    if draft.starts_at is None or draft.ends_at is None:
        return dict.fromkeys(TIMES, "")
    start, end = draft.starts_at.astimezone(zone), draft.ends_at.astimezone(zone)
    form = "%H:%M" if start.date() == end.date() else "%Y-%m-%d %H:%M"
    return {"date": start.date().isoformat(), "start": start.strftime("%H:%M"), "end": end.strftime(form)}


def look_at(db: Db, forum: Forum, rows: Rows) -> Table:
    """Read a table and what it would change. Writes nothing; as many queries however long it is.

    Raises Refused where there is no line with the names of columns, or two columns mean the same.
    """
    own = forum_id(forum)
    states = states_of(db, own)
    reader = _Reader(forum_page(db, forum.slug), speaker_names(db, own), states)
    header, names, ignored = _header(rows)
    reader.letters = {name: letter_of(place) for place, name in names.items()}
    for number, cells in rows[header + 1 :]:
        reader.read(number, {name: cells[place] if place < len(cells) else "" for place, name in names.items()})
    if not reader.wanted and not reader.faults:
        raise Refused("table_empty")
    wanted = reader.coded()
    if reader.faults:
        return Table(wanted, tuple(reader.faults), ignored, None)
    return Table(wanted, (), ignored, foresee(db, forum, wanted, states=states))


def import_table(db: Db, by: Actor, forum: Forum, rows: Rows, *, mark: str, now: datetime, reason: str = "") -> Altered:
    """Bring sessions to what a table says that was looked at; those it does not name stay as they are.

    Raises as `look_at` and `altering.carry_out`; Refused("table_faulty") where something in it is wrong by now.
    """
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    seen = look_at(db, forum, rows).alteration
    if seen is None:
        raise Refused("table_faulty")
    return carry_out(db, by, forum, seen, Edit.IMPORTED, mark=mark, now=now, reason=reason)


def _header(rows: Rows) -> tuple[int, dict[int, str], tuple[str, ...]]:
    """Which row names the columns, place → column, and the names that mean none."""
    known = _known_headings()
    for at, (_, cells) in enumerate(rows[:_LINES_ABOVE]):
        found = {place: name for place, cell in enumerate(cells) if (name := known.get(_plain(cell)))}
        if {"code", "title_en", "title_km"} & set(found.values()):
            for name in found.values():
                if list(found.values()).count(name) > 1:
                    raise Refused("table_column_twice", column=headings()[COLUMNS.index(name)])
            if len(cells) > MOST_COLUMNS:
                raise Refused("table_too_wide", most=MOST_COLUMNS)
            if len(rows) - at - 1 > MOST_ROWS:
                raise Refused("table_too_long", most=MOST_ROWS)
            return at, found, tuple(cell for place, cell in enumerate(cells) if place not in found and cell)
    raise Refused("table_no_header")


def _known_headings() -> dict[str, str]:
    both = dict(zip((_plain(text) for text in headings()), COLUMNS, strict=True))
    each = {_plain(text_of(lang, f"tables.column.{name}")): name for lang in LANGS for name in COLUMNS}
    return {name: name for name in COLUMNS} | each | both


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _text_in(cell: str) -> str:
    """A cell as it is compared and read: one kind of line break, no guard."""
    return unguarded(cell).replace("\r\n", "\n").replace("\r", "\n").strip()


Choices = dict[str, set[Any]]
"""What may be written, in small letters → what it stands for; several where that is not clear."""


@dataclass(slots=True)
class _Reader:
    """Reads rows of one forum's table one after the other."""

    page: ForumPage
    speakers: Mapping[str, Bilingual]
    states: Mapping[str, State]
    letters: Mapping[str, str] = field(default_factory=dict)
    wanted: list[Wanted] = field(default_factory=list)
    faults: list[CellFault] = field(default_factory=list)
    _seen: dict[str, int] = field(default_factory=dict)
    _codeless: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    _by_code: dict[str, State] = field(init=False)
    _choices: dict[str, Choices] = field(init=False)
    _zone: ZoneInfo = field(init=False)
    _days: Collection[date] = field(init=False)

    def __post_init__(self) -> None:
        self._by_code = {state.draft.code: state for state in self.states.values()}
        self._zone = ZoneInfo(self.page.forum.timezone)
        self._choices = _choices(self.page, self.speakers)
        self._days = _days_of(self.page.forum)

    def read(self, row: int, cells: Mapping[str, str]) -> None:
        """One row: what its session is to become, or what is wrong with it."""
        told = len(self.faults)
        code = _text_in(cells.get("code", "")).upper()
        state = self._by_code.get(code)
        if code in self._seen:
            self._wrong(row, "code", Fault("code", "twice_in_table", {"row": self._seen[code]}))
            return
        if code:
            self._seen[code] = row
        now = cells_of(state.draft, self._zone) if state else {}
        sent = {name: _text_in(cell) for name, cell in cells.items()}
        changed = {name for name, text in sent.items() if text != now.get(name, "") and name != "code"}
        if state is None:
            changed |= {"type", "title_en", "title_km"}
        for name in sorted(changed, key=COLUMNS.index):
            if is_formula(cells.get(name, "")):
                self._wrong(row, name, Fault(name, "formula"))
        if state is not None and not changed:
            self.wanted.append(Wanted(state.uid, state, state.draft, row))
            return
        values = self._values(row, {**now, **sent, "code": code}, changed, state)
        if len(self.faults) > told:
            return
        draft = self._draft(row, values, changed if state else {*changed, "code"}, coded=bool(code))
        if draft is None:
            return
        if code:
            self.wanted.append(Wanted(state.uid if state else "", state, draft, row))
        else:
            self._codeless.append((row, {name: getattr(draft, name) for name in SessionInput.model_fields}))
            self.wanted.append(Wanted("", None, draft, row))

    def coded(self) -> tuple[Wanted, ...]:
        """What is wanted, each session without a code with the next free one of its day's series."""
        codes = [*self._by_code, *(code for code in self._seen if code not in self._by_code)]
        suggested: dict[int, str] = {}
        for row, values in self._codeless:
            if values["attribution"] == "CLO":
                code = next_code(codes, CLOSED)
            else:
                code = next_code(codes, series_of(self._codes_on(values["starts_at"]), self._series(values)))
            suggested[row] = code
            codes.append(code)
        return tuple(
            Wanted(
                one.uid,
                one.before,
                one.after.model_copy(update={"code": suggested[one.row]}),
                one.row,
                (Fault("code", "code_suggested", {"code": suggested[one.row]}),),
            )
            if one.after and one.row in suggested
            else one
            for one in self.wanted
        )

    def _codes_on(self, start: datetime | None) -> list[str]:
        on = self._local_day(start)
        return [code for code, state in self._by_code.items() if on and self._local_day(state.draft.starts_at) == on]

    def _series(self, values: Mapping[str, Any]) -> str:
        on, first = self._local_day(values["starts_at"]), self.page.forum.starts_on
        return f"D{(on - first).days + 1}-" if on and first and on >= first else "S-"

    def _local_day(self, at: datetime | None) -> date | None:
        return at.astimezone(self._zone).date() if at else None

    def _wrong(self, row: int, column: str, fault: Fault) -> None:
        self.faults.append(CellFault(row, self.letters.get(column, ""), column, fault))

    def _values(
        self, row: int, sent: Mapping[str, str], changed: AbstractSet[str], state: State | None
    ) -> dict[str, Any]:
        """A session's fields: as they stand where nothing differs, else as they are written."""
        if state:
            values = {name: getattr(state.draft, name) for name in SessionInput.model_fields}
        else:
            values = {"code": sent["code"] or "X-1", "type": sent.get("type", "") or "panel", "title": Bilingual()}
        for name in WORDS:
            if {f"{name}_{lang}" for lang in LANGS} & changed:
                values[name] = self._words(row, name, sent)
        for name in _ONE:
            if name in changed:
                values[name] = self._one(row, name, sent.get(name, ""))
        for name in LISTS:
            if name in changed:
                found = (self._one(row, name, each) for each in several_in(latin_digits(sent[name])))
                values[name] = tuple(dict.fromkeys(each for each in found if each is not None))
        if changed & set(TIMES):
            values |= self._when(row, {name: latin_digits(sent.get(name, "")) for name in TIMES})
        if changed & PARTS.keys():
            values["people"] = self._people(row, sent)
        if "cancelled" in changed:
            values["cancelled"] = self._yes(row, "cancelled", sent["cancelled"])
        return values

    def _words(self, row: int, name: str, sent: Mapping[str, str]) -> Bilingual | None:
        text = Bilingual(*(sent.get(f"{name}_{lang}", "") for lang in LANGS))
        if name != "title" and not text.en and not text.km:
            return None
        for lang in LANGS:
            if not getattr(text, lang):
                self._wrong(row, f"{name}_{lang}", Fault(name, "both_languages"))
        return text

    def _one(self, row: int, name: str, text: str) -> Any:
        """What a word stands for; None for none, and where it stands for nothing, which is a fault."""
        if not text:
            if name == "type":
                self._wrong(row, name, Fault(name, "missing"))
            return None
        found = self._choices[name].get(_plain(text), set())
        if len(found) != 1:
            code = "word_two_ways" if found else "not_known_word"
            self._wrong(row, name, Fault(name, code, {"word": text[:60]}))
            return None
        (value,) = found
        return value

    def _people(self, row: int, sent: Mapping[str, str]) -> tuple[AppearanceInput, ...]:
        found = []
        for column, role in PARTS.items():
            named = (self._one(row, column, each) for each in several_in(sent.get(column, "")))
            found += [AppearanceInput(speaker=who, role=role) for who in dict.fromkeys(named) if who]  # type: ignore[arg-type]
        return tuple(found)

    def _yes(self, row: int, name: str, text: str) -> bool:
        plain = _plain(text)
        if plain in _YES | {_plain(text_of(lang, "editor.yes")) for lang in LANGS}:
            return True
        if plain and plain not in _NO:
            self._wrong(row, name, Fault(name, "not_yes_or_no"))
        return False

    def _when(self, row: int, sent: Mapping[str, str]) -> dict[str, datetime | None]:
        """A session's times in UTC, as they are written on the forum's clocks."""
        times: dict[str, datetime | None] = {"starts_at": None, "ends_at": None}
        if not any(sent.values()):
            return times
        if missing := [name for name in TIMES if not sent[name]]:
            for name in missing:
                self._wrong(row, name, Fault(name, "missing"))
            return times
        try:
            column = "date"
            on = day_in(sent["date"], self._days)
            for column, name in (("start", "starts_at"), ("end", "ends_at")):
                times[name] = self._instant(sent[column], on)
        except Unreadable as unreadable:
            self._wrong(row, column, Fault(column, unreadable.code))
        return times

    def _instant(self, text: str, on: date) -> datetime:
        """An hour of this day, or of the day written before it. Raises Unreadable."""
        if text in {"24:00", "24:00:00"}:
            return self._at(on + timedelta(days=1), time())
        day_text, _, hour_text = text.replace("T", " ").rpartition(" ")
        if not day_text or not day_text[0].isdigit() or ":" in day_text:
            return self._at(on, hour_in(text))
        return self._at(day_in(day_text, self._days), hour_in(hour_text))

    def _at(self, on: date, hour: time) -> datetime:
        local = datetime.combine(on, hour, self._zone)
        at = local.astimezone(UTC)
        if at.astimezone(self._zone).replace(tzinfo=None) != local.replace(tzinfo=None):
            raise Unreadable("no_such_hour")
        return at

    def _draft(
        self, row: int, values: Mapping[str, Any], changed: AbstractSet[str], *, coded: bool
    ) -> SessionInput | None:
        """The session, if what was written may be so; what stands already is not judged by the table's limits."""
        try:
            typed = parse(TypedSession, values)
            return SessionInput.model_validate({name: getattr(typed, name) for name in SessionInput.model_fields})
        except Invalid as invalid:
            wrong = [
                (fault, _COLUMN_OF.get(name, name)) for fault in invalid.faults for name in [fault.field.split(".")[0]]
            ]
        told = len(self.faults)
        for fault, column in wrong:
            twin = column.replace("_en", "_km") if column.removesuffix("_en") in WORDS else column
            at = next((name for name in (column, twin) if name in changed), "")
            if column == "speakers":
                at = next((name for name in PARTS if name in changed), "")
            if at and (coded or column != "code"):
                self._wrong(row, at, fault)
        return None if len(self.faults) > told else parse(SessionInput, values)


def _days_of(forum: Forum) -> list[date]:
    if not forum.starts_on or not forum.ends_on:
        return []
    return [forum.starts_on + timedelta(days=number) for number in range((forum.ends_on - forum.starts_on).days + 1)]


def _choices(page: ForumPage, speakers: Mapping[str, Bilingual]) -> dict[str, Choices]:
    """What may be written in each column of chosen things: the code, or the words in either language."""
    languages = _worded(get_args(Language), "programme.language")
    people = _named((code, code, name) for code, name in speakers.items())
    return {
        "type": _worded(get_args(SessionType), "programme.type"),
        "facet": _worded(FACETS, "programme.facets"),
        "attribution": _worded(RULES, "editor.attribution"),
        "room": _named((room.code, room.code, room.name) for room in page.rooms.values()),
        "tracks": _named((track.code, track.code, track.short_title) for track in page.tracks),
        "themes": _named((slug, slug, title) for track in page.tracks for slug, title in track.themes),
        "objectives": {str(number): {number} for number, _ in page.objectives},
        "spoken": languages,
        "interpreted": languages,
        **dict.fromkeys(PARTS, people),
    }


def _worded(values: Sequence[str], key: str) -> Choices:
    return _named((value, value, Bilingual(*(text_of(lang, f"{key}.{value}") for lang in LANGS))) for value in values)


def _named(named: Iterable[tuple[Any, str, Bilingual]]) -> Choices:
    """A thing by its code and its name in either language; its code comes before another's name."""
    things = list(named)
    found: Choices = {}
    for value, _, name in things:
        for text in (name.en, name.km):
            if text:
                found.setdefault(_plain(text), set()).add(value)
    return found | {_plain(code): {value} for value, code, _ in things}
