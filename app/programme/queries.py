"""Reads of the programme: the public version, older ones, and the working copy as it would be published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from app.forum.models import MeetingRoom
from app.kit.db import Db, table
from app.kit.i18n import Bilingual
from app.programme.models import Appearance, Session, Speaker, Version
from app.programme.published import NOTHING_YET, Programme, PublishedPerson, PublishedSession, from_document
from app.programme.rules.speakers import face_of
from app.programme.rules.visibility import Attribution, Viewer, visible

_versions = table(Version)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a draft last changed in public: not yet."""


def published(db: Db, forum_id: int, number: int | None = None) -> Programme:
    """The newest published version, or the one with this number; everything in it, closed sessions too.

    Doors show it through `visible_to`. `NOTHING_YET` where there is none. One query.
    """
    wanted = select(_versions).where(_versions.c.forum_id == forum_id)
    if number is not None:
        wanted = wanted.where(_versions.c.number == number)
    row = db.execute(wanted.order_by(_versions.c.number.desc()).limit(1)).first()
    if row is None:
        return NOTHING_YET
    return _version(row)


def number_at(db: Db, forum_id: int, at: datetime) -> int:
    """The number of the version that was public at this instant, 0 where there was none. One query."""
    before = (_versions.c.forum_id == forum_id) & (_versions.c.published_at <= at)
    return int(db.execute(select(func.max(_versions.c.number)).where(before)).scalar_one() or 0)


def history(db: Db, forum_id: int) -> list[Programme]:
    """Every published version whole, in the order of publication. One query."""
    rows = db.execute(select(_versions).where(_versions.c.forum_id == forum_id).order_by(_versions.c.number))
    return [_version(row) for row in rows]


def _version(row: Any) -> Programme:
    sessions = from_document(row.document)
    return Programme(row.number, row.published_at, row.public_number, row.public_at, row.note, sessions)


def visible_to(programme: Programme, viewer: Viewer) -> Programme:
    """What of a version exists for this viewer (rules §4.5): the one function of `rules.visibility` decides."""
    return programme.with_sessions(tuple(visible(programme.sessions, viewer)))


Window = tuple[datetime, datetime]
"""From when to when (UTC), both included."""


def working_copy(db: Db, forum_id: int, *, around: Sequence[Window] | None = None) -> tuple[PublishedSession, ...]:
    """The working copy in the form it would be published in, with sequence 0 and the edit's own time unset.

    With `around` only the sessions that touch one of these windows. Two queries.
    """
    sessions, rooms = table(Session), table(MeetingRoom)
    touching = () if around is None else (or_(false(), *(_touches(sessions, *window) for window in around)),)
    people = _people(db, forum_id, touching)
    wanted = (
        select(sessions, rooms.c.code.label("room_code"), rooms.c.name.label("room_name"))
        .outerjoin(rooms, rooms.c.id == sessions.c.room_id)
        .where(sessions.c.forum_id == forum_id, *touching)
        .order_by(sessions.c.starts_at, sessions.c.position)
    )
    return tuple(_draft(row, people.get(row.id, ())) for row in db.execute(wanted))


def editions_of(db: Db, forum_id: int) -> dict[str, int]:
    """The edition of every session of the working copy by uid. One query."""
    sessions = table(Session)
    wanted = select(sessions.c.uid, sessions.c.edition).where(sessions.c.forum_id == forum_id)
    return {row.uid: row.edition for row in db.execute(wanted)}


def speaker_names(db: Db, forum_id: int) -> dict[str, Bilingual]:
    """Every speaker of the working copy by code, in order: the name, or the function. For the desk alone. One query."""
    speakers = table(Speaker)
    wanted = select(speakers.c.code, speakers.c.name, speakers.c.function).where(speakers.c.forum_id == forum_id)
    return {row.code: row.name or row.function for row in db.execute(wanted.order_by(speakers.c.position))}


def withheld_names(db: Db, forum_id: int) -> frozenset[str]:
    """The codes of the speakers whose name is not announced, as the desk has it now. One query."""
    speakers = table(Speaker)
    mine = (speakers.c.forum_id == forum_id) & speakers.c.announced.is_(False)
    return frozenset(db.execute(select(speakers.c.code).where(mine)).scalars())


def _touches(sessions: Any, start: datetime, end: datetime) -> ColumnElement[bool]:
    return and_(sessions.c.starts_at <= max(start, end), sessions.c.ends_at >= min(start, end))


def setups_of(db: Db, forum_id: int) -> dict[str, str]:
    """The set-ups that sessions of the working copy ask for, by code: for the desk alone, never published."""
    sessions = table(Session)
    mine = (sessions.c.forum_id == forum_id) & sessions.c.setup.is_not(None)
    return {row.code: row.setup for row in db.execute(select(sessions.c.code, sessions.c.setup).where(mine))}


def _people(db: Db, forum_id: int, touching: Sequence[ColumnElement[bool]]) -> dict[int, tuple[PublishedPerson, ...]]:
    speakers, parts, sessions = table(Speaker), table(Appearance), table(Session)
    wanted = (
        select(speakers, parts.c.session_id, parts.c.role)
        .join(parts, parts.c.speaker_id == speakers.c.id)
        .join(sessions, sessions.c.id == parts.c.session_id)
        .where(speakers.c.forum_id == forum_id, *touching)
        .order_by(parts.c.session_id, parts.c.position)
    )
    found: dict[int, list[PublishedPerson]] = {}
    for row in db.execute(wanted):
        face = face_of(announced=row.announced, name=row.name, bio=row.bio, photo=row.photo)
        person = PublishedPerson(
            row.code, row.role, face.name, row.function, row.institution, row.country, face.bio, face.photo
        )
        found.setdefault(row.session_id, []).append(person)
    return {session: tuple(cast) for session, cast in found.items()}


def _draft(row: Any, people: tuple[PublishedPerson, ...]) -> PublishedSession:
    return PublishedSession(
        uid=row.uid,
        code=row.code,
        type=row.type,
        title=row.title or Bilingual(),
        abstract=row.abstract,
        guiding_question=row.guiding_question,
        tracks=tuple(row.tracks),
        themes=tuple(row.themes),
        objectives=tuple(row.objectives),
        facet=row.facet,
        room=row.room_code,
        room_name=row.room_name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        attribution=Attribution(row.attribution) if row.attribution else None,
        spoken=tuple(row.spoken),
        interpreted=tuple(row.interpreted),
        people=people,
        overlap_intended=row.overlap_intended,
        cancelled=row.cancelled,
        sequence=0,
        changed_at=NEVER,
    )


@dataclass(frozen=True, slots=True)
class Using:
    """A session of the working copy that stands in a room, maybe asking for a set-up of its own."""

    room: str
    code: str
    title: Bilingual
    setup: str | None


def rooms_used(db: Db, forum_id: int) -> list[Using]:
    """Every use of a room in the working copy, cancelled sessions too: they keep their room. One query."""
    sessions, rooms = table(Session), table(MeetingRoom)
    wanted = (
        select(rooms.c.code.label("room"), sessions.c.code, sessions.c.title, sessions.c.setup)
        .join(rooms, rooms.c.id == sessions.c.room_id)
        .where(sessions.c.forum_id == forum_id)
        .order_by(sessions.c.code)
    )
    return [Using(row.room, row.code, row.title, row.setup) for row in db.execute(wanted)]


def topics_used(db: Db, forum_id: int) -> dict[str, list[str]]:
    """The codes of the sessions of the working copy by what of the topics they name, as `track:A`, `theme:trade`,
    `objective:2`. One query."""
    sessions = table(Session)
    columns = (sessions.c.code, sessions.c.tracks, sessions.c.themes, sessions.c.objectives)
    found: dict[str, list[str]] = {}
    for row in db.execute(select(*columns).where(sessions.c.forum_id == forum_id).order_by(sessions.c.code)):
        named = [f"track:{code}" for code in row.tracks] + [f"theme:{slug}" for slug in row.themes]
        for name in named + [f"objective:{number}" for number in row.objectives]:
            found.setdefault(name, []).append(row.code)
    return found
