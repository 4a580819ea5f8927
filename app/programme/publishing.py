"""Publishing the working copy as the next numbered version (rules §4.1, §5)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import RoomView, forum_id, rooms_of
from app.kit.db import Db
from app.kit.errors import Conflict as Stale
from app.kit.errors import Refused
from app.kit.i18n import Bilingual
from app.kit.pen import republish
from app.programme.asking_queries import Commitment, commitments
from app.programme.comparing import entries
from app.programme.models import Version
from app.programme.overriding import reasons_of, unexplained
from app.programme.portraits import let_go
from app.programme.published import Programme, PublishedPerson, PublishedSession, to_document
from app.programme.queries import Window, published, setups_of, working_copy
from app.programme.rules.changes import Change, changes, changes_for, next_sequences
from app.programme.rules.conflicts import Conflict, Part, Slot, conflicts
from app.programme.rules.speakers import Reply
from app.programme.rules.visibility import PUBLIC, betrayed_by_gap


def publish(
    db: Db,
    by: Actor,
    forum: Forum,
    *,
    now: datetime,
    note: Bilingual | None = None,
    reason: str = "",
    known: Mapping[str, tuple[int, datetime]] | None = None,
    looked_at: str | None = None,
) -> int:
    """Publish the working copy; the number of the new version. Old versions keep their text.

    `looked_at` is the mark of the difference somebody saw (`pending`): Conflict `difference_changed` where the working
    copy or the public version is another by now.

    SEQUENCE and the change stamps follow from the version before; `known` gives (sequence, changed_at) by uid to a
    forum that was published elsewhere, so that its calendars do not fall behind. Raises Refused:
    `nothing_to_publish`; `conflicts` where hard ones stand in the way that were given no reason while editing, and
    `code_gap` where a closed session would show by the code that is missing (rules §4.5), unless a `reason`
    overrides them.
    """
    own = forum_id(forum)
    by.must(Permission.PUBLISH_PROGRAMME, own)
    open_ones = unexplained(conflicts_of(db, forum), reasons_of(db, own))
    hard = sorted({code for conflict in open_ones for code in conflict.codes})
    if hard and not reason:
        raise Refused("conflicts", codes=", ".join(hard))
    before, drafts = published(db, own), working_copy(db, own)
    if looked_at is not None and looked_at != _mark(before, drafts):
        raise Stale("difference_changed")
    if before.published_at and now < before.published_at:
        # the clock was set back; whoever has a calendar must see that it changed
        now = before.published_at + timedelta(seconds=1)
    sessions = _stamped(before.sessions, drafts, now, known or {})
    if before.number and sessions == before.sessions:
        raise Refused("nothing_to_publish")
    gaps = betrayed_by_gap(sessions)
    if gaps and not reason:
        raise Refused("code_gap", codes=", ".join(gaps))
    number = before.number + 1
    public_number, public_at = told_as(before, sessions, now=now)
    db.add(
        Version(
            forum_id=own,
            number=number,
            published_at=now,
            public_number=public_number,
            public_at=public_at,
            published_by=by.name,
            note=note,
            document=to_document(sessions),
        )
    )
    db.flush()
    let_go(db, own, sessions)
    after = {"version": number, "overridden": hard, "gaps": gaps}
    personal = {"note": reason} if reason else None  # what an editor writes may name somebody
    subject = f"forum:{forum.slug}"
    record(db, forum.slug, by.signature, "programme.published", subject, now=now, after=after, personal=personal)
    republish(db, forum.slug)
    return number


@dataclass(frozen=True, slots=True)
class Pending:
    """What publishing would change: the public version, the sessions as they would be published, the changes for those
    who may know of all, the codes that would be missed, and a `mark` of just this."""

    before: Programme
    sessions: tuple[PublishedSession, ...]
    changes: tuple[Change, ...]
    gaps: tuple[str, ...]
    mark: str

    @property
    def is_anything(self) -> bool:
        """Is there anything to publish?"""
        return self.before.number == 0 or self.sessions != self.before.sessions


def pending(db: Db, forum: Forum, *, now: datetime) -> Pending:
    """The difference between the working copy and what is public, for the desk alone. Writes nothing; conflicts are
    `conflicts_of`."""
    own = forum_id(forum)
    before, drafts = published(db, own), working_copy(db, own)
    sessions = _stamped(before.sessions, drafts, now, {})
    made = changes(entries(before.sessions), entries(sessions)) if before.number else []
    gaps = tuple(betrayed_by_gap(sessions))
    return Pending(before, sessions, tuple(made), gaps, _mark(before, drafts))


def _mark(before: Programme, drafts: tuple[PublishedSession, ...]) -> str:
    """A digest of the public version's number and the whole working copy."""
    told = json.dumps([before.number, to_document(drafts)], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def told_as(before: Programme, sessions: tuple[PublishedSession, ...], *, now: datetime) -> tuple[int, datetime]:
    """Which version everybody is told that `sessions` is, and of when (UTC): that of `before` unless something changed
    that everybody may see (rules §4.5)."""
    if before.public_at and not changes_for(entries(before.sessions), entries(sessions), PUBLIC):
        return before.public_number, before.public_at
    return before.public_number + 1, now


def _stamped(
    before: tuple[PublishedSession, ...],
    drafts: tuple[PublishedSession, ...],
    now: datetime,
    known: Mapping[str, tuple[int, datetime]],
) -> tuple[PublishedSession, ...]:
    """The drafts with their calendar stamps, and what was published and is gone as cancelled."""
    stamps = next_sequences(entries(before), entries(drafts).values(), now)
    drafted = {session.uid for session in drafts}
    gone = tuple(replace(session, cancelled=True) for session in before if session.uid not in drafted)
    whole = []
    for session in (*drafts, *gone):
        sequence, changed_at = stamps[session.uid].sequence, stamps[session.uid].changed_at
        if not before and session.uid in known:
            sequence, changed_at = known[session.uid]
        whole.append(replace(session, sequence=sequence, changed_at=changed_at))
    return tuple(whole)


def conflicts_of(
    db: Db, forum: Forum, sign_ups: Mapping[str, int] | None = None, *, around: Sequence[Window] | None = None
) -> list[Conflict]:
    """What stands in the way of the working copy; `sign_ups` gives places taken by session code. Five queries.

    With `around` only the sessions that touch one of these windows are looked at: what an edit may collide with.
    """
    own = forum_id(forum)
    rooms = {room.code: room for room in rooms_of(db, own)}
    setups, speakers = setups_of(db, own), commitments(db, forum)
    slots = [
        slot_of(session, rooms, setups.get(session.code), (sign_ups or {}).get(session.code, 0), speakers)
        for session in working_copy(db, own, around=around)
        if not session.cancelled
    ]
    return conflicts_among(forum, slots)


def conflicts_among(forum: Forum, slots: Sequence[Slot]) -> list[Conflict]:
    """What stands in the way of these slots on the days of this forum."""
    zone = ZoneInfo(forum.timezone)
    return conflicts(slots, first_day=forum.starts_on, last_day=forum.ends_on, zone=zone)


def slot_of(
    session: PublishedSession,
    rooms: Mapping[str, RoomView],
    setup: str | None = None,
    sign_ups: int = 0,
    speakers: Mapping[str, Commitment] = MappingProxyType({}),
) -> Slot:
    """A session as the rule of conflicts looks at it, in this set-up of its room or the room's usual one; `speakers`
    say by code who has accepted and when who cannot come."""
    room = rooms.get(session.room or "")
    return Slot(
        code=session.code,
        type=session.type,
        start=session.starts_at,
        end=session.ends_at,
        room=session.room,
        room_seats=room.seats_in(setup) if room else None,
        setup=(setup or room.setup) if room else None,
        changeover_minutes=room.changeover_minutes if room else None,
        tracks=frozenset(session.tracks),
        people=tuple(_part(person, speakers.get(person.code, Commitment())) for person in session.people),
        overlap_intended=session.overlap_intended,
        sign_ups=sign_ups,
    )


def _part(person: PublishedPerson, known: Commitment) -> Part:
    return Part(
        person.code,
        person.role,
        guest=known.guest,
        accepted=known.reply is Reply.ACCEPTED,
        declined=known.reply is Reply.DECLINED,
        away=known.away,
    )
