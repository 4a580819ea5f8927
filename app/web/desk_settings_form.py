"""The forms of the settings: from a part as it stands to fields, and from what was sent to the part.

A text in both languages has two fields, `title_en` and `title_km`; what there are several of has its row in the name:
`aim-2-en`, `track-1-theme-3-slug`, `STU-letter`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from starlette.datastructures import FormData

from app.forum.inputs import Language
from app.forum.setting import State
from app.kit.errors import Answer, Fault, Invalid, Refused
from app.kit.i18n import LANGS, latin_digits
from app.kit.inputs import Input, parse
from app.registration.changing_settings import INPUTS
from app.registration.naming_groups import GROUPS

LANGUAGES: tuple[str, ...] = get_args(Language)
MORE_AIMS, MORE_TRACKS, MORE_THEMES = 2, 1, 2
"""Empty rows behind those there are."""
MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """A field of the form: what kind it is, its name, the name of its label and hint, and the language typed in it."""

    kind: str
    name: str
    text: str
    lang: str = ""
    required: bool = True
    hint: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Fields under one heading; `title` is what stands there already, "" for nothing yet."""

    name: str
    title: str = ""
    entries: tuple[Entry, ...] = ()
    inner: tuple["Block", ...] = field(default=())


def _pair(kind: str, name: str, text: str, *, required: bool = True, hint: bool = False) -> tuple[Entry, ...]:
    return tuple(
        Entry(kind, f"{name}_{lang}", f"{text}_{lang}", lang, required, hint and lang == LANGS[0]) for lang in LANGS
    )


_PLAIN: Mapping[str, tuple[Entry, ...]] = {
    "words": (
        *_pair("line", "format_label", "format_label", hint=True),
        *_pair("line", "title", "title"),
        *_pair("line", "short_title", "short_title", hint=True),
        *_pair("area", "summary", "summary", hint=True),
        *_pair("area", "central_question", "central_question"),
        *_pair("long", "about", "about", hint=True),
        *_pair("area", "participants", "participants"),
    ),
    "dates": (
        Entry("day", "starts_on", "starts_on", required=False, hint=True),
        Entry("day", "ends_on", "ends_on", required=False),
        Entry("short", "timezone", "timezone", hint=True),
        Entry("languages", "languages", "languages", hint=True),
    ),
    "place": (
        *_pair("line", "venue_name", "venue_name", required=False, hint=True),
        *_pair("area", "venue_address", "venue_address", required=False),
        *_pair("area", "venue_note", "venue_note", required=False, hint=True),
        Entry("short", "latitude", "latitude", required=False, hint=True),
        Entry("short", "longitude", "longitude", required=False),
    ),
    "contact": (
        *_pair("line", "office_name", "office_name", hint=True),
        Entry("line", "office_email", "office_email"),
        Entry("line", "office_phone", "office_phone", required=False),
        *_pair("area", "office_note", "office_note", required=False),
        Entry("line", "contact_name", "contact_name", required=False, hint=True),
        *_pair("line", "contact_role", "contact_role", required=False),
        Entry("area", "contact_phones", "contact_phones", required=False, hint=True),
    ),
    "standing": (
        Entry("tick", "public", "public", required=False, hint=True),
        Entry("tick", "featured", "featured", required=False, hint=True),
    ),
}


def blocks_of(part: str, fields: Mapping[str, Any], lang: str, state: State) -> list[Block]:
    """What the part's form asks, with as many rows as `fields` have and a few empty ones. A topic that stands already
    (`state`) is not asked for its address."""
    if part in _PLAIN:
        return [Block("", entries=_PLAIN[part])]
    if part == GROUPS:
        return [_group(code, fields, lang) for code in _codes(fields)]
    last = max(rows_in(fields, f"aim-{{}}_{each}") for each in LANGS)
    aims = [_aim(row) for row in range(1, last + 1 + MORE_AIMS)]
    tracks, known = rows_in(fields, "track-{}-code"), {track["code"] for track in state["tracks"]}
    return [
        Block("objectives", entries=tuple(entry for aim in aims for entry in aim)),
        *(_track(row, fields, lang, known) for row in range(1, tracks + 1 + MORE_TRACKS)),
    ]


def _aim(row: int) -> tuple[Entry, ...]:
    number = Entry("number", f"aim-{row}-number", "number", required=False)
    return number, *_pair("area", f"aim-{row}", "objective", required=False)


def _track(row: int, fields: Mapping[str, Any], lang: str, there: Collection[str]) -> Block:
    name = f"track-{row}"
    known = fields.get(f"{name}-code") in there
    slug = () if known else (Entry("short", f"{name}-slug", "slug", required=False, hint=True),)
    entries = (
        Entry("letter", f"{name}-code", "track_code", required=False, hint=not known),
        *slug,
        Entry("colour", f"{name}-colour", "colour", required=False),
        *_pair("line", f"{name}-title", "track_title", required=False),
        *_pair("line", f"{name}-short_title", "short_track_title", required=False),
    )
    themes = range(1, rows_in(fields, f"{name}-theme-{{}}-slug") + 1 + MORE_THEMES)
    inner = Block("themes", entries=tuple(entry for theme in themes for entry in _theme(f"{name}-theme-{theme}")))
    return Block("track", str(fields.get(f"{name}-title_{lang}", "")), entries, (inner,))


def _theme(name: str) -> tuple[Entry, ...]:
    slug = Entry("short", f"{name}-slug", "theme_slug", required=False)
    return slug, *_pair("line", f"{name}-title", "theme_title", required=False)


def _group(code: str, fields: Mapping[str, Any], lang: str) -> Block:
    entries = (
        Entry("letter", f"{code}-letter", "letter"),
        Entry("band", f"{code}-band", "band"),
        *_pair("line", f"{code}-name", "group_name"),
        *_pair("area", f"{code}-description", "group_description"),
    )
    return Block("group", str(fields.get(f"{code}-name_{lang}", "") or code), entries)


def _codes(fields: Mapping[str, Any]) -> list[str]:
    return [name.removesuffix("-letter") for name in fields if name.endswith("-letter")]


def rows_in(fields: Mapping[str, Any], name: str) -> int:
    """The last row in which such a field holds something."""
    return max((row for row in range(1, MOST_ROWS) if fields.get(name.format(row))), default=0)


def fields_of(part: str, state: State) -> dict[str, str | Sequence[str]]:
    """A part as it stands, as the form's fields."""
    if part == "topics":
        return _fields_of_topics(state)
    if part == GROUPS:
        return {
            f"{group['code']}-{name}": value
            for group in state["groups"]
            for name, value in _flat(group)
            if name != "code"
        }
    found: dict[str, str | Sequence[str]] = {}
    for name, value in state.items():
        if name == "contact_phones":
            found[name] = "\n".join(value)
        elif isinstance(value, list):
            found[name] = value
        elif isinstance(value, bool):
            found[name] = "yes" if value else ""
        else:
            found |= dict(_flat({name: value}))
    return found


def _flat(state: State) -> Iterator[tuple[str, str]]:
    for name, value in state.items():
        if isinstance(value, dict):
            yield from ((f"{name}_{lang}", value[lang]) for lang in LANGS)
        elif not isinstance(value, list):
            yield name, "" if value is None else str(value)


def _fields_of_topics(state: State) -> dict[str, str | Sequence[str]]:
    found: dict[str, str | Sequence[str]] = {}
    for row, aim in enumerate(state["objectives"], 1):
        found |= {f"aim-{row}-number": str(aim["number"])} | {f"aim-{row}_{lang}": aim["text"][lang] for lang in LANGS}
    for row, track in enumerate(state["tracks"], 1):
        found |= {f"track-{row}-{name}": value for name, value in _flat(track)}
        for place, theme in enumerate(track["themes"], 1):
            found |= {f"track-{row}-theme-{place}-{name}": value for name, value in _flat(theme)}
    return found


def read_part(part: str, sent: FormData, state: State) -> Input:
    """What was sent, as the part's input. `state` is what stands: a topic that stays keeps its address, and groups are
    those there are. Raises Invalid with each fault at its field."""
    # a browser ends the lines of a long text as letters were ended of old
    texts = {name: value.replace("\r\n", "\n") for name, value in sent.items() if isinstance(value, str)}
    read = _Reader(texts)
    if part == "topics":
        values = read.topics(state)
    elif part == GROUPS:
        values = {"groups": [read.group(group["code"], row) for row, group in enumerate(state["groups"])]}
    else:
        values = read.plain(part, in_order(sent, state.get("languages", ())))
    try:
        return parse(INPUTS[part], values)
    except Invalid as invalid:
        raise Invalid([replace(fault, field=read.place_of(fault)) for fault in invalid.faults]) from None


def in_order(sent: FormData, there: Sequence[str]) -> list[str]:
    """The languages that were ticked: those there are in their order, new ones behind them."""
    ticked = [value for value in sent.getlist("languages") if isinstance(value, str)]
    return [*(each for each in there if each in ticked), *(each for each in ticked if each not in there)]


_WHOLE = {
    "both_dates_or_none": "ends_on",
    "ends_before_start": "ends_on",
    "half_a_point": "latitude",
    "contact_without_role": "contact_role_en",
    "retention_before_end": "ends_on",
    "only_site_features": "featured",
}
"""Faults of a part as a whole → the field they are shown at."""


class _Reader:
    """Reads a form, and remembers which row of it a part of the input came from."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.rows: dict[str, str] = {}

    def text(self, name: str) -> str:
        return self.texts.get(name, "").strip()

    def pair(self, name: str) -> dict[str, str]:
        return {lang: self.texts.get(f"{name}_{lang}", "") for lang in LANGS}

    def plain(self, part: str, languages: Sequence[str]) -> State:
        values: State = {}
        for entry in _PLAIN[part]:
            name = entry.name.removesuffix(f"_{entry.lang}") if entry.lang else entry.name
            if entry.lang:
                values[name] = self.pair(name)
            elif entry.kind == "tick":
                values[name] = self.text(name) == "yes"
            elif entry.kind == "languages":
                values[name] = languages
            elif name == "contact_phones":
                values[name] = [line.strip() for line in self.text(name).splitlines() if line.strip()]
            elif name in {"latitude", "longitude"}:
                values[name] = latin_digits(self.text(name))
            else:
                values[name] = self.text(name)
        return values

    def group(self, code: str, row: int) -> State:
        self.rows[f"groups.{row}"] = code
        return {
            "code": code,
            "letter": self.text(f"{code}-letter"),
            "band": self.text(f"{code}-band"),
            "name": self.pair(f"{code}-name"),
            "description": self.pair(f"{code}-description"),
        }

    def topics(self, state: State) -> State:
        aims: list[State] = []
        tracks: list[State] = []
        for row in range(1, MOST_ROWS):
            text = self.pair(f"aim-{row}")
            if any(words.strip() for words in text.values()):
                self.rows[f"objectives.{len(aims)}"] = f"aim-{row}"
                aims.append({"number": latin_digits(self.text(f"aim-{row}-number")), "text": text})
        slugs = {track["code"]: track["slug"] for track in state["tracks"]}
        for row in range(1, MOST_ROWS):
            name = f"track-{row}"
            if self.text(f"{name}-code"):
                self.rows[f"tracks.{len(tracks)}"] = name
                tracks.append(self._track(name, len(tracks), slugs))
        return {"objectives": aims, "tracks": tracks}

    def _track(self, name: str, number: int, slugs: Mapping[str, str]) -> State:
        code = self.text(f"{name}-code")
        themes: list[State] = []
        for row in range(1, MOST_ROWS):
            theme = f"{name}-theme-{row}"
            if slug := self.text(f"{theme}-slug"):
                self.rows[f"tracks.{number}.themes.{len(themes)}"] = theme
                themes.append({"slug": slug, "title": self.pair(f"{theme}-title")})
        return {
            "code": code,
            "slug": slugs.get(code) or self.text(f"{name}-slug"),
            "colour": self.text(f"{name}-colour"),
            "title": self.pair(f"{name}-title"),
            "short_title": self.pair(f"{name}-short_title"),
            "themes": themes,
        }

    def place_of(self, fault: Fault) -> str:
        """The field a fault of the input is shown at."""
        if not fault.field:
            return _WHOLE.get(fault.code, "")
        parts = fault.field.split(".")
        for length in range(len(parts), 0, -1):
            row = self.rows.get(".".join(parts[:length]))
            if row is not None:
                return self._field(row, parts[length:])
        return self._field("", parts)

    def _field(self, row: str, rest: Sequence[str]) -> str:
        name = rest[0] if rest else ""
        if row.startswith("aim-") and name == "text":
            return f"{row}_en"
        whole = "-".join(part for part in (row, name) if part)
        lang = rest[1] if len(rest) > 1 and rest[1] in LANGS else LANGS[0]
        return f"{whole}_{lang}" if f"{whole}_{lang}" in self.texts else whole


def placed(refused: Answer) -> Answer:
    """The same refusal with its fault at the field it is about."""
    if isinstance(refused, Refused) and refused.code in _WHOLE:
        return Invalid([Fault(_WHOLE[refused.code], refused.code, refused.values)])
    return refused
