"""What organisers do about invitations: send one or many, make a code, remind, change, withdraw."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import Fault, Invalid, NotFound, Refused
from app.mail.outbox import queue_mail, withhold
from app.registration.invitation_inputs import CodeInput, Guest, InvitationTerms
from app.registration.models import Invitation
from app.registration.people import shown_name
from app.registration.quotas import House, house_of
from app.registration.releasing import lapse_invitation
from app.registration.replying import uses_of
from app.registration.rules.invitations import Kind, Reply, may_withdraw, normal_code, reminder_at, repeated
from app.registration.rules.names import normal_email
from app.registration.rules.seats import eats_guarantee_of, may_override
from app.registration.seating import can_seat, is_over, move_queue, take
from app.registration.settling import settle

_invitations = table(Invitation)
MAILS = ("invitation/sent", "invitation/reminder")
MOST_AT_ONCE = 200
"""People in one list: a deed holds the pen, and others wait for it."""


def invite(db: Db, by: Actor, forum: Forum, sent: Guest, secret: bytes, *, now: datetime) -> str:
    """Invite one person; the invitation's code for the desk. A mail leaves where there is an address.

    Raises what `invite_many` raises.
    """
    return invite_many(db, by, forum, [sent], secret, now=now)[0]


def invite_many(db: Db, by: Actor, forum: Forum, people: Sequence[Guest], secret: bytes, *, now: datetime) -> list[str]:
    """Invite people, all or none; their codes in order. Seats to keep are taken by the seat rule.

    Raises Refused: `unknown_category`, `forum_over`, `not_enough_seats` with how many are free; Invalid:
    `reply_by_past`, `invited_already` (an open invitation has gone to the address), `twice_in_list`.
    """
    house = _settled(db, by, forum, now)
    addresses = [normal_email(one.email or "") for one in people]
    taken = already_invited(db, forum, addresses)
    for address in addresses:
        if address in taken:
            raise Invalid([Fault("email", "invited_already")])
    if repeated(addresses):
        raise Invalid([Fault("email", "twice_in_list")])
    made = []
    for one in people:
        values = {"kind": Kind.PERSONAL.value, "code": codes.public_code(), "uses": 1, "email": one.email or ""}
        named = {name: getattr(one, name) for name in _NAMED}
        row = _create(db, by, forum, house, one, {**values, **named, "titles": list(one.titles)}, now)
        _renew_digest(db, row, row.generation, secret)
        _mail(db, forum, row, "invitation/sent", now)
        made.append(str(row.code))
    return made


_NAMED = ("language", "family_name", "given_name", "name_km", "display_name", "institution", "position_title")


def make_code(db: Db, by: Actor, forum: Forum, sent: CodeInput, *, now: datetime) -> str:
    """Make an invitation by code; the code. A seat is kept for each use where that is asked for.

    Raises what `invite_many` raises, and Invalid("code_taken") for a code that differs from another one only in
    capitals, spaces and dashes.
    """
    house = _settled(db, by, forum, now)
    if sent.category not in house.categories:
        raise Refused("unknown_category")
    code = sent.code or f"{sent.category}-{codes.public_code(6)}"
    mine = _invitations.c.forum_id == forum_id(forum)
    if normal_code(code) in {normal_code(one) for one in db.execute(select(_invitations.c.code).where(mine)).scalars()}:
        raise Invalid([Fault("code", "code_taken")])
    values = {"kind": Kind.CODE.value, "code": code, "uses": sent.uses}
    return str(_create(db, by, forum, house, sent, values, now).code)


def _settled(db: Db, by: Actor, forum: Forum, now: datetime) -> House:
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    house = settle(db, forum, now=now)
    if is_over(forum, now):
        raise Refused("forum_over")
    return house


def already_invited(db: Db, forum: Forum, addresses: Sequence[str]) -> set[str]:
    """Which of these addresses (as they are compared) an open personal invitation has gone to. One query."""
    mine = (_invitations.c.forum_id == forum_id(forum)) & (_invitations.c.state == Reply.OPEN.value)
    wanted = select(_invitations.c.email).where(mine, _invitations.c.email != "")
    return {normal_email(address) for address in db.execute(wanted).scalars()} & set(addresses)


def end_of_day(forum: Forum, on: date) -> datetime:
    """The last minute of a day where the forum is, in UTC."""
    return datetime.combine(on, time(23, 59), tzinfo=ZoneInfo(forum.timezone)).astimezone(UTC)


def _until(forum: Forum, on: date | None, now: datetime) -> datetime | None:
    until = end_of_day(forum, on) if on else None
    if until is not None and until <= now:
        raise Invalid([Fault("reply_by", "reply_by_past")])
    return until


def _create(
    db: Db, by: Actor, forum: Forum, house: House, sent: InvitationTerms, values: dict[str, Any], now: datetime
) -> Any:
    if sent.category not in house.categories:
        raise Refused("unknown_category")
    own = {
        "forum_id": forum_id(forum),
        "category_id": house.categories[sent.category].id,
        "reserves": sent.reserves,
        "reference": sent.reference,
        "reply_by": _until(forum, sent.reply_by, now),
        "created_at": now,
    }
    row = db.execute(insert(_invitations).values({**_EMPTY, **values, **own}).returning(_invitations)).one()
    personal = {"email": row.email, "name": shown_name(row, row.language)} if row.kind == Kind.PERSONAL else None
    seats = row.uses if sent.reserves else 0
    after = {"category": sent.category, "uses": row.uses, "seats": seats}
    record(
        db, forum.slug, by.signature, "invitation.created", f"invitation:{row.code}",
        now=now, after=after, personal=personal,
    )  # fmt: skip
    if seats:
        _keep_seats(db, by, forum, house, row, sent, seats, now)
    return row


_EMPTY: dict[str, Any] = {
    "language": "en",
    "email": "",
    "titles": [],
    "family_name": "",
    "given_name": "",
    "name_km": "",
    "display_name": "",
    "institution": "",
    "position_title": "",
    "state": Reply.OPEN.value,
    "generation": 1,
    "digest": "",
    "edition": 1,
}


def _keep_seats(
    db: Db, by: Actor, forum: Forum, house: House, row: Any, sent: InvitationTerms, seats: int, now: datetime
) -> None:
    """Take as many seats as there are uses. Beyond a limit or guarantee only with a reason (rules §1.7)."""
    free, category = house.available(now).seats_left[sent.category], sent.category
    for _ in range(seats):
        if not can_seat(house, category, now=now):
            _override(db, by, forum, house, row, sent, free, now)
        take(db, forum, house, category, "invitation", now=now, invitation_id=row.id)


def _override(
    db: Db, by: Actor, forum: Forum, house: House, row: Any, sent: InvitationTerms, free: int, now: datetime
) -> None:
    """One seat beyond what the rule gives, with a reason and the permission for it; never beyond the capacity."""
    hall, name = house.hall_of(sent.category), house.categories[sent.category].name
    if not sent.reason:
        raise Refused("not_enough_seats", category=name, free=free)
    by.must(Permission.SEAT_OVER_LIMITS, forum_id(forum))
    if not may_override(hall.capacity, house.taken_in(hall)):
        raise Refused("not_enough_seats", category=name, free=free)
    eaten = eats_guarantee_of(hall.capacity, hall.quotas, house.taken_in(hall), sent.category, now)
    subject, after = f"invitation:{row.code}", {"category": sent.category, "guarantees": dict(eaten)}
    personal = {"note": sent.reason}  # what an organiser writes may name somebody
    record(db, forum.slug, by.signature, "seat.over_limits", subject, now=now, after=after, personal=personal)


def _mail(db: Db, forum: Forum, row: Any, template: str, now: datetime) -> None:
    if row.email:
        to, subject = (row.email, shown_name(row, row.language)), f"invitation:{row.code}"
        queue_mail(db, forum.slug, template, row.language, to, subject, now=now)


def invitation_token(secret: bytes, invitation: int, generation: int) -> str:
    """The token of an invited person's page."""
    return codes.lasting_token(secret, "invitation", invitation, generation)


def _renew_digest(db: Db, row: Any, generation: int, secret: bytes) -> None:
    kept = {"generation": generation, "digest": codes.digest(invitation_token(secret, row.id, generation))}
    db.execute(update(_invitations).where(_invitations.c.id == row.id).values(**kept))


def invitation_of(db: Db, forum: Forum, code: str) -> Any:
    """The invitation with this code in this forum. Raises NotFound."""
    mine = (_invitations.c.forum_id == forum_id(forum)) & (_invitations.c.code == code)
    row = db.execute(select(_invitations).where(mine)).first()
    if row is None:
        raise NotFound
    return row


def _open(db: Db, by: Actor, forum: Forum, code: str, now: datetime) -> Any:
    """Permission, what is due, and the invitation as long as it waits for an answer."""
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    settle(db, forum, now=now)
    row = invitation_of(db, forum, code)
    if row.state != Reply.OPEN.value:
        raise Refused("invitation_answered")
    return row


def withdraw(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> None:
    """Take an invitation back that waits for an answer, or an accepted one whose registration has ended; seats kept
    with it go to the next.

    Registrations already made with a code stay. Raises Refused("invitation_answered").
    """
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    settle(db, forum, now=now)
    row = invitation_of(db, forum, code)
    if not may_withdraw(row.state, uses_of(db, row.id)):
        raise Refused("invitation_answered")
    if lapse_invitation(db, by, forum, row, Reply.WITHDRAWN.value, now=now):
        move_queue(db, forum, house_of(db, forum_id(forum)), now=now)


def send_again(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> None:
    """Send the invitation once more, with the same link. Raises Refused: `invitation_answered`, `no_address`."""
    row = _open(db, by, forum, code, now)
    if not row.email:
        raise Refused("no_address")
    withhold(db, forum.slug, f"invitation:{code}")  # one that still waits would come twice
    _mail(db, forum, row, "invitation/sent", now)
    record(db, forum.slug, by.signature, "invitation.sent_again", f"invitation:{code}", now=now)


def renew(db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime) -> None:
    """End the link there is and send another. Raises Refused: `invitation_answered`, `no_link` for a code."""
    row = _open(db, by, forum, code, now)
    if row.kind != Kind.PERSONAL.value:
        raise Refused("no_link")
    _renew_digest(db, row, row.generation + 1, secret)
    withhold(db, forum.slug, f"invitation:{code}")
    _mail(db, forum, row, "invitation/sent", now)
    record(db, forum.slug, by.signature, "invitation.link_renewed", f"invitation:{code}", now=now)


def set_reply_date(db: Db, by: Actor, forum: Forum, code: str, on: date | None, *, now: datetime) -> bool:
    """Set the last day to reply by, to its end where the forum is; says whether it was another one.

    The reminder is due anew by the new day. Raises Refused("invitation_answered"), Invalid("reply_by_past").
    """
    row = _open(db, by, forum, code, now)
    until = _until(forum, on, now)
    if until == row.reply_by:
        return False
    values = {"reply_by": until, "reminded_at": None, "edition": row.edition + 1}
    db.execute(update(_invitations).where(_invitations.c.id == row.id).values(**values))
    withhold(db, forum.slug, f"invitation:{code}", ["invitation/reminder"])
    record(
        db, forum.slug, by.signature, "invitation.reply_date", f"invitation:{code}", now=now,
        before={"day": _day(forum, row.reply_by)}, after={"day": _day(forum, until)},
    )  # fmt: skip
    return True


def _day(forum: Forum, until: datetime | None) -> str:
    return until.astimezone(ZoneInfo(forum.timezone)).date().isoformat() if until else ""


def show_link(db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime) -> tuple[str, str]:
    """The language and token of an invited person's page; that it was shown, and to whom, stays in the history.

    Raises Refused: `invitation_answered`, `no_link` for an invitation by code.
    """
    by.must(Permission.SHOW_LINKS, forum_id(forum))
    row = _open(db, by, forum, code, now)
    if row.kind != Kind.PERSONAL.value:
        raise Refused("no_link")
    record(db, forum.slug, by.signature, "invitation.link_shown", f"invitation:{code}", now=now)
    return row.language, invitation_token(secret, row.id, row.generation)


def remind_invited(db: Db, forum: Forum, *, now: datetime) -> int:
    """Remind once, when `reminder_at` says, those who were invited by mail and have not answered; how many."""
    if is_over(forum, now):
        return 0
    mine = (_invitations.c.forum_id == forum_id(forum)) & (_invitations.c.state == Reply.OPEN.value)
    waiting = mine & (_invitations.c.email != "") & _invitations.c.reminded_at.is_(None)
    rows = db.execute(select(_invitations).where(waiting, _invitations.c.reply_by > now)).all()
    due = [row for row in rows if (at := reminder_at(row.created_at, row.reply_by)) is not None and at <= now]
    for row in due:
        db.execute(update(_invitations).where(_invitations.c.id == row.id).values(reminded_at=now))
        _mail(db, forum, row, "invitation/reminder", now)
    return len(due)
