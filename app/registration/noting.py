"""Notes of the desk about a registration: for colleagues, not for lists; their words stand in no fact."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound, Refused
from app.registration.applying import application_of
from app.registration.desk_inputs import NoteInput
from app.registration.models import Note

_notes = table(Note)


def notes_of(db: Db, application: int) -> list[Any]:
    """The notes about a registration (its row's id), the newest first. One query."""
    return list(db.execute(select(_notes).where(_notes.c.application_id == application).order_by(_notes.c.id.desc())))


def notes_about(db: Db, by: Actor, forum: Forum, code: str) -> list[Any]:
    """The notes about the registration with this code, the newest first. Raises NotFound, Forbidden. Two queries."""
    by.must(Permission.SEE_PEOPLE, forum_id(forum))
    return notes_of(db, application_of(db, forum, code).id)


def write_note(db: Db, by: Actor, forum: Forum, code: str, sent: NoteInput, *, now: datetime) -> int:
    """Write a note down; its number. Raises NotFound, and Refused("erased") where nothing personal may be kept any
    more."""
    by.must(Permission.SEE_PEOPLE, forum_id(forum))
    row = application_of(db, forum, code)
    if row.erased_at is not None:
        raise Refused("erased")
    author = by.id if by.kind == "user" else None
    note = {"application_id": row.id, "user_id": author, "author": by.name, "words": sent.words, "written_at": now}
    number = int(db.execute(insert(_notes).values(**note).returning(_notes.c.id)).scalar_one())
    record(db, forum.slug, by.signature, "registration.noted", f"registration:{code}", now=now)
    return number


def remove_note(db: Db, by: Actor, forum: Forum, code: str, note: int, *, now: datetime) -> None:
    """Take a note out: one's own, or any for whoever decides about registrations. Raises NotFound, Forbidden."""
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    row = application_of(db, forum, code)
    here = (_notes.c.id == note) & (_notes.c.application_id == row.id)
    found = db.execute(select(_notes).where(here)).first()
    if found is None:
        raise NotFound
    if by.kind != "user" or found.user_id != by.id:
        by.must(Permission.DECIDE_REGISTRATIONS, own)
    db.execute(delete(_notes).where(here))
    record(db, forum.slug, by.signature, "registration.note_removed", f"registration:{code}", now=now)
