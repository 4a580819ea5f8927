"""Editing the working copy. Nothing here is public before it is published."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum, MeetingRoom
from app.forum.queries import forum_id, rooms_of
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.programme.inputs import AppearanceInput, SessionInput, SpeakerInput
from app.programme.models import Appearance, Asking, Session, Speaker, Version
from app.programme.remembering import Edit, State, remember

_rooms = table(MeetingRoom)
_sessions, _speakers, _appearances, _askings = table(Session), table(Speaker), table(Appearance), table(Asking)


def new_uid() -> str:
    """An immutable id for a session: calendars know it for ever, so it says nothing that may change (RFC 7986 §5.3)."""
    return f"{secrets.token_hex(12)}@sala"


def put_programme(
    db: Db,
    by: Actor,
    forum: Forum,
    speakers: Sequence[SpeakerInput],
    sessions: Sequence[SessionInput],
    *,
    now: datetime,
    uids: dict[str, str] | None = None,
) -> bool:
    """Bring the working copy to what was sent, speakers and sessions whole; says whether anything changed.

    A session keeps its row and uid while its code stays. One that is not sent any more is removed if it was never
    published and cancelled if it was, because calendars already hold it. `uids` gives sessions known ids by code.
    Each session that changed has a revision in its history.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    before = states_of(db, own)
    changed = _put_speakers(db, own, speakers)
    changed |= _put_sessions(db, own, sessions, uids or {})
    if changed:
        _remember_all(db, by, own, before, now=now)
        subject = f"forum:{forum.slug}"
        record(db, forum.slug, by.signature, "programme.drafted", subject, now=now, after={"sessions": len(sessions)})
    return changed


def _put_speakers(db: Db, own: int, sent: Sequence[SpeakerInput]) -> bool:
    rows = {row.code: row for row in db.execute(select(Speaker).where(_speakers.c.forum_id == own)).scalars()}
    gone = rows.keys() - {speaker.code for speaker in sent}
    for code in gone:
        take_speaker_out(db, rows[code])
    changed = bool(gone)
    for position, speaker in enumerate(sent):
        row = rows.get(speaker.code)
        wanted = {**{name: getattr(speaker, name) for name in _SPEAKER}, "position": position}
        if row is None:
            db.add(Speaker(forum_id=own, code=speaker.code, **wanted))
            changed = True
        else:
            different = assign(row, wanted)
            row.edition += different
            changed |= different
    db.flush()
    return changed


def take_speaker_out(db: Db, row: Speaker) -> None:
    """Remove a speaker with every part in a session and what they were asked. A photograph that a version shows stays
    until another is published."""
    db.execute(delete(_appearances).where(_appearances.c.speaker_id == row.id))
    db.execute(delete(_askings).where(_askings.c.speaker_id == row.id))
    db.delete(row)


_SPEAKER = ("name", "function", "institution", "country", "kind", "bio", "announced", "guest")
_SESSION = ("type", "title", "abstract", "guiding_question", "facet", "starts_at", "ends_at", "attribution", "setup")
_LISTS = ("tracks", "themes", "objectives", "spoken", "interpreted")
_FLAGS = ("overlap_intended", "cancelled")


def _put_sessions(db: Db, own: int, sent: Sequence[SessionInput], uids: dict[str, str]) -> bool:
    rows = {row.code: row for row in db.execute(select(Session).where(_sessions.c.forum_id == own)).scalars()}
    rooms = {room.code: room.id for room in rooms_of(db, own)}
    people = {
        row.code: row.id
        for row in db.execute(select(_speakers.c.code, _speakers.c.id).where(_speakers.c.forum_id == own))
    }
    published = published_uids(db, own)
    changed = False
    for code in rows.keys() - {session.code for session in sent}:
        changed |= take_out(db, rows[code], published)
    cast = _cast(db, own)
    for position, session in enumerate(sent):
        wanted = {**columns_of(session, rooms), "position": position}
        row = rows.get(session.code)
        if row is None:
            row = Session(forum_id=own, uid=uids.get(session.code) or new_uid(), code=session.code, **wanted)
            db.add(row)
            db.flush()
            changed = True
        elif assign(row, wanted):
            changed = True
        there = cast.get(row.id or 0, [])
        if there != [(part.speaker, part.role) for part in session.people]:
            put_cast(db, row.id or 0, session.people, people)
            changed = True
    db.flush()
    return changed


def columns_of(session: SessionInput, rooms: Mapping[str, int]) -> dict[str, Any]:
    """A session's columns but for code and position; `rooms` are ids by code. Raises Refused for an unknown room."""
    if session.room is not None and session.room not in rooms:
        raise Refused("unknown_room", room=session.room)
    columns: dict[str, Any] = {name: getattr(session, name) for name in (*_SESSION, *_FLAGS)}
    columns |= {name: list(getattr(session, name)) for name in _LISTS}
    return columns | {"room_id": rooms[session.room] if session.room else None}


def states_of(db: Db, own: int, *, uid: str = "", code: str = "") -> dict[str, State]:
    """The sessions of the working copy by uid: all of them, or the one with this uid or code. Two queries."""
    wanted = select(_sessions, _rooms.c.code.label("room")).outerjoin(_rooms, _rooms.c.id == _sessions.c.room_id)
    wanted = wanted.where(_sessions.c.forum_id == own)
    if uid:
        wanted = wanted.where(_sessions.c.uid == uid)
    if code:
        wanted = wanted.where(_sessions.c.code == code)
    cast = _cast(db, own)
    return {row.uid: State(row.uid, row.edition, _draft(row, cast.get(row.id, ()))) for row in db.execute(wanted)}


def _draft(row: Any, cast: Sequence[tuple[str, str]]) -> SessionInput:
    named = row._mapping  # noqa: SLF001 - the documented way to a row's columns by name
    values = {name: named[name] for name in ("code", "room", *_SESSION, *_FLAGS)}
    values |= {name: tuple(named[name]) for name in _LISTS}
    for name in ("starts_at", "ends_at"):
        values[name] = values[name].astimezone(UTC) if values[name] else None
    return SessionInput(**values, people=tuple(AppearanceInput(speaker=who, role=role) for who, role in cast))  # type: ignore[arg-type]


def _remember_all(db: Db, by: Actor, own: int, before: Mapping[str, State], *, now: datetime) -> None:
    """A revision and a new edition for each session that is not what it was."""
    after = states_of(db, own)
    rows = {row.uid: row for row in db.execute(select(Session).where(_sessions.c.forum_id == own)).scalars()}
    for uid in [*after, *(uid for uid in before if uid not in after)]:
        was, now_is = before.get(uid), after.get(uid)
        if was and now_is and was.draft != now_is.draft:
            rows[uid].edition = was.edition + 1
            now_is = State(uid, was.edition + 1, now_is.draft)
        if was is None or now_is is None or was.edition != now_is.edition:
            remember(db, by, own, was, now_is, Edit.LOADED, now=now)
    db.flush()


def published_uids(db: Db, own: int) -> set[str]:
    """The uids of every session that ever stood in a published version."""
    versions = table(Version)
    documents = db.execute(select(versions.c.document).where(versions.c.forum_id == own)).scalars()
    return {item["uid"] for document in documents for item in document["sessions"]}


def take_out(db: Db, row: Session, published: set[str]) -> bool:
    """Remove a session that was never published; cancel one that was, because calendars hold it."""
    if row.uid in published:
        return assign(row, {"cancelled": True})
    db.execute(delete(_appearances).where(_appearances.c.session_id == row.id))
    db.delete(row)
    return True


def _cast(db: Db, own: int) -> dict[int, list[tuple[str, str]]]:
    wanted = (
        select(_appearances.c.session_id, _speakers.c.code, _appearances.c.role)
        .join(_speakers, _speakers.c.id == _appearances.c.speaker_id)
        .where(_speakers.c.forum_id == own)
        .order_by(_appearances.c.session_id, _appearances.c.position)
    )
    found: dict[int, list[tuple[str, str]]] = {}
    for row in db.execute(wanted):
        found.setdefault(row.session_id, []).append((row.code, row.role))
    return found


def put_cast(db: Db, session: int, parts: Sequence[AppearanceInput], people: Mapping[str, int]) -> None:
    """Bring a session's speakers to these, in this order. Raises Refused for one there is not."""
    db.execute(delete(_appearances).where(_appearances.c.session_id == session))
    for position, part in enumerate(parts):
        if part.speaker not in people:
            raise Refused("unknown_speaker", speaker=part.speaker)
        db.add(Appearance(session_id=session, speaker_id=people[part.speaker], role=part.role, position=position))
    db.flush()


def assign(row: Any, wanted: Mapping[str, Any]) -> bool:
    """Give a row these values; says whether any of them is new."""
    different = [name for name, value in wanted.items() if getattr(row, name) != value]
    for name in different:
        setattr(row, name, wanted[name])
    return bool(different)
