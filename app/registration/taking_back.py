"""Taking back what an organiser decided, as long as its person does not know of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, Refused
from app.mail.delaying import still_here
from app.mail.outbox import withhold
from app.registration.applying import application_of
from app.registration.models import Application, Pick, Seat
from app.registration.quotas import house_of
from app.registration.rules.states import TAKES_BACK, State
from app.registration.seating import drop, move_queue
from app.registration.settling import settle

_applications, _seats, _picks = table(Application), table(Seat), table(Pick)
APPROVALS = ("registration/approved", "registration/approved_waiting")
"""The mails that tell of an approval."""


def before_approval(db: Db, forum: Forum, code: str) -> dict[str, Any]:
    """What of a registration that awaits a decision is needed to bring it back to that. Values of JSON."""
    row = application_of(db, forum, code)
    held = db.execute(select(_seats.c.id).where(_seats.c.application_id == row.id)).first() is not None
    until = row.confirm_by.isoformat() if row.confirm_by else ""
    return {"held": held, "confirm_by": until, "note": row.decision_note}


def take_back_approval(db: Db, by: Actor, forum: Forum, code: str, before: Mapping[str, Any], *, now: datetime) -> None:
    """A registration that was approved awaits a decision again, as it did `before` (`before_approval`): its mail does
    not leave, and a seat that was given with the approval goes to the next (rules §1.5).

    Raises Conflict: `step_not_possible` where it has gone on, `mail_left` where its person was told; Refused
    ("has_sessions") where sessions were chosen meanwhile.
    """
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    settle(db, forum, now=now)
    row, subject = application_of(db, forum, code), f"registration:{code}"
    if State(row.state) not in TAKES_BACK:
        raise Conflict("step_not_possible", state=row.state)
    if not still_here(db, forum.slug, [subject], APPROVALS):
        raise Conflict("mail_left")
    if db.execute(select(_picks.c.id).where(_picks.c.application_id == row.id)).first() is not None:
        raise Refused("has_sessions")
    seat = db.execute(select(_seats).where(_seats.c.application_id == row.id)).first()
    freed = seat is not None and not before["held"]
    if freed:
        drop(db, seat)
    elif seat is not None:
        db.execute(update(_seats).where(_seats.c.id == seat.id).values(kind="hold"))
    until = datetime.fromisoformat(before["confirm_by"]) if before["confirm_by"] else None
    values = {"state": State.AWAITING_APPROVAL.value, "decision_note": before["note"], "confirm_by": until}
    db.execute(update(_applications).where(_applications.c.id == row.id).values(**values))
    withhold(db, forum.slug, subject, APPROVALS)
    states = {"before": {"state": row.state}, "after": {"state": State.AWAITING_APPROVAL.value}}
    record(db, forum.slug, by.signature, "registration.approval_taken_back", subject, now=now, **states)
    if freed:
        move_queue(db, forum, house_of(db, own), now=now)
