"""What a focal point does: name people, mark the head, substitute, withdraw, hand seats back (rules §3).

Naming fills a seat the delegation has, it adds none. Whoever is named is confirmed: the focal point vouches for them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import NotFound, Refused
from app.mail.outbox import withhold
from app.registration import applying
from app.registration.delegation_inputs import DelegateInput
from app.registration.delegations import (
    delegation_of,
    record_about,
    seat_rows,
    speaks_for,
)
from app.registration.inputs import Person
from app.registration.models import Application, Delegation, Needs, Seat
from app.registration.naming_twice import identity_of, named_by, refuse_known
from app.registration.people import person_columns, shown_name
from app.registration.quotas import House, house_of
from app.registration.rules.names import normal_email
from app.registration.rules.states import State, may_follow
from app.registration.same_person import registered_already
from app.registration.seating import Asking, asking, drop, end_companions, fill, is_over, move_queue, step, tell
from app.registration.settling import settle

_applications, _delegations = table(Application), table(Delegation)
_needs, _seats = table(Needs), table(Seat)

SUBSTITUTED = "substituted"
"""The note on the registration of somebody whose seat another person got."""


def _opening(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> tuple[House, Any]:
    """What is due, the delegation's row, and whether this actor may: the opening of every deed here.

    Raises NotFound for another delegation's focal point, Refused: `ended_delegation`, `door_over`.
    """
    house = settle(db, forum, now=now)
    row = delegation_of(db, forum, code)
    if not by.owns_delegation(row.id):
        by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    if row.ended_at is not None:
        raise Refused("ended_delegation")
    if is_over(forum, now):
        raise Refused("door_over")
    return house, row


def name(
    db: Db,
    by: Actor,
    forum: Forum,
    code: str,
    people: Sequence[DelegateInput],
    key: str,
    secret: bytes,
    *,
    now: datetime,
    listed: bool = False,
) -> list[str]:
    """Name people, all or none, on the delegation's unnamed seats; their codes, in order. That a list brought them is
    a fact of its own.

    The same request key gives the same answer and nobody twice (rules §1.10); with other people it is
    Refused("form_sent_already"). Each with an address of their own is written to; about one without, named alone, the
    focal point is. Raises Refused: `past_deadline`, `seats_unnamed` with how many are left, `member_registered` (field:
    the place in `people`), and what `_opening` raises.
    """
    own = forum_id(forum)
    house, row = _opening(db, by, forum, code, now=now)
    if before := named_by(db, row, people, key):
        return before
    if row.released_at is not None:
        raise Refused("past_deadline")
    free = [seat for seat in seat_rows(db, row.id) if seat.application_id is None]
    if len(people) > len(free):
        raise Refused("seats_unnamed", free=len(free), wanted=len(people))
    refuse_known(db, own, [identity_of(row, sent) for sent in people])
    category = house.category_by_id(row.category_id)
    named: list[str] = []
    for place, (sent, seat) in enumerate(zip(people, free, strict=False)):
        person = _register(db, by, forum, row, category, sent, f"{key}-{place}", secret, now=now)
        fill(db, by, forum, seat, person, now=now)
        if sent.heads:
            _set_head(db, row.id, person.id)
        if sent.email or len(people) == 1:
            tell(db, forum, person, "delegation/named", now=now, values={"institution": row.institution})
        named.append(person.code)
    if listed:
        record_about(db, by, forum, code, "list_accepted", now=now, after={"people": len(named)})
    return named


def _register(
    db: Db,
    by: Actor,
    forum: Forum,
    row: Any,
    category: Any,
    sent: DelegateInput,
    key: str,
    secret: bytes,
    *,
    now: datetime,
) -> Asking:
    """The registration of one person who is named: seated and confirmed."""
    code, language = codes.public_code(), sent.language or row.language
    email = sent.email or row.focal_email
    columns = {
        "forum_id": forum_id(forum),
        "category_id": category.id,
        "delegation_id": row.id,
        "heads_delegation": False,
        "code": code,
        "request_key": key,
        "live_key": identity_of(row, sent).key,
        "state": State.SEATED.value,
        "language": language,
        "email": email,
        "email_normal": normal_email(email),
        "assistant_name": "" if sent.email else row.focal_name,
        "asked_at": now,
        "confirmed_at": now,
        **person_columns(sent),
    }
    number, _ = applying.write_application(db, columns, secret)
    shown = shown_name(columns, language)
    after = {"category": category.code, "state": State.SEATED.value, "delegation": row.code}
    about, personal = f"registration:{code}", {"email": email, "name": shown}
    record(db, forum.slug, by.signature, "registration.named", about, now=now, after=after, personal=personal)
    return Asking(number, code, category.code, State.SEATED.value, language, email, shown, confirmed=True)


def _set_head(db: Db, delegation: int, application: int) -> None:
    mine = _applications.c.delegation_id == delegation
    db.execute(update(_applications).where(mine).values(heads_delegation=_applications.c.id == application))


def member_of(db: Db, delegation: int, application: str) -> Any:
    """The delegation's person with this code, on a seat of the delegation. Raises NotFound."""
    mine = (_applications.c.delegation_id == delegation) & (_applications.c.code == application)
    seated = (_seats.c.application_id == _applications.c.id) & (_seats.c.delegation_id == delegation)
    row = db.execute(select(_applications).join(_seats, seated).where(mine)).first()
    if row is None:
        raise NotFound
    return row


def set_head(db: Db, by: Actor, forum: Forum, code: str, application: str, *, now: datetime) -> bool:
    """Mark the head of the delegation; there is one at most. Says whether that is news."""
    _, row = _opening(db, by, forum, code, now=now)
    person = member_of(db, row.id, application)
    if person.heads_delegation:
        return False
    _set_head(db, row.id, person.id)
    record_about(db, by, forum, code, "head", now=now, after={"registration": application})
    return True


def substitute(
    db: Db,
    by: Actor,
    forum: Forum,
    code: str,
    application: str,
    sent: DelegateInput,
    key: str,
    secret: bytes,
    *,
    now: datetime,
) -> str:
    """Put another person on the seat of one who is named, which stays the delegation's; the new person's code.

    That holds after the deadline too: no seat is lost or won by it. The former registration ends as cancelled with
    the note `substituted`, and whoever accompanied that person ends with them: the badges go to the next. The same
    request key gives the same answer. Raises Refused: `member_registered`, `form_sent_already`, and what `_opening`
    raises; NotFound.
    """
    own = forum_id(forum)
    house, row = _opening(db, by, forum, code, now=now)
    if before := named_by(db, row, [sent], key):
        if applying.application_of(db, forum, application).ended_at is None:
            raise Refused("form_sent_already")  # for the seat of somebody else
        return before[0]
    old = member_of(db, row.id, application)
    if not may_follow(State(old.state), State.CANCELLED):
        raise Refused("ended")
    wanted = identity_of(row, sent)
    if wanted.marks & registered_already(db, own, [wanted], besides=(old.id,)):
        raise Refused("member_registered")
    category = house.category_by_id(old.category_id)
    former = asking(old, category.code)
    withhold(db, forum.slug, f"registration:{former.code}")
    ended = {
        "live_key": None,
        "ended_at": now,
        "confirm_by": None,
        "decision_note": SUBSTITUTED,
        "heads_delegation": False,
    }
    freed = end_companions(db, by, forum, former.id, now=now)
    step(db, by, forum, former, State.CANCELLED, now=now, values=ended)
    person = _register(db, by, forum, row, category, sent, f"{key}-0", secret, now=now)
    seat = db.execute(select(_seats).where(_seats.c.application_id == former.id)).one()
    fill(db, by, forum, seat, person, now=now)
    if sent.heads:
        _set_head(db, row.id, person.id)
    after = {"former": former.code, "registration": person.code}
    record_about(db, by, forum, code, "substituted", now=now, after=after)
    if not speaks_for(row, old):
        tell(db, forum, former, "delegation/substituted", now=now, values={"institution": row.institution})
    tell(db, forum, person, "delegation/named", now=now, values={"institution": row.institution})
    if freed:
        move_queue(db, forum, house_of(db, own), now=now)
    return person.code


def correct_member(
    db: Db, by: Actor, forum: Forum, code: str, application: str, sent: Person, edition: int, *, now: datetime
) -> bool:
    """Correct the details of somebody for whom the focal point speaks; what they need stays as it is, unseen.

    Whoever has an address corrects them alone, or whoever registered them there. Raises Refused("corrects_alone") for
    those, and what `applying.correct` raises.
    """
    _, row = _opening(db, by, forum, code, now=now)
    person = member_of(db, row.id, application)
    if not speaks_for(row, person):
        raise Refused("corrects_alone")
    needs = db.execute(select(_needs).where(_needs.c.application_id == person.id)).first()
    kept = {"meals": needs.meals, "access": needs.access} if needs else {}
    return applying.correct(db, by, forum, application, sent.model_copy(update=kept), edition, now=now)


def withdraw_member(db: Db, by: Actor, forum: Forum, code: str, application: str, *, now: datetime) -> bool:
    """Withdraw somebody: until the deadline the seat is the delegation's again, afterwards it goes to the next."""
    _, row = _opening(db, by, forum, code, now=now)
    member_of(db, row.id, application)
    return applying.cancel(db, by, forum, application, now=now)


def hand_back(db: Db, by: Actor, forum: Forum, code: str, seats: int, *, now: datetime) -> int:
    """Give so many unnamed seats back; they go to those who wait, in the same transaction (rules §1.5).

    Raises Refused("seats_unnamed") where fewer are unnamed, and what `_opening` raises.
    """
    _, row = _opening(db, by, forum, code, now=now)
    free = [seat for seat in seat_rows(db, row.id) if seat.application_id is None]
    if seats > len(free):
        raise Refused("seats_unnamed", free=len(free), wanted=seats)
    for seat in free[len(free) - seats :]:
        drop(db, seat)
    record_about(db, by, forum, code, "handed_back", now=now, after={"seats": seats})
    move_queue(db, forum, house_of(db, forum_id(forum)), now=now)
    return seats
