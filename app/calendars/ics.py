"""The one writer of iCalendar text (RFC 5545, RFC 7986): values in, bytes out, the same bytes for the same values.

icalendar makes the content lines; they are folded here, because a fold between the parts of a Khmer cluster shows as
a broken letter wherever an application unfolds badly.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component, Event, Timezone, vDuration, vText, vUri

from app.calendars.rules import identity, status, takes_time
from app.kit.i18n import Bilingual, Lang, text_of
from app.programme.published import PublishedPerson, PublishedSession

LINE = 75
"""Octets of a content line without its break (RFC 5545 §3.1)."""
REFRESH = timedelta(hours=1)
"""How often applications are asked to look again; how late they may be is theirs."""
END = b"END:VCALENDAR\r\n"
ROLES = ("chair", "moderator", "speaker", "rapporteur")

# what str.splitlines() takes for a break, and so do parsers that use it
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# CONTROL of RFC 5545 §3.1, its later sisters, and halves of characters, which have no octets
_NEVER = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f\ud800-\udfff]")
_COENG, _JOINER = "\u17d2", "\u200d"
_JOINERS = {"\u200c", _JOINER}
_MARKS = {"Mn", "Mc", "Me"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the forum is held; degrees north and east, or None."""

    name: Bilingual
    address: Bilingual
    latitude: float | None
    longitude: float | None
    timezone: str


@dataclass(frozen=True, slots=True)
class WholeForum:
    """The forum as one entry: its days where it is held, `page` its address, `changed_at` UTC."""

    uid: str
    sequence: int
    changed_at: datetime
    starts_on: date
    ends_on: date
    title: Bilingual
    summary: Bilingual
    page: str


@dataclass(frozen=True, slots=True)
class Head:
    """What stands at the top of a calendar. `source` is its own address, `page` the one for people to read."""

    name: str
    lang: Lang
    timezone: str
    source: str
    page: str
    colour: str
    """One of the palette: river, lotus, rice."""


# RFC 7986 §5.9 takes CSS's names only; Apple's own property takes the palette's colour itself
COLOURS: Mapping[str, tuple[str, str]] = {
    "river": ("steelblue", "#0c4766"),
    "lotus": ("mediumvioletred", "#8a1c52"),
    "rice": ("darkolivegreen", "#3b5712"),
}


def calendar_head(head: Head) -> bytes:
    """The lines from BEGIN:VCALENDAR down to the first component; downloads and feeds are PUBLISH (rules §5)."""
    before, after = _around_the_source(replace(head, source=""))
    # written here, as a URI is not escaped (RFC 5545 §3.3.13): a component for it took a tenth of a personal calendar
    return before + _bytes([f"SOURCE;VALUE=URI:{head.source}"]) + after


@lru_cache(maxsize=512)
def _around_the_source(head: Head) -> tuple[bytes, bytes]:
    """The head before and after its SOURCE, which alone is another one in every personal calendar."""
    calendar = Calendar()
    name, apple = COLOURS[head.colour]
    calendar.add("prodid", f"-//Sala//Forum calendar//{head.lang.upper()}")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    for key in ("name", "x-wr-calname"):
        _add_text(calendar, key, head.name)
    calendar.add("x-wr-timezone", vText(head.timezone))
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    calendar.add("color", vText(name))
    calendar.add("x-apple-calendar-color", vText(apple))
    calendar.add("source", vUri("/"), parameters={"VALUE": "URI"})
    calendar.add("url", vUri(head.page))
    lines = [line for line in _lines(calendar) if line != "END:VCALENDAR"]
    at = next(number for number, line in enumerate(lines) if line.startswith("SOURCE"))
    return _bytes(lines[:at]), _bytes(lines[at + 1 :])


def vtimezone(timezone: str, first: date, last: date) -> bytes:
    """The VTIMEZONE of a zone, good for the whole years in which `first` and `last` lie."""
    return _vtimezone(timezone, first.year, last.year)


@lru_cache(maxsize=64)
def _vtimezone(timezone: str, first: int, last: int) -> bytes:
    """Looked for day by day, which takes as long as ten entries; the forums of a site have few zones and years."""
    made = Timezone.from_tzid(timezone, first_date=date(first, 1, 1), last_date=date(last + 1, 1, 1))
    made.pop("COMMENT", None)  # says for which years it was made, and is shown to nobody
    return _bytes(_lines(made))


def vevent(
    session: PublishedSession, place: Place, lang: Lang, *, page: str, tracks: Mapping[str, str], listed: bool
) -> bytes:
    """A session's VEVENT in one language: the same bytes in every feed.

    `page` is its address, `tracks` the titles by code, `listed` says that everybody may know of it. The session has
    a start (`rules.has_entry`). Never an ATTENDEE: a feed says nothing of who comes.
    """
    return text(entry_of(session, place, lang, page=page, tracks=tracks, listed=listed, by_mail=False))


def entry_of(
    session: PublishedSession,
    place: Place,
    lang: Lang,
    *,
    page: str,
    tracks: Mapping[str, str],
    listed: bool,
    by_mail: bool,
) -> Event:
    """The same as a component, for feeds and mails alike; `by_mail` says how its changes come."""
    assert session.starts_at is not None  # noqa: S101 - rules.has_entry was asked
    zone = ZoneInfo(place.timezone)
    known = identity(session)
    entry = Event()
    entry.add("uid", vText(known.uid))
    entry.add("dtstamp", known.changed_at)
    entry.add("last-modified", known.changed_at)
    entry.add("sequence", known.sequence)
    entry.add("dtstart", session.starts_at.astimezone(zone))
    if session.ends_at is not None and session.ends_at > session.starts_at:
        entry.add("dtend", session.ends_at.astimezone(zone))
    _add_text(entry, "summary", session.title.of(lang))
    _add_text(entry, "description", description(session, lang, listed=listed, by_mail=by_mail))
    _add_text(entry, "location", location(session, place, lang))
    _add_geo(entry, place)
    if named := [clean(tracks[code]) for code in session.tracks if code in tracks]:
        entry.add("categories", named)
    entry.add("url", vUri(page))
    entry.add("class", vText("PUBLIC" if listed else "CONFIDENTIAL"))
    entry.add("transp", vText("OPAQUE" if takes_time(session) else "TRANSPARENT"))
    entry.add("status", vText(status(session).value))
    return entry


def whole_entry_of(forum: WholeForum, place: Place, lang: Lang) -> Event:
    """The forum itself as one entry over its days, which mails bring to whoever holds a place."""
    entry = Event()
    entry.add("uid", vText(forum.uid))
    entry.add("last-modified", forum.changed_at)
    entry.add("sequence", forum.sequence)
    entry.add("dtstart", forum.starts_on)
    entry.add("dtend", forum.ends_on + timedelta(days=1))
    _add_text(entry, "summary", forum.title.of(lang))
    paragraphs = [part for part in (forum.summary.of(lang), text_of(lang, "calendars.ics.by_mail")) if part]
    _add_text(entry, "description", "\n\n".join(paragraphs))
    _add_text(entry, "location", location(None, place, lang))
    _add_geo(entry, place)
    entry.add("url", vUri(forum.page))
    entry.add("class", vText("PUBLIC"))
    entry.add("transp", vText("OPAQUE"))
    entry.add("status", vText("CONFIRMED"))
    return entry


def location(session: PublishedSession | None, place: Place, lang: Lang) -> str:
    """Room, house and address in one line, as a driver or a map wants it; what is not known is left out."""
    parts = (session.room_name if session else None, place.name, place.address)
    return ", ".join(part.of(lang) for part in parts if part)


def description(session: PublishedSession, lang: Lang, *, listed: bool, by_mail: bool = False) -> str:
    """What the entry says below its title, in paragraphs, in the feed's language."""

    def say(key: str) -> str:
        return text_of(lang, key)

    def line(label: str, text: str) -> str:
        return text_of(lang, "calendars.ics.line", label=label, text=text)

    kind = say(f"programme.type.{session.type}")
    paragraphs = [line(say("programme.cancelled"), kind) if session.cancelled else kind]
    if session.guiding_question:
        paragraphs.append(line(say("programme.guiding_question"), session.guiding_question.of(lang)))
    if session.abstract:
        paragraphs.append(session.abstract.of(lang))
    if people := _people(session.people, lang):
        paragraphs.append("\n".join(line(role, "; ".join(persons)) for role, persons in people))
    glue = say("programme.and")
    heard = [
        line(say(f"programme.{how}"), glue.join(say(f"programme.language.{code}") for code in codes))
        for how, codes in (("spoken", session.spoken), ("interpreted", session.interpreted))
        if codes
    ]
    if heard:
        paragraphs.append("\n".join(heard))
    if not listed:
        paragraphs.append(say("calendars.ics.closed"))
    elif session.attribution:
        rule = f"programme.attribution.{session.attribution}"
        paragraphs.append(line(say(f"{rule}.name"), say(f"{rule}.text")))
    paragraphs.append(say("calendars.ics.by_mail" if by_mail else "calendars.ics.changes"))
    return "\n\n".join(paragraphs)


def _people(people: tuple[PublishedPerson, ...], lang: Lang) -> list[tuple[str, list[str]]]:
    """Each role with those who have it, by name where one is announced, and function."""
    found = []
    for role in ROLES:
        persons = [_person(person, lang) for person in people if person.role == role]
        if persons:
            found.append((text_of(lang, f"programme.role.{role}", n=len(persons)), persons))
    return found


def _person(person: PublishedPerson, lang: Lang) -> str:
    said = [part.of(lang) for part in (person.name, person.function, person.institution) if part]
    # a function often names the institution already
    return ", ".join(part for at, part in enumerate(said) if not any(part in before for before in said[:at]))


def clean(text: str) -> str:
    """User text as it may stand in a TEXT value: every kind of line break is one, other control characters go."""
    return _NEVER.sub("", _BREAKS.sub("\n", text))


def _add_text(component: Component, name: str, text: str) -> None:
    # as vText, because icalendar writes strings of names that it does not know (NAME) without escaping them
    if text := clean(text):
        component.add(name, vText(text))


def _add_geo(component: Component, place: Place) -> None:
    if place.latitude is not None and place.longitude is not None:
        component.add("geo", (place.latitude, place.longitude))


def text(component: Component) -> bytes:
    """A component's content lines as they stand in a file."""
    return _bytes(_lines(component))


def _lines(component: Component) -> Iterator[str]:
    return (str(line) for line in component.content_lines() if line)


def _bytes(lines: Iterable[str]) -> bytes:
    return b"".join(fold(line) + b"\r\n" for line in lines)


def fold(line: str) -> bytes:
    """A content line in UTF-8, broken so that no part is longer than 75 octets (RFC 5545 §3.1).

    Never inside a character, and inside a cluster (a Khmer consonant with what stands below, above and around it,
    an emoji with its parts, a backslash with what it escapes) only where the cluster alone is longer than a line.
    """
    whole = line.encode()
    if len(whole) <= LINE:
        return whole
    if len(whole) == len(line) and "\\" not in line:  # plain letters, each a cluster of its own
        rest = (whole[at : at + LINE - 1] for at in range(LINE, len(whole), LINE - 1))
        return b"\r\n ".join((whole[:LINE], *rest))
    parts: list[bytes] = []
    used = 0
    for piece in _pieces(line):
        if used + len(piece) > LINE:
            parts.append(b"\r\n ")
            used = 1
        parts.append(piece)
        used += len(piece)
    return b"".join(parts)


def _pieces(line: str) -> Iterator[bytes]:
    start = 0
    for at in range(1, len(line) + 1):
        if at == len(line) or not _joined(line[at - 1], line[at]):
            cluster = line[start:at].encode()
            if len(cluster) < LINE:
                yield cluster
            else:
                yield from (character.encode() for character in line[start:at])
            start = at


def _joined(before: str, character: str) -> bool:
    if character.isascii():
        return before == "\\"
    return (
        unicodedata.category(character) in _MARKS
        or character in _JOINERS
        or before in {_COENG, _JOINER}
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # shades of skin
        or ("\U0001f1e6" <= character <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff")  # flags
    )


def jcal(calendar: bytes) -> bytes:
    """A calendar's text as jCal (RFC 7265), made from the text itself, so that the two cannot say different things."""
    return json.dumps(Calendar.from_ical(calendar).to_jcal(), ensure_ascii=False, separators=(",", ":")).encode()
