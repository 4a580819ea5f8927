"""Whose voice each speaker is, said at the desk for the report on coverage; nothing of it is published."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, NotFound
from app.kit.i18n import Bilingual
from app.programme.models import Speaker
from app.programme.published import PublishedSession
from app.programme.rules.coverage import Held, Voice

_speakers = table(Speaker)


@dataclass(frozen=True, slots=True)
class Described:
    """A speaker with what is known of whose voice it is."""

    code: str
    name: Bilingual
    voice: Voice


def described(db: Db, own: int) -> list[Described]:
    """Every speaker of the working copy, in order. One query."""
    rows = db.execute(select(_speakers).where(_speakers.c.forum_id == own).order_by(_speakers.c.position))
    return [
        Described(
            row.code,
            row.name or row.function,
            Voice(row.country, " ".join(row.institution.en.split()).casefold() if row.institution else None, row.kind),
        )
        for row in rows
    ]


def held(sessions: Iterable[PublishedSession]) -> list[Held]:
    """The sessions that take place, as the rule of coverage looks at them."""
    return [
        Held(
            session.code,
            frozenset(session.objectives),
            frozenset(session.tracks),
            frozenset(session.themes),
            session.facet,
            tuple((person.code, person.role) for person in session.people),
        )
        for session in sessions
        if not session.cancelled
    ]


def mark_of(speakers: Sequence[Described]) -> str:
    """A digest of whose voices they are said to be: what a form about them was opened on."""
    told = json.dumps([[one.code, one.voice.kind] for one in speakers])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def describe(db: Db, by: Actor, forum: Forum, kinds: Mapping[str, str | None], *, mark: str, now: datetime) -> int:
    """Say whose voice speakers are, by code; how many are said to be another than before.

    Raises Conflict("speakers_changed") where somebody else said so meanwhile, NotFound for a speaker there is not.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    there = described(db, own)
    if mark != mark_of(there):
        raise Conflict("speakers_changed")
    if kinds.keys() - {one.code for one in there}:
        raise NotFound
    changed = [one.code for one in there if one.code in kinds and kinds[one.code] != one.voice.kind]
    for code in changed:
        same = (_speakers.c.forum_id == own, _speakers.c.code == code)
        db.execute(update(_speakers).where(*same).values(kind=kinds[code]))
    if changed:
        subject, after = f"forum:{forum.slug}", {"people": len(changed)}
        record(db, forum.slug, by.signature, "speakers.described", subject, now=now, after=after)
    return len(changed)
