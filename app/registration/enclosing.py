"""What a mail takes along for its reader's calendar (rules §5): the forum and the chosen sessions of whoever holds a
seat for certain. What is due is worked out when a mail leaves and kept as sent before it does.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.codes import digest
from app.kit.db import Db, table
from app.mail.outbox import queue_mail, waiting
from app.programme.published import Programme, PublishedSession
from app.programme.queries import published
from app.programme.rules.visibility import Viewer, shown
from app.registration.models import Application, Enclosure, Pick
from app.registration.people import shown_name
from app.registration.rules.enclosures import Entry, Method, due, latest
from app.registration.rules.picks import PickState
from app.registration.rules.states import State
from app.registration.seating import is_over

TEMPLATE = "registration/calendar"
"""The mail that is there for its enclosures alone."""
QUIET = timedelta(minutes=2)
"""How long such a mail waits, so that several changes in a row are one."""
MOST = 12
"""Entries in one mail; what is left comes with the next."""
_people, _enclosures, _picks = table(Application), table(Enclosure), table(Pick)
_IN_CALENDAR = (PickState.SEATED.value, PickState.PICKED.value)
_OWN_ADDRESS = (_people.c.assistant_name == "") & _people.c.erased_at.is_(None)
"""Whoever reads for somebody else is sent no entries: the place is not theirs."""


@dataclass(frozen=True, slots=True)
class Owed:
    """An entry that is due to somebody; `version` as in `models.Enclosure`."""

    entry: Entry
    version: int


@dataclass(slots=True)
class Mailbox:
    """What one address has of a forum: entries sent to it in order, whether its person holds a seat for certain, and
    the chosen sessions by uid, with whether an organiser admitted the person."""

    sent: list[Entry] = field(default_factory=list)
    holds: bool = False
    picks: dict[str, bool] = field(default_factory=dict)

    def knows_of(self, session: PublishedSession) -> bool:
        """Does the session exist for this person?"""
        return shown(session, Viewer(frozenset({session.code} if self.picks.get(session.uid) else ())))


def owed(db: Db, forum: Forum, people: Collection[int], *, now: datetime) -> dict[int, list[Owed]]:
    """What is due to these applications, at most `MOST` each, the forum first and then by time; those to whom nothing
    is are left out. Nothing is once the forum is over. Five queries, however many people."""
    if is_over(forum, now):
        return {}
    mine = (_people.c.forum_id == forum_id(forum)) & _OWN_ADDRESS & _people.c.id.in_(people)
    addresses = {
        row.id: row.email_normal for row in db.execute(select(_people.c.id, _people.c.email_normal).where(mine))
    }
    if not addresses:
        return {}
    boxes = _mailboxes(db, forum, set(addresses.values()))
    programme = published(db, forum_id(forum))
    found = {person: _due(forum, programme, boxes[address])[:MOST] for person, address in addresses.items()}
    return {person: entries for person, entries in found.items() if entries}


def _mailboxes(db: Db, forum: Forum, addresses: Collection[str]) -> dict[str, Mailbox]:
    boxes = {address: Mailbox() for address in addresses}
    named = {_mailbox(forum, address): box for address, box in boxes.items()}
    sent = select(_enclosures).where(_enclosures.c.mailbox.in_(named)).order_by(_enclosures.c.id)
    for row in db.execute(sent):
        named[row.mailbox].sent.append(_entry(row))
    seated = (_people.c.state == State.SEATED.value) & _people.c.confirmed_at.is_not(None)
    mine = (_people.c.forum_id == forum_id(forum)) & _OWN_ADDRESS & _people.c.email_normal.in_(addresses) & seated
    chosen = (_picks.c.application_id == _people.c.id) & _picks.c.state.in_(_IN_CALENDAR)
    rows = select(_people.c.email_normal, _picks.c.session_uid, _picks.c.admitted).outerjoin(_picks, chosen).where(mine)
    for row in db.execute(rows):
        box = boxes[row.email_normal]
        box.holds = True
        if row.session_uid is not None:
            # of two who share a mailbox, what one is admitted to may be told there
            box.picks[row.session_uid] = box.picks.get(row.session_uid, False) or row.admitted
    return boxes


def _due(forum: Forum, programme: Programme, box: Mailbox) -> list[Owed]:
    """The difference for one mailbox, in the order in which a calendar takes it in."""
    known = {session.uid: session for session in programme.sessions if box.knows_of(session)}
    gone = {uid: session.sequence for uid, session in known.items()} | {forum.uid: forum.sequence}
    standing: dict[str, int] = {}
    dated = forum.starts_on is not None  # rules §5: nothing is entered while the dates are to be announced
    if box.holds and dated:
        standing[forum.uid] = forum.sequence
    for uid, session in known.items():
        if dated and uid in box.picks and session.starts_at is not None and not session.cancelled:
            standing[uid] = session.sequence
    entries = due(latest(box.sent), standing, gone)
    order = {forum.uid: -1} | {uid: at for at, uid in enumerate(known)}
    entries.sort(key=lambda entry: order.get(entry.uid, len(order)))
    return [Owed(entry, programme.number if entry.uid in known else 0) for entry in entries]


def enclose(
    db: Db, forum: Forum, application: int, message_id: str, *, now: datetime, repeated: bool = False
) -> list[Any]:
    """Keep as sent what is due with this message, which is about to leave; the rows. One that is `repeated`, because it
    may have left before, has what it had then and nothing new: whoever has it already reads it no second time."""
    before = enclosed(db, message_id)
    if before or repeated:
        return before
    row = db.execute(select(_people).where(_people.c.id == application, _OWN_ADDRESS)).first()
    entries = owed(db, forum, [application], now=now).get(application, [])
    if row is None or not entries:
        return []
    rows = [
        {
            "application_id": application,
            "mailbox": _mailbox(forum, row.email_normal),
            "message_id": message_id,
            "uid": one.entry.uid,
            "method": one.entry.method.value,
            "sequence": one.entry.sequence,
            "version": one.version,
            "made_at": now,
        }
        for one in entries
    ]
    db.execute(insert(_enclosures), rows)
    return enclosed(db, message_id)


def enclosed(db: Db, message_id: str) -> list[Any]:
    """What this message takes along, in its order. One query."""
    wanted = select(_enclosures).where(_enclosures.c.message_id == message_id).order_by(_enclosures.c.id)
    return list(db.execute(wanted))


def take_back(db: Db, message_id: str) -> None:
    """The message has certainly not left: what it was to take along is due again."""
    db.execute(delete(_enclosures).where(_enclosures.c.message_id == message_id))


def promise(db: Db, forum: Forum, people: Collection[int], *, now: datetime) -> int:
    """See that each of these applications to whom something is due gets a mail: one of its own, unless another about
    them waits to leave, which takes it along; how many were queued. Doing it twice changes nothing."""
    due_to = owed(db, forum, people, now=now)
    rows = list(db.execute(select(_people).where(_people.c.id.in_(due_to)).order_by(_people.c.id))) if due_to else []
    there = waiting(db, forum.slug, [_subject(row) for row in rows]) if rows else set()
    asked = [row for row in rows if _subject(row) not in there]
    for row in asked:
        to = (row.email, shown_name(row, row.language))
        queue_mail(db, forum.slug, TEMPLATE, row.language, to, _subject(row), now=now, due_at=now + QUIET)
    return len(asked)


def shown_to(db: Db, forum: Forum, application: int, uids: Iterable[str]) -> frozenset[str]:
    """Which of these sessions (uids) may be shown to this person today."""
    row = db.execute(select(_people.c.email_normal).where(_people.c.id == application)).one()
    box = _mailboxes(db, forum, {row.email_normal})[row.email_normal]
    wanted = set(uids)
    sessions = published(db, forum_id(forum)).sessions
    return frozenset(one.uid for one in sessions if one.uid in wanted and box.knows_of(one))


def _subject(row: Any) -> str:
    return f"registration:{row.code}"


def _mailbox(forum: Forum, address: str) -> str:
    return digest(f"{forum.uid}/{address}")


def _entry(row: Any) -> Entry:
    return Entry(row.uid, Method(row.method), row.sequence)


def as_entries(rows: Sequence[Any]) -> list[Entry]:
    """The rows of `enclosed` as values."""
    return [_entry(row) for row in rows]
