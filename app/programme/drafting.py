"""Editing the working copy. Nothing here is public before it is published."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id, rooms_of
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.programme.inputs import AppearanceInput, SessionInput, SpeakerInput
from app.programme.models import Appearance, Session, Speaker, Version

_sessions, _speakers, _appearances = table(Session), table(Speaker), table(Appearance)


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
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    changed = _put_speakers(db, own, speakers)
    changed |= _put_sessions(db, own, sessions, uids or {})
    if changed:
        subject = f"forum:{forum.slug}"
        record(db, forum.slug, by.signature, "programme.drafted", subject, now=now, after={"sessions": len(sessions)})
    return changed


def _put_speakers(db: Db, own: int, sent: Sequence[SpeakerInput]) -> bool:
    rows = {row.code: row for row in db.execute(select(Speaker).where(_speakers.c.forum_id == own)).scalars()}
    gone = rows.keys() - {speaker.code for speaker in sent}
    for code in gone:
        db.execute(delete(_appearances).where(_appearances.c.speaker_id == rows[code].id))
        db.delete(rows[code])
    changed = bool(gone)
    for position, speaker in enumerate(sent):
        row = rows.get(speaker.code)
        wanted = {**{name: getattr(speaker, name) for name in _SPEAKER}, "position": position}
        if row is None:
            db.add(Speaker(forum_id=own, code=speaker.code, **wanted))
            changed = True
        else:
            changed |= _assign(row, wanted)
    db.flush()
    return changed


_SPEAKER = ("name", "function", "institution", "country", "bio")
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
        changed |= _take_out(db, rows[code], published)
    cast = _cast(db, own)
    for position, session in enumerate(sent):
        if session.room is not None and session.room not in rooms:
            raise Refused("unknown_room", room=session.room)
        wanted: dict[str, Any] = {name: getattr(session, name) for name in (*_SESSION, *_FLAGS)}
        wanted |= {name: list(getattr(session, name)) for name in _LISTS}
        wanted |= {"room_id": rooms[session.room] if session.room else None, "position": position}
        row = rows.get(session.code)
        if row is None:
            row = Session(forum_id=own, uid=uids.get(session.code) or new_uid(), code=session.code, **wanted)
            db.add(row)
            db.flush()
            changed = True
        elif _assign(row, wanted):
            row.edition += 1
            changed = True
        there = cast.get(row.id or 0, [])
        if there != [(part.speaker, part.role) for part in session.people]:
            _put_cast(db, row.id or 0, session.people, people)
            changed = True
    db.flush()
    return changed


def published_uids(db: Db, own: int) -> set[str]:
    """The uids of every session that ever stood in a published version."""
    versions = table(Version)
    documents = db.execute(select(versions.c.document).where(versions.c.forum_id == own)).scalars()
    return {item["uid"] for document in documents for item in document["sessions"]}


def _take_out(db: Db, row: Session, published: set[str]) -> bool:
    if row.uid in published:
        return _assign(row, {"cancelled": True})
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


def _put_cast(db: Db, session: int, parts: Sequence[AppearanceInput], people: dict[str, int]) -> None:
    db.execute(delete(_appearances).where(_appearances.c.session_id == session))
    for position, part in enumerate(parts):
        if part.speaker not in people:
            raise Refused("unknown_speaker", speaker=part.speaker)
        db.add(Appearance(session_id=session, speaker_id=people[part.speaker], role=part.role, position=position))
    db.flush()


def _assign(row: Any, wanted: dict[str, Any]) -> bool:
    different = [name for name, value in wanted.items() if getattr(row, name) != value]
    for name in different:
        setattr(row, name, wanted[name])
    return bool(different)
