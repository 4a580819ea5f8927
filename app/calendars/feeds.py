"""The feeds: which sessions each holds, what it is called and where it comes from; joined from ready vevents."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from app.calendars import ics, rules
from app.calendars.ics import Head
from app.calendars.shelves import Shelf
from app.forum.queries import ends_at
from app.kit.errors import NotFound
from app.kit.i18n import day, text_of
from app.programme.published import PublishedSession

_UNSAFE = re.compile(r"[^A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Feed:
    """A calendar file. `pieces` are its bytes in order, shared with every other feed that holds the same sessions.

    `last_modified` is UTC in whole seconds; `valid_until` (UTC) is when a rule that was asked will answer otherwise.
    """

    name: str
    file_name: str
    forum: str
    revision: int
    pieces: tuple[bytes, ...]
    last_modified: datetime
    valid_until: datetime | None

    etag: str
    """Quoted and strong: it changes with every byte."""
    media_type: str = "text/calendar"

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


def as_jcal(feed: Feed) -> Feed:
    """The same calendar as jCal, `application/calendar+json` (RFC 7265)."""
    body = ics.jcal(feed.body)
    name = feed.file_name.removesuffix(".ics") + ".json"
    return replace(
        feed, file_name=name, pieces=(body,), etag=f'"{_digest((body,))}"', media_type="application/calendar+json"
    )


def whole_forum(shelf: Shelf, *, now: datetime) -> Feed:
    """Every session that everybody may know of."""
    return _public(shelf, shelf.public(), "calendar.ics", "/programme", (shelf.forum.slug,), now=now)


def of_day(shelf: Shelf, on: date, *, now: datetime) -> Feed:
    """The sessions that begin on this day. Raises NotFound for a day that is none of the forum's.

    A day of the forum without sessions is a calendar without vevents: its VTIMEZONE is the one component that
    RFC 5545 §3.6 asks for.
    """
    sessions = [session for session in shelf.public() if shelf.day_of(session) == on]
    first, last = shelf.forum.starts_on, shelf.forum.ends_on
    if not sessions and not (first and last and first <= on <= last):
        raise NotFound
    source = f"days/{on.isoformat()}.ics"
    named = (shelf.forum.slug, on.isoformat())
    return _public(
        shelf, sessions, source, f"/programme?day={on.isoformat()}", named, part=day(on, shelf.lang, "day"), now=now
    )


def of_track(shelf: Shelf, slug: str, *, now: datetime) -> Feed:
    """The sessions of one track. Raises NotFound where the forum has none of this slug."""
    track = next((track for track in shelf.tracks if track.slug == slug), None)
    if track is None:
        raise NotFound
    sessions = [session for session in shelf.public() if track.code in session.tracks]
    named = (shelf.forum.slug, track.slug)
    page, title = f"/programme?track={track.code}", track.short_title.of(shelf.lang)
    return _public(
        shelf, sessions, f"tracks/{slug}.ics", page, named, part=f"{track.code} · {title}", colour=track.colour, now=now
    )


def of_session(shelf: Shelf, code: str, *, now: datetime) -> Feed:
    """One session. Raises NotFound where nobody, or not everybody, may know of it: the two look alike."""
    session = next((session for session in shelf.public() if session.code == code), None)
    if session is None:
        raise NotFound
    part = session.title.of(shelf.lang)
    named = (shelf.forum.slug, code)
    return _public(shelf, [session], f"sessions/{code}.ics", f"/programme/{code}", named, part=part, now=now)


def of_speaker(shelf: Shelf, code: str, *, now: datetime) -> Feed:
    """The sessions of one speaker. Raises NotFound for somebody who stands in no session that everybody may know of."""
    parts = [(s, p) for s in shelf.public() for p in s.people if p.code == code]
    if not parts:
        raise NotFound
    person = parts[0][1].shown_as.of(shelf.lang)
    sessions = list(dict.fromkeys(session for session, _ in parts))
    named = (shelf.forum.slug, code)
    return _public(shelf, sessions, f"speakers/{code}.ics", f"/speakers/{code}", named, part=person, now=now)


def _public(
    shelf: Shelf,
    sessions: Iterable[PublishedSession],
    source: str,
    page: str,
    named: tuple[str, ...],
    *,
    now: datetime,
    part: str = "",
    colour: str = "river",
) -> Feed:
    title = shelf.short_title
    name = text_of(shelf.lang, "calendars.ics.line", label=title, text=part) if part else title
    address, human = f"{shelf.root}/{source}", f"{shelf.root}{page}"
    return feed_of(shelf, sessions, name, address, human, named, now=now, colour=colour)


def feed_of(
    shelf: Shelf,
    sessions: Iterable[PublishedSession],
    name: str,
    source: str,
    page: str,
    named: tuple[str, ...],
    *,
    now: datetime,
    colour: str = "river",
    changed_at: datetime | None = None,
) -> Feed:
    forum_ends_at = ends_at(shelf.forum)
    over = rules.is_over(forum_ends_at, now)
    held = list(sessions)
    dated = shelf.forum.starts_on is not None  # before the forum has dates, hours of its sessions promise nothing
    entries = tuple(shelf.vevents[session.uid] for session in held if dated and rules.has_entry(session, over=over))
    head = ics.calendar_head(Head(name, shelf.lang, shelf.forum.timezone, source, page, colour))
    # not when the last version was published: that may have changed nothing but a session closed to this reader
    instants = [shelf.forum.changed_at, shelf.programme.public_at, changed_at, forum_ends_at if over else None]
    instants += [session.changed_at for session in held]
    pieces = (head, shelf.zone, *entries, ics.END)
    return Feed(
        name=name,
        file_name=_file_name(*named, shelf.lang),
        forum=shelf.forum.slug,
        revision=shelf.revision,
        pieces=pieces,
        last_modified=max(at for at in instants if at).astimezone(UTC).replace(microsecond=0),
        valid_until=rules.changes_at(held, forum_ends_at, now),
        etag=f'"{_digest(pieces)}"',
    )


def _digest(pieces: Iterable[bytes]) -> str:
    """The same as of the joined bytes."""
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
    return whole.hexdigest()[:24]


def _file_name(*parts: str) -> str:
    return "-".join(_UNSAFE.sub("-", part).strip("-") for part in parts) + ".ics"
