"""A session as it stands in lists: ready words in one language, nothing left for a template to work out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.forum.queries import TrackView
from app.kit.i18n import clock_time, day, text_of
from app.programme.published import PublishedSession
from app.web.public import Public

QUIET = frozenset({"break", "lunch", "registration"})


@dataclass(frozen=True, slots=True)
class Tag:
    """A track's letter, colour and short title."""

    code: str
    colour: str
    title: str


@dataclass(frozen=True, slots=True)
class Card:
    """One session in a list. `hours` is local ("08:30–09:15"), or says that it is to be announced."""

    code: str
    href: str
    title: str
    hours: str
    weekday: str
    machine_time: str
    kind: str
    room: str
    tracks: tuple[Tag, ...]
    colour: str
    attribution: str
    quiet: bool
    cancelled: bool


def card(seen: Public, session: PublishedSession) -> Card:
    """A session's card in the reader's language."""
    lang = seen.lang
    tags = tags_of(seen, session.tracks)
    return Card(
        code=session.code,
        href=f"{seen.base}/programme/{session.code}",
        title=session.title.of(lang),
        hours=hours_of(seen, session),
        weekday=day(seen.local_day(session.starts_at), lang, "day") if session.starts_at else "",
        machine_time=session.starts_at.astimezone(seen.zone).isoformat() if session.starts_at else "",
        kind=text_of(lang, f"programme.type.{session.type}"),
        room=session.room_name.of(lang) if session.room_name else "",
        tracks=tags,
        colour=tags[0].colour if len(tags) == 1 else "none",
        attribution=text_of(lang, "programme.attribution.CHR.name") if session.attribution == "CHR" else "",
        quiet=session.type in QUIET,
        cancelled=session.cancelled,
    )


def tags_of(seen: Public, codes: Sequence[str]) -> tuple[Tag, ...]:
    """The letters of these tracks, in the forum's order."""
    return tuple(tag(seen, track) for track in seen.page.tracks if track.code in codes)


def tag(seen: Public, track: TrackView) -> Tag:
    """One track's letter."""
    return Tag(track.code, track.colour, track.short_title.of(seen.lang))


def hours_of(seen: Public, session: PublishedSession) -> str:
    """From when to when, in the forum's zone; where it is not known yet, that."""
    if session.starts_at is None or session.ends_at is None:
        return text_of(seen.lang, "programme.time_open")
    start, end = (clock_time(at, seen.lang, seen.forum.timezone) for at in (session.starts_at, session.ends_at))
    return f"{start}–{end}"


def in_order(seen: Public, sessions: Sequence[PublishedSession]) -> list[PublishedSession]:
    """By start, then by the rooms' order, then by code; what has no time yet comes last, by code."""
    rooms = {code: position for position, code in enumerate(seen.page.rooms)}

    def key(session: PublishedSession) -> tuple[bool, float, int, str]:
        start = session.starts_at.timestamp() if session.starts_at else 0.0
        room = rooms.get(session.room or "", len(rooms)) if session.starts_at else 0
        return session.starts_at is None, start, room, session.code

    return sorted(sessions, key=key)


def days_of(seen: Public) -> list[date]:
    """The days on which something stands in the programme."""
    return sorted({seen.local_day(session.starts_at) for session in seen.programme.sessions if session.starts_at})
