"""What an invited person does: accept by registering, with a personal link or a code, or decline."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from app.accounts.actor import Actor
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.codes import digest
from app.kit.db import Db, table
from app.kit.errors import NotFound, Refused
from app.kit.throttling import count_visit, must_wait
from app.mail.outbox import withhold
from app.registration.answering import Sent
from app.registration.applying import Asked, application_of, apply
from app.registration.assistants import Principals
from app.registration.inputs import ApplicationInput
from app.registration.models import Application, Invitation, Seat
from app.registration.quotas import house_of
from app.registration.releasing import lapse_invitation
from app.registration.rules.invitations import Kind, Reply, normal_code, refusal_of
from app.registration.rules.names import normal_email
from app.registration.rules.states import State
from app.registration.seating import asking, drop, fill, move_queue, step, tell
from app.registration.settling import settle
from app.registration.welcome import Welcome

_applications, _invitations, _seats = table(Application), table(Invitation), table(Seat)


def invitation_by_token(db: Db, token: str) -> Any:
    """The invitation whose secret link this token is. Raises NotFound."""
    row = db.execute(select(_invitations).where(_invitations.c.digest == digest(token))).first()
    if row is None:
        raise NotFound
    return row


def invitation_by_code(db: Db, forum: Forum, typed: str) -> Any:
    """The invitation by code that `typed` opens, or None. A personal one is opened by its link alone."""
    wanted = normal_code(typed)
    bare = func.replace(_invitations.c.code, "-", "")
    mine = (_invitations.c.forum_id == forum_id(forum)) & (_invitations.c.kind == Kind.CODE.value)
    return db.execute(select(_invitations).where(mine, bare == wanted)).first() if wanted else None


def uses_of(db: Db, invitation: int) -> int:
    """The live registrations that were made with it."""
    mine = (_applications.c.invitation_id == invitation) & _applications.c.ended_at.is_(None)
    return int(db.execute(select(func.count()).select_from(_applications).where(mine)).scalar_one())


def refusal_now(db: Db, invitation: Any, *, now: datetime) -> str:
    """Why the invitation may not be used now, as a refusal's code; "" where it may."""
    used = uses_of(db, invitation.id)
    return refusal_of(invitation.state, invitation.reply_by, used, invitation.uses, now)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a typed code opens: the category's code, or why it opens nothing."""

    category: str
    refusal: str = ""

    @property
    def is_unknown(self) -> bool:
        return self.refusal == "code_unknown"


def try_code(db: Db, forum: Forum, typed: str, whom: str, most: int, window_seconds: int, *, now: datetime) -> Tried:
    """Look a typed code up. One that is unknown is counted for `whom`, so that codes cannot be guessed.

    Raises TooMany where `most` unknown ones were tried in the window, whatever is typed then; 0 = no limit.
    """
    must_wait(db, whom, most, window_seconds, now=now)
    row = invitation_by_code(db, forum, typed)
    if row is None:
        count_visit(db, whom, most, window_seconds, now=now)
        return Tried("", "code_unknown")
    category = house_of(db, forum_id(forum)).category_by_id(row.category_id).code
    return Tried(category, refusal_now(db, row, now=now))


def accept(
    db: Db,
    forum: Forum,
    invitation: int,
    sent: ApplicationInput,
    key: str,
    secret: bytes,
    *,
    now: datetime,
    answers: Sent | None = None,
    principals: Principals = Principals(),  # noqa: B008 - its values never change
) -> Asked:
    """Register with an invitation (its row's id): on the seat that is kept with it, else by the seat rule.

    Confirmed already where the address is the invited one (rules §2). Raises Refused: why the invitation cannot be
    used (`invitation_declined`, `…_lapsed`, `…_withdrawn`, `…_used`), `code_other_group`, and what `apply` raises.
    """
    house = settle(db, forum, now=now)
    row = _row(db, forum, invitation)
    if house.category_by_id(row.category_id).code != sent.category:
        raise Refused("code_other_group")
    personal = row.kind == Kind.PERSONAL.value
    by = Actor.invited(row.id) if personal else Actor.visitor()
    at_this_address = personal and row.email != "" and normal_email(row.email) == normal_email(sent.email)
    seat = db.execute(_kept(row.id).order_by(_seats.c.number).limit(1)).first()
    welcome = Welcome(
        template="registration/invited",
        confirmed=at_this_address,
        after_closing=row.reply_by is not None,
        invitation_id=row.id,
        invitation_code=row.code,
        seat=seat,
        refusal=refusal_now(db, row, now=now),
    )
    asked = apply(db, by, forum, sent, key, secret, now=now, welcome=welcome, answers=answers, principals=principals)
    if asked.same_request or (asked.known and not (at_this_address and _take_up(db, by, forum, row, asked, now=now))):
        return asked
    if personal:
        answered = {"state": Reply.ACCEPTED.value, "answered_at": now}
        db.execute(update(_invitations).where(_invitations.c.id == row.id).values(**answered))
        withhold(db, forum.slug, f"invitation:{row.code}")
    kind, after = "invitation.accepted" if personal else "invitation.used", {"registration": asked.code}
    record(db, forum.slug, by.signature, kind, f"invitation:{row.code}", now=now, after=after)
    return asked


def _kept(invitation: int) -> Any:
    return select(_seats).where(_seats.c.invitation_id == invitation, _seats.c.application_id.is_(None))


def _take_up(db: Db, by: Actor, forum: Forum, invitation: Any, asked: Asked, *, now: datetime) -> bool:
    """The invited person had registered in this category before: the earlier registration gets the kept seat.

    Where it has a seat already, the kept one goes to the next. Says whether the invitation is answered by it.
    """
    row = application_of(db, forum, asked.code)
    if row.category_id != invitation.category_id:
        return False
    person = asking(row, house_of(db, forum_id(forum)).category_by_id(row.category_id).code)
    kept = db.execute(_kept(invitation.id)).first()
    own = db.execute(select(_seats).where(_seats.c.application_id == row.id)).first()
    if own is None and kept is None:
        return False
    if own is None:
        fill(db, by, forum, kept, person, now=now)
    else:
        db.execute(update(_seats).where(_seats.c.id == own.id).values(kind="person"))
        if kept is not None:
            drop(db, kept)
    confirmed = {"confirmed_at": row.confirmed_at or now, "confirm_by": None, "offer_until": None}
    values = {**confirmed, "invitation_id": invitation.id}
    if row.state == State.SEATED.value:
        db.execute(update(_applications).where(_applications.c.id == row.id).values(**values))
    else:
        step(db, by, forum, person, State.SEATED, now=now, values=values)
    withhold(db, forum.slug, f"registration:{row.code}")
    tell(db, forum, person, "registration/invited", now=now)
    if own is not None and kept is not None:
        move_queue(db, forum, house_of(db, forum_id(forum)), now=now)
    return True


def decline(db: Db, forum: Forum, invitation: int, word: str, *, now: datetime) -> bool:
    """Say no; a seat kept with the invitation goes to the next at once. False where that was said before.

    Raises Refused: `invitation_used` where it was accepted, `invitation_lapsed`, `invitation_withdrawn`.
    """
    settle(db, forum, now=now)
    row = _row(db, forum, invitation)
    if row.state == Reply.DECLINED.value:
        return False
    if row.state != Reply.OPEN.value:
        raise Refused("invitation_used" if row.state == Reply.ACCEPTED.value else f"invitation_{row.state}")
    if lapse_invitation(db, Actor.invited(row.id), forum, row, Reply.DECLINED.value, now=now, word=word):
        move_queue(db, forum, house_of(db, forum_id(forum)), now=now)
    return True


def _row(db: Db, forum: Forum, invitation: int) -> Any:
    mine = (_invitations.c.forum_id == forum_id(forum)) & (_invitations.c.id == invitation)
    row = db.execute(select(_invitations).where(mine)).first()
    if row is None:
        raise NotFound
    return row
