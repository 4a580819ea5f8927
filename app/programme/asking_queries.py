"""Reads of what speakers were asked and answered: for conflicts, the desk's list, one speaker, and a secret link."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.codes import digest
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Bilingual
from app.programme.models import Appearance, Asking, Session, Speaker
from app.programme.rules.speakers import OPEN, Reply, Window, windows_of

_speakers, _askings = table(Speaker), table(Asking)
_parts, _sessions, _forums = table(Appearance), table(Session), table(Forum)
_ASKED = (
    *(_askings.c[name] for name in ("email", "language", "state", "asked_at", "answered_at", "note")),
    *(_askings.c[name] for name in ("generation", "digest", "feed_generation", "away", "away_note", "told")),
)


@dataclass(frozen=True, slots=True)
class Commitment:
    """What the rule of conflicts asks of a speaker: a guest, with or without a yes, and when they cannot come."""

    guest: bool = False
    reply: Reply = Reply.UNASKED
    away: tuple[Window, ...] = ()


def commitments(db: Db, forum: Forum) -> Mapping[str, Commitment]:
    """Every speaker of the working copy by code. One query."""
    zone = ZoneInfo(forum.timezone)
    wanted = (
        select(_speakers.c.code, _speakers.c.guest, _askings.c.state, _askings.c.away)
        .outerjoin(_askings, _askings.c.speaker_id == _speakers.c.id)
        .where(_speakers.c.forum_id == forum_id(forum))
    )
    return {
        row.code: Commitment(row.guest, Reply(row.state or Reply.UNASKED), windows_of(row.away or (), zone))
        for row in db.execute(wanted)
    }


def unanswered(db: Db, own: int) -> int:
    """How many speakers of the working copy were asked and have not answered. One query."""
    mine = (_speakers.c.forum_id == own) & (_askings.c.state == Reply.ASKED.value)
    wanted = select(func.count()).select_from(_askings).join(_speakers, _speakers.c.id == _askings.c.speaker_id)
    return int(db.execute(wanted.where(mine)).scalar_one())


@dataclass(frozen=True, slots=True)
class Role:
    """A part in a session of the working copy."""

    code: str
    title: Bilingual
    role: str
    cancelled: bool


def speakers_of(db: Db, own: int) -> list[Any]:
    """Every speaker of the working copy in order, with what they were asked (empty where they were not). One query."""
    wanted = (
        select(_speakers, *_ASKED)
        .outerjoin(_askings, _askings.c.speaker_id == _speakers.c.id)
        .where(_speakers.c.forum_id == own)
        .order_by(_speakers.c.position, _speakers.c.id)
    )
    return list(db.execute(wanted))


def roles_of(db: Db, own: int) -> Mapping[str, list[Role]]:
    """The parts of every speaker in the working copy by code, in the order of the programme. One query."""
    wanted = (
        select(_speakers.c.code.label("who"), _parts.c.role, _sessions.c.code, _sessions.c.title, _sessions.c.cancelled)
        .join(_parts, _parts.c.speaker_id == _speakers.c.id)
        .join(_sessions, _sessions.c.id == _parts.c.session_id)
        .where(_speakers.c.forum_id == own)
        .order_by(_sessions.c.starts_at, _sessions.c.position)
    )
    found: dict[str, list[Role]] = {}
    for row in db.execute(wanted):
        found.setdefault(row.who, []).append(Role(row.code, row.title, row.role, row.cancelled))
    return found


def speaker_of(db: Db, own: int, code: str) -> Any:
    """The speaker with this code in this forum, with what they were asked. Raises NotFound. One query."""
    wanted = (
        select(_speakers, *_ASKED)
        .outerjoin(_askings, _askings.c.speaker_id == _speakers.c.id)
        .where(_speakers.c.forum_id == own, _speakers.c.code == code)
    )
    row = db.execute(wanted).first()
    if row is None:
        raise NotFound
    return row


@dataclass(frozen=True, slots=True)
class OwnPage:
    """Whose page a secret link opens: the speaker's row with what was asked, and the forum."""

    row: Any
    forum: Forum


def speaker_by_token(db: Db, token: str) -> OwnPage:
    """The speaker whose secret link this token is. Raises NotFound, also once the organisers took the question back."""
    wanted = (
        select(_speakers, *_ASKED)
        .join(_askings, _askings.c.speaker_id == _speakers.c.id)
        .where(_askings.c.digest == digest(token))
    )
    row = db.execute(wanted).first()
    if row is None or row.state not in OPEN:
        raise NotFound
    forum: Forum = db.execute(select(Forum).where(_forums.c.id == row.forum_id)).scalar_one()
    return OwnPage(row, forum)


@dataclass(frozen=True, slots=True)
class FeedOf:
    """Whose calendar a token opens, as far as the calendar needs to know."""

    forum: str
    speaker: str
    language: str
    comes: bool
    changed_at: datetime


def feed_by_token(db: Db, token: str) -> FeedOf | None:
    """The speaker whose own calendar this token is of; None where there is none or it has been renewed. One query."""
    wanted = (
        select(_speakers.c.code, _askings.c.state, _askings.c.language, _askings.c.changed_at, _forums.c.slug)
        .join(_speakers, _speakers.c.id == _askings.c.speaker_id)
        .join(_forums, _forums.c.id == _speakers.c.forum_id)
        .where(_askings.c.feed_digest == digest(token))
    )
    row = db.execute(wanted).first()
    if row is None or row.state not in OPEN:
        return None
    return FeedOf(row.slug, row.code, row.language, row.state != Reply.DECLINED, row.changed_at)
