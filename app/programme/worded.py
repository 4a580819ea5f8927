"""A change of the programme in words, for pages and mails alike (rules §4.1)."""

from dataclasses import dataclass

from app.kit.i18n import Lang, clock_time, day, text_of
from app.programme.comparing import place_name
from app.programme.rules.changes import Change, Kind, Published

_SIGNS = {
    Kind.ADDED: ("good", "+"),
    Kind.RESTORED: ("good", "+"),
    Kind.CANCELLED: ("bad", "×"),
    Kind.WITHDRAWN: ("bad", "×"),
    Kind.MOVED: ("wait", "→"),
}
_TITLES: tuple[Lang, Lang] = ("en", "km")
"""The languages of a published title, in its order."""


@dataclass(frozen=True, slots=True)
class Words:
    """One change in words: what kind, which session, and for a move or a new title from what to what.

    `lang` is the language of `before` and `after`: not the reader's where only the other title changed.
    """

    tone: str
    sign: str
    kind: str
    title: str
    code: str
    before: str
    after: str
    lang: Lang


def words_of(change: Change, lang: Lang, zone: str) -> Words:
    """A change in the reader's language; times are those of the forum's `zone`."""
    tone, sign = _SIGNS.get(change.kind, ("still", "✎"))
    one = change.entry
    before = after = ""
    kind, told_in = change.kind.value, lang
    if change.kind is Kind.RETITLED and change.before:
        changed = [each for each, old, new in zip(_TITLES, change.before.title, one.title, strict=True) if old != new]
        before = _title(change.before, lang)
        if len(changed) == 1:
            kind = f"retitled_{changed[0]}"
        if lang not in changed:
            (told_in,) = changed
            at = _TITLES.index(told_in)
            before, after = change.before.title[at], one.title[at]
    elif change.kind is Kind.MOVED:
        before, after = where(change.before, lang, zone), where(change.after, lang, zone)
    said = text_of(lang, f"programme.change.{kind}")
    return Words(tone, sign, said, _title(one, lang), one.code, before, after, told_in)


def line_of(change: Change, lang: Lang, zone: str) -> str:
    """The same in one line, for a mail."""
    words = words_of(change, lang, zone)
    said = [text_of(lang, "calendars.ics.line", label=words.kind, text=words.title)]
    if words.before:
        said.append(f"{text_of(lang, 'programme.history.before')} {words.before}")
    if words.after:
        said.append(f"{text_of(lang, 'programme.history.now')} {words.after}")
    return " — ".join(said)


def _title(one: Published, lang: Lang) -> str:
    en, km = one.title
    return (km or en) if lang == "km" else (en or km)


def where(one: Published | None, lang: Lang, zone: str) -> str:
    """Day, hours and room of a session as it was or is."""
    if one is None:
        return ""
    room = place_name(one.room).of(lang)
    parts = [text_of(lang, "programme.time_open")]
    if one.start and one.end:
        start, end = (clock_time(at, lang, zone) for at in (one.start, one.end))
        parts = [day(one.start, lang, "day", zone), f"{start}–{end}"]
    return ", ".join([*parts, room or text_of(lang, "programme.room_open")])
