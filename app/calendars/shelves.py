"""Ready vevents: built once per forum, revision and language, and shared by every feed."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.calendars import ics, rules
from app.calendars.ics import Place
from app.forum.models import Forum
from app.forum.queries import TrackView, forum_by_slug, forum_id, tracks_of
from app.kit.db import Db, table
from app.kit.i18n import Lang
from app.kit.pen import revisions
from app.programme.published import Programme, PublishedSession
from app.programme.queries import published, visible_to
from app.programme.rules.visibility import PUBLIC
from app.registration.models import SignUp


@dataclass(frozen=True, slots=True)
class Shelf:
    """The ready texts of one forum at one revision in one language. Nothing on it depends on who asks."""

    forum: Forum
    programme: Programme
    tracks: tuple[TrackView, ...]
    sign_ups: frozenset[str]
    lang: Lang
    base_url: str
    revision: int
    zone: bytes
    vevents: Mapping[str, bytes]
    """By uid; sessions whose time is to be announced have none."""

    @property
    def root(self) -> str:
        return f"{self.base_url}/{self.lang}/{self.forum.slug}"

    @property
    def short_title(self) -> str:
        return self.forum.short_title.of(self.lang)

    def public(self) -> tuple[PublishedSession, ...]:
        """The sessions that exist for everybody (rules §4.5)."""
        return visible_to(self.programme, PUBLIC).sessions

    def day_of(self, session: PublishedSession) -> date | None:
        """The day of the forum, where it is held, on which the session begins."""
        return session.starts_at.astimezone(ZoneInfo(self.forum.timezone)).date() if session.starts_at else None


@dataclass(slots=True)
class Shelves:
    """The shelves in use, at most `most`, the one longest unused going first. They can be filled anew at any time."""

    most: int = 16
    _kept: OrderedDict[tuple[str, Lang], Shelf] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def at(self, db: Db, slug: str, lang: Lang, base_url: str) -> Shelf:
        """The shelf of this forum at its present revision; vevents are built when there is none yet.

        The revision grows with every version and with every change of the forum's own texts, which stand in
        LOCATION and CATEGORIES. Raises NotFound. One query where the shelf is there.
        """
        revision = revisions(db).get(slug, 0)
        key = (slug, lang)
        with self._lock:
            shelf = self._kept.get(key)
            if shelf is not None and shelf.revision == revision:
                self._kept.move_to_end(key)
                return shelf
        shelf = _fill(db, slug, lang, base_url, revision)
        with self._lock:
            self._kept[key] = shelf
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return shelf


def _fill(db: Db, slug: str, lang: Lang, base_url: str, revision: int) -> Shelf:
    forum = forum_by_slug(db, slug)
    own = forum_id(forum)
    sign_ups = table(SignUp)
    asked = db.execute(select(sign_ups.c.session_uid).where(sign_ups.c.forum_id == own)).scalars()
    return shelf_of(forum, published(db, own), tracks_of(db, own), asked, lang, base_url=base_url, revision=revision)


def shelf_of(
    forum: Forum,
    programme: Programme,
    tracks: Iterable[TrackView],
    sign_ups: Iterable[str],
    lang: Lang,
    *,
    base_url: str,
    revision: int,
) -> Shelf:
    """The shelf of these values: a vevent for every session that has a time, closed ones too (doors choose)."""
    known = tuple(tracks)
    place = place_of(forum)
    listed = {session.uid for session in visible_to(programme, PUBLIC).sessions}
    titles = {track.code: track.title.of(lang) for track in known}
    root = f"{base_url}/{lang}/{forum.slug}"
    vevents = {
        session.uid: ics.vevent(
            session,
            place,
            lang,
            page=f"{root}/programme/{session.code}",
            tracks=titles,
            listed=session.uid in listed,
        )
        for session in programme.sessions
        if rules.has_entry(session, over=False)
    }
    zone = ics.vtimezone(forum.timezone, *span(forum, programme))
    return Shelf(forum, programme, known, frozenset(sign_ups), lang, base_url, revision, zone, vevents)


def place_of(forum: Forum) -> Place:
    """Where the forum is held, as entries say it."""
    return Place(forum.venue_name, forum.venue_address, forum.latitude, forum.longitude, forum.timezone)


def span(forum: Forum, programme: Programme) -> tuple[date, date]:
    """The first and last day that the calendar may speak of."""
    zone = ZoneInfo(forum.timezone)
    days = [at.astimezone(zone).date() for s in programme.sessions for at in (s.starts_at, s.ends_at) if at]
    days += [on for on in (forum.starts_on, forum.ends_on) if on]
    days = days or [forum.created_at.date()]
    return min(days), max(days)
