"""Putting mail into the outbox, in the transaction of what it reports, and keeping its state (rules §6)."""

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, or_, select, update

from app.audit.recording import record
from app.kit import traces
from app.kit.db import Db, table
from app.kit.errors import Conflict, NotFound
from app.mail.models import Attempt, Message
from app.mail.rules import CLAIM_LASTS, CLOCKS_DIFFER, LONGEST_WAIT

_messages, _attempts = table(Message), table(Attempt)
_QUEUE = insert(_messages)


def queue_mail(
    db: Db,
    forum: str,
    template: str,
    language: str,
    to: tuple[str, str],
    subject: str,
    *,
    now: datetime,
    values: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    batch: str | None = None,
    bulk: bool = False,
    resend_of: int | None = None,
) -> None:
    """Queue `templates/mail/<template>/` for (address, name) about `subject` ("registration:K3TP9QA").

    Values are JSON; links are not among them, the worker computes those. In a `batch` there is one message about a
    subject; `bulk` ones let all others pass; `resend_of` is the message this one repeats.
    """
    row = {
        "message_id": f"<{secrets.token_hex(16)}@sala>",
        "forum": forum,
        "template": template,
        "language": language,
        "to_address": to[0],
        "to_name": to[1],
        "subject": subject,
        "values": dict(values or {}),
        "state": "queued",
        "created_at": now,
        "due_at": due_at or now,
        "attempts": 0,
        "answered": 0,
        "possibly_repeated": False,
        "error": "",
        "batch": batch,
        "bulk": bulk,
        "resend_of": resend_of,
        "bounce": "",
        "trace": traces.place(),
    }
    db.execute(_QUEUE, row)


def was_queued(db: Db, forum: str, subject: str, template: str, *, since: datetime) -> bool:
    """Has such a mail about this been queued after `since`?"""
    mine = (_messages.c.forum == forum) & (_messages.c.subject == subject) & (_messages.c.template == template)
    return db.execute(select(_messages.c.id).where(mine, _messages.c.created_at > since).limit(1)).first() is not None


def unsent(db: Db, forum: str, template: str) -> dict[str, dict[str, Any]]:
    """The values of the forum's messages of this template that have not left, by what they are about. One query."""
    waiting = _messages.c.state.in_(("queued", "retrying")) & (_messages.c.template == template)
    wanted = select(_messages.c.subject, _messages.c["values"]).where(_messages.c.forum == forum, waiting)
    return {row[0]: row[1] for row in db.execute(wanted)}


def waiting(db: Db, forum: str, subjects: Collection[str]) -> set[str]:
    """About which of these a message waits to leave. One query."""
    here = (_messages.c.forum == forum) & _messages.c.subject.in_(subjects)
    wanted = select(_messages.c.subject).where(here, _messages.c.state.in_(("queued", "retrying")))
    return set(db.execute(wanted).scalars())


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message this worker may send now; `repeated` where an earlier try was cut and it may have left already, `trace`
    where it was written."""

    id: int
    message_id: str
    forum: str
    template: str
    language: str
    to_address: str
    to_name: str
    subject: str
    values: dict[str, Any]
    attempts: int
    answered: int
    repeated: bool
    trace: str | None = None


def claim(db: Db, *, now: datetime, most: int = 20, subject: str = "", bulk_a_minute: int = 0) -> list[Claimed]:
    """Take up to `most` due messages for sending: queued or retrying ones whose time has come, and abandoned claims;
    with a `subject` only those about it. What a clock wrote that has been set back since does not wait until that time
    has come again.

    The least tried come first, so that what fails again and again keeps nobody back; behind all others comes what is
    sent in bulk, of which at most `bulk_a_minute` are taken in a minute (0: no limit).
    """
    too_far = (_messages.c.state == "retrying") & (_messages.c.due_at > now + LONGEST_WAIT)
    in_time = or_(_messages.c.due_at <= now, _messages.c.created_at > now + CLOCKS_DIFFER, too_far)
    due = _messages.c.state.in_(("queued", "retrying")) & in_time
    claimed_at = _messages.c.claimed_at
    cut = or_(claimed_at <= now - CLAIM_LASTS, claimed_at >= now + CLAIM_LASTS)
    abandoned = (_messages.c.state == "sending") & cut
    order = (_messages.c.bulk, _messages.c.attempts, _messages.c.due_at, _messages.c.id)
    wanted = select(_messages).where(or_(due, abandoned)).order_by(*order).limit(most)
    if subject:
        wanted = wanted.where(_messages.c.subject == subject)
    left = bulk_a_minute - _bulk_since(db, now - _A_MINUTE) if bulk_a_minute else most
    if left <= 0:
        wanted = wanted.where(_messages.c.bulk.is_(False))
    taken: list[Claimed] = []
    for row in db.execute(wanted).all():
        left -= row.bulk
        if row.bulk and left < 0:
            break
        repeated = row.state == "sending" or row.possibly_repeated
        mine = (_messages.c.id == row.id) & (_messages.c.state == row.state) & (_messages.c.attempts == row.attempts)
        values = {"state": "sending", "claimed_at": now, "attempts": row.attempts + 1, "possibly_repeated": repeated}
        if db.execute(update(_messages).where(mine).values(**values)).rowcount == 1:  # type: ignore[attr-defined]
            taken.append(
                Claimed(
                    row.id,
                    row.message_id,
                    row.forum,
                    row.template,
                    row.language,
                    row.to_address,
                    row.to_name,
                    row.subject,
                    row.values,
                    row.attempts + 1,
                    row.answered,
                    repeated,
                    row.trace,
                )
            )
    return taken


_A_MINUTE = timedelta(minutes=1)


def _bulk_since(db: Db, since: datetime) -> int:
    """How many messages sent in bulk were claimed after `since`."""
    claimed = _messages.c.bulk.is_(True) & (_messages.c.claimed_at > since)
    return int(db.execute(select(func.count()).select_from(_messages).where(claimed)).scalar_one())


def _while_ours(db: Db, message: Claimed, **values: Any) -> bool:
    """Change a claimed message, unless the claim was taken for abandoned meanwhile and is another worker's."""
    mine = (
        (_messages.c.id == message.id) & (_messages.c.state == "sending") & (_messages.c.attempts == message.attempts)
    )
    return bool(db.execute(update(_messages).where(mine).values(**values)).rowcount)  # type: ignore[attr-defined]


def mark_sent(db: Db, message: Claimed, *, now: datetime) -> bool:
    """The server took it. False, and nothing changed, where the claim is no longer this worker's."""
    return _while_ours(db, message, state="sent", sent_at=now, error="")


def mark_failed(
    db: Db,
    message: Claimed,
    error: str,
    retry_at: datetime | None,
    *,
    answered: bool = False,
    may_have_left: bool = False,
) -> bool:
    """It did not leave: try again at `retry_at`, or give up where that is None. `error` is the server's own line.

    `answered`: a server said so of this message itself. `may_have_left`: its text was on the way when the line broke.
    False, and nothing changed, where the claim is no longer this worker's.
    """
    values: dict[str, Any] = {"due_at": retry_at} if retry_at else {}
    values["answered"] = message.answered + answered
    values["possibly_repeated"] = message.repeated or may_have_left
    return _while_ours(db, message, state="retrying" if retry_at else "failed", error=error[:500], **values)


def mark_withheld(db: Db, message: Claimed, reason: str) -> bool:
    """It is no longer true and does not leave. False, and nothing changed, where the claim is another's by now."""
    return _while_ours(db, message, state="withheld", error=reason[:500])


def note_attempt(db: Db, message: Claimed, outcome: str, said: str, *, at: datetime) -> None:
    """Keep how one try went and the server's line, beside the message."""
    db.execute(insert(_attempts).values(message_id=message.id, at=at, outcome=outcome, said=said[:500]))


def mark_bounced(db: Db, message: int, said: str, *, at: datetime) -> bool:
    """It came back: the server refused its recipient for good, or a notification says so. `said` is the server's line.
    False, and nothing changed, where that is known already."""
    new = (_messages.c.id == message) & _messages.c.bounced_at.is_(None)
    done = db.execute(update(_messages).where(new).values(bounced_at=at, bounce=said[:500]))
    return bool(done.rowcount)  # type: ignore[attr-defined]


def attempts_at(db: Db, message: int) -> list[Any]:
    """The tries of one message, oldest first. One query."""
    return list(db.execute(select(_attempts).where(_attempts.c.message_id == message).order_by(_attempts.c.id)))


def withhold_batch(db: Db, batch: str) -> int:
    """Keep what has not left of a batch from leaving; how many messages."""
    waiting = (_messages.c.batch == batch) & _messages.c.state.in_(("queued", "retrying"))
    done = db.execute(update(_messages).where(waiting).values(state="withheld", error="stopped"))
    return int(done.rowcount)  # type: ignore[attr-defined]


def batch_counts(db: Db, batch: str) -> dict[str, int]:
    """How many messages of a batch stand in each state, and `bounced` of those that came back. One query."""
    wanted = select(_messages.c.state, func.count(), func.count(_messages.c.bounced_at))
    rows = db.execute(wanted.where(_messages.c.batch == batch).group_by(_messages.c.state)).all()
    return {**{row[0]: row[1] for row in rows}, "bounced": sum(row[2] for row in rows)}


def in_batch(db: Db, batch: str, addresses: Collection[str]) -> set[tuple[str, str]]:
    """(address, name) of those of these addresses to which a message of the batch was written. One query."""
    there = (_messages.c.batch == batch) & _messages.c.to_address.in_(addresses)
    return {(row.to_address, row.to_name) for row in db.execute(select(_messages).where(there))}


STUCK = ("retrying", "failed")
"""States from which a message may be sent again by hand."""


def message_of(db: Db, forum: str, message: int) -> Any:
    """The forum's message with this id, with its values. Raises NotFound, also for another forum's."""
    row = db.execute(select(_messages).where(_messages.c.forum == forum, _messages.c.id == message)).first()
    if row is None:
        raise NotFound
    return row


def try_again(db: Db, by: tuple[str, str], forum: str, message: int, *, now: datetime) -> None:
    """Put a message that did not leave back into the queue, due now; noted with what it is about (rules §6).

    The caller has asked for permission; `by` signs the fact. Raises NotFound, Conflict: `mail_not_stuck` where it
    left, waits or was withheld meanwhile, `mail_overtaken` where a later one about the same was written.
    """
    row = message_of(db, forum, message)
    if row.state not in STUCK:
        raise Conflict("mail_not_stuck", state=row.state)
    later = (_messages.c.forum == forum) & (_messages.c.subject == row.subject) & (_messages.c.id > message)
    if db.execute(select(_messages.c.id).where(later).limit(1)).first() is not None:
        raise Conflict("mail_overtaken")
    db.execute(update(_messages).where(_messages.c.id == message).values(state="queued", due_at=now))
    record(
        db,
        forum,
        by,
        "mail.queued_again",
        row.subject,
        now=now,
        before={"mail": row.template, "state": row.state, "attempts": row.attempts},
        after={"mail": row.template, "state": "queued"},
    )


def put_off(db: Db, until: datetime) -> None:
    """No server lets us in: nothing that waits is tried before `until` (aware UTC)."""
    due = _messages.c.state.in_(("queued", "retrying")) & (_messages.c.due_at < until)
    db.execute(update(_messages).where(due).values(due_at=until))


def withhold(db: Db, forum: str, subject: str, templates: Iterable[str] | None = None) -> None:
    """Keep what has not left about `subject` (of these templates, or of any) from leaving: it is no longer true."""
    mine = (_messages.c.forum == forum) & (_messages.c.subject == subject)
    if templates is not None:
        mine &= _messages.c.template.in_(list(templates))
    waiting = _messages.c.state.in_(("queued", "retrying"))
    db.execute(update(_messages).where(mine & waiting).values(state="withheld"))


def outbox(db: Db, forum: str, state: str = "", before: int | None = None, most: int = 50) -> list[Any]:
    """The forum's messages, the newest first, one state or all, from below id `before`; the state "bounced" are those
    that came back. One query."""
    columns = [c for c in _messages.c if c.name != "values"]
    wanted = select(*columns).where(_messages.c.forum == forum)
    if state == "bounced":
        wanted = wanted.where(_messages.c.bounced_at.is_not(None))
    elif state:
        wanted = wanted.where(_messages.c.state == state)
    if before is not None:
        wanted = wanted.where(_messages.c.id < before)
    return list(db.execute(wanted.order_by(_messages.c.id.desc()).limit(most)))


def counts(db: Db, forum: str) -> dict[str, int]:
    """How many messages stand in each state, and `bounced` how many came back. One query."""
    wanted = select(_messages.c.state, func.count(), func.count(_messages.c.bounced_at))
    rows = db.execute(wanted.where(_messages.c.forum == forum).group_by(_messages.c.state)).all()
    bounced = sum(row[2] for row in rows)
    return {**{row[0]: row[1] for row in rows}, **({"bounced": bounced} if bounced else {})}


def about(db: Db, forum: str, subject: str) -> list[Any]:
    """The messages about one thing, oldest first."""
    columns = [c for c in _messages.c if c.name != "values"]
    mine = (_messages.c.forum == forum) & (_messages.c.subject == subject)
    return list(db.execute(select(*columns).where(mine).order_by(_messages.c.id)))
