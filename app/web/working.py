"""The working copy as the desk sees it: its sessions with what is public of them, in their way, and open elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from app.forum.queries import ForumPage, forum_id, forum_page
from app.kit.db import Db
from app.kit.i18n import Bilingual, Lang, text_of
from app.programme.marking import Marked, marks_of
from app.programme.overriding import Key, Reason, key_of, reasons_of
from app.programme.published import Programme, PublishedSession
from app.programme.publishing import conflicts_of
from app.programme.queries import editions_of, published, speaker_names, working_copy
from app.programme.rules.conflicts import Conflict, Kind
from app.registration.pick_queries import sign_up_counts
from app.web.deps import Desk


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A conflict in the reader's words: the key a reason is kept under, the reason there is, and the sessions in it."""

    words: str
    hard: bool
    intended: bool
    codes: tuple[str, ...]
    key: Key
    reason: Reason | None

    @property
    def calls(self) -> bool:
        """Must somebody do something about it before it is published?"""
        return self.hard and self.reason is None


@dataclass(frozen=True)
class Working:
    """One forum's working copy, read on one view of the database, in one language."""

    lang: Lang
    page: ForumPage
    sessions: tuple[PublishedSession, ...]
    editions: Mapping[str, int]
    public: Programme
    conflicts: tuple[Conflict, ...]
    reasons: Mapping[Key, Reason]
    marks: Mapping[str, list[Marked]]
    speakers: Mapping[str, Bilingual]

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.page.forum.timezone)

    @cached_property
    def published(self) -> Mapping[str, PublishedSession]:
        """The sessions of the public version by uid."""
        return {session.uid: session for session in self.public.sessions}

    @cached_property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """Every conflict in words, hard ones first."""
        return tuple(self.obstacle(conflict) for conflict in self.conflicts)

    @cached_property
    def in_the_way(self) -> Mapping[str, list[Obstacle]]:
        """The conflicts of each session, by its code."""
        found: dict[str, list[Obstacle]] = {}
        for one in self.obstacles:
            for code in one.codes:
                found.setdefault(code, []).append(one)
        return found

    def session(self, code: str) -> PublishedSession | None:
        """The session with this code, or None."""
        return next((session for session in self.sessions if session.code == code), None)

    def local_day(self, instant: datetime) -> date:
        """The day of the forum in which an instant falls."""
        return instant.astimezone(self.zone).date()

    def standing(self, session: PublishedSession) -> str:
        """How a session stands to the public version: "new", "changed", or "" where nothing differs."""
        before = self.published.get(session.uid)
        if before is None:
            return "new"
        same = replace(session, sequence=before.sequence, changed_at=before.changed_at)
        return "" if same == before else "changed"

    def obstacle(self, conflict: Conflict) -> Obstacle:
        """One conflict in words."""
        glue = text_of(self.lang, "programme.and")
        values = {
            "sessions": f"{glue.rstrip()} ".join(conflict.codes),  # Latin letters stand apart from Khmer ones
            "where": glue.join(self._place(conflict.kind, each) for each in conflict.where),
            "by": conflict.by,
        }
        words = text_of(self.lang, f"conflicts.{conflict.kind.value}", **values)
        key = key_of(conflict)
        return Obstacle(words, conflict.hard, conflict.intended, conflict.codes, key, self.reasons.get(key))

    def _place(self, kind: Kind, code: str) -> str:
        room = self.page.rooms.get(code)
        if room is not None and kind in {Kind.ROOM_TAKEN, Kind.CHANGEOVER_SHORT, Kind.ROOM_SMALL}:
            return room.name.of(self.lang)
        return self.speakers[code].of(self.lang) if code in self.speakers else code


def read_working(db: Db, desk: Desk, now: datetime) -> Working:
    """The working copy at the desk of a forum. As many queries whatever it holds; conflicts are asked for once."""
    own = forum_id(desk.forum)
    return Working(
        lang=desk.lang,
        page=forum_page(db, desk.forum.slug),
        sessions=working_copy(db, own),
        editions=editions_of(db, own),
        public=published(db, own),
        conflicts=tuple(conflicts_of(db, desk.forum, sign_up_counts(db, desk.forum))),
        reasons=reasons_of(db, own),
        marks=marks_of(db, own, desk.actor, now=now),
        speakers=speaker_names(db, own),
    )
