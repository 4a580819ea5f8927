"""Giving up seats that are kept and not used: hold-backs, invitations past their reply, delegations past the deadline.

Each takes back only rows without a person. The caller moves the queue afterwards, in the same transaction.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.kit.db import Db, table
from app.mail.outbox import withhold
from app.registration.delegations import write_to_focal_point
from app.registration.models import Delegation, HoldBack, Invitation, Seat
from app.registration.rules.invitations import Kind, Reply
from app.registration.seating import drop

_seats = table(Seat)
_delegations, _hold_backs, _invitations = table(Delegation), table(HoldBack), table(Invitation)


def release_hold_back(db: Db, by: Actor, forum: Forum, hold_back: int, *, now: datetime) -> int:
    """End a hold-back; how many seats it gave up."""
    freed = _drop_unnamed(db, _seats.c.hold_back_id == hold_back)
    db.execute(update(_hold_backs).where(_hold_backs.c.id == hold_back).values(released_at=now))
    subject = f"hold_back:{hold_back}"
    record(db, forum.slug, by.signature, "hold_back.released", subject, now=now, after={"seats": freed})
    return freed


def lapse_invitation(
    db: Db, by: Actor, forum: Forum, invitation: Any, state: str, *, now: datetime, word: str = ""
) -> int:
    """End an invitation that nobody may answer any more, as `state`: `lapsed`, `declined` or `withdrawn`; how many
    seats it gave up. Mails about it that have not left stay here. `word` is what the invited person says to it."""
    freed = _drop_unnamed(db, _seats.c.invitation_id == invitation.id)
    db.execute(update(_invitations).where(_invitations.c.id == invitation.id).values(state=state, answered_at=now))
    subject, after, personal = f"invitation:{invitation.code}", {"seats": freed}, {"word": word} if word else None
    record(db, forum.slug, by.signature, f"invitation.{state}", subject, now=now, after=after, personal=personal)
    withhold(db, forum.slug, subject)
    return freed


def close_invitation(db: Db, by: Actor, forum: Forum, application: Any, *, now: datetime) -> None:
    """An organiser has ended a registration (its row, as it was): the personal invitation it was made with seats nobody
    any more. Where its own person ends it, the invitation stays, and they may come back with it."""
    if by.owns(application.id) or not by.may(Permission.DECIDE_REGISTRATIONS, application.forum_id):
        return
    end_answered(db, by, forum, application.invitation_id, now=now)


def end_answered(db: Db, by: Actor, forum: Forum, invitation: int | None, *, now: datetime) -> None:
    """Withdraw a personal invitation (its row's id) that was accepted; any other stays as it is."""
    accepted = (_invitations.c.kind == Kind.PERSONAL.value) & (_invitations.c.state == Reply.ACCEPTED.value)
    row = db.execute(select(_invitations).where(_invitations.c.id == invitation, accepted)).first()
    if row is not None:
        lapse_invitation(db, by, forum, row, Reply.WITHDRAWN.value, now=now)


def release_delegation(db: Db, by: Actor, forum: Forum, delegation: Any, *, now: datetime) -> int:
    """The deadline has come: unnamed seats are given up and nobody can be named any more; how many seats (rules §3).

    The focal point is told where any was.
    """
    freed = _drop_unnamed(db, _seats.c.delegation_id == delegation.id)
    if freed:
        write_to_focal_point(db, forum, delegation, "released", now=now, values={"seats": freed})
    db.execute(update(_delegations).where(_delegations.c.id == delegation.id).values(released_at=now))
    subject = f"delegation:{delegation.code}"
    record(db, forum.slug, by.signature, "delegation.released", subject, now=now, after={"seats": freed})
    return freed


def _drop_unnamed(db: Db, whose: ColumnElement[bool]) -> int:
    rows = db.execute(select(_seats).where(whose, _seats.c.application_id.is_(None))).all()
    for row in rows:
        drop(db, row)
    return len(rows)
