"""Giving and freeing seats: the shell around `rules.seats`, always in the transaction of the deed that needs it.

Every deed about seats calls `settle` first, so whatever was due at its `now` (a lapse, an expiry) has happened and a
late worker lets nobody pass the queue (rules §1.4). Afterwards "nobody waits who could be seated" holds, which is why
a newcomer may be seated without looking at the list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, or_, select, update

from app.accounts.actor import Actor
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import ends_at, forum_id
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.mail.outbox import queue_mail, withhold
from app.registration.models import Application, Category, Place, Seat
from app.registration.people import shown_name
from app.registration.quotas import House, due_lapse, house_of
from app.registration.rules.seats import Waiting, admit, may_give
from app.registration.rules.states import State, hold_ends, reminder_due

_applications, _categories = table(Application), table(Category)
_places, _seats = table(Place), table(Seat)


@dataclass(frozen=True, slots=True)
class Asking:
    """What seating needs to know of an application; made from its row."""

    id: int
    code: str
    category: str
    state: str
    language: str
    email: str
    name: str
    confirmed: bool


def asking(row: Any, category: str) -> Asking:
    """An application's row as `Asking`."""
    name = shown_name(row, row.language)
    return Asking(row.id, row.code, category, row.state, row.language, row.email, name, row.confirmed_at is not None)


def settle(db: Db, forum: Forum, *, now: datetime) -> House:
    """Do what is due at `now`: lapses and expiries, in the order of their instants, the waiting list moving after each
    as if it had been done in time. Gives the house anew. When the forum is over nothing moves any more.

    Expired: an unconfirmed seat past `confirm_by`, an offer past `offer_until` (rules §2; both empty while the mail
    that starts the hours is unsent). A seat held for somebody under review who did not confirm is freed; the review
    goes on without it.
    """
    own = forum_id(forum)
    house = house_of(db, own)
    if is_over(forum, now):
        return house
    held = (State.SEATED.value, State.AWAITING_APPROVAL.value)
    rows = db.execute(
        select(_applications).where(
            _applications.c.forum_id == own,
            or_(
                _applications.c.state.in_(held)
                & _applications.c.confirmed_at.is_(None)
                & (_applications.c.confirm_by <= now),
                (_applications.c.state == State.OFFERED.value) & (_applications.c.offer_until <= now),
            ),
        )
    ).all()
    due: dict[datetime, list[Any]] = {row.lapses_at: [] for row in house.categories.values() if due_lapse(row, now)}
    for row in rows:
        due.setdefault(row.offer_until if row.state == State.OFFERED.value else row.confirm_by, []).append(row)
    for at in sorted(due):
        _lapse(db, forum, house, at, now)
        for row in due[at]:
            _expire(db, forum, house, row, now)
        house = house_of(db, own)
        if move_queue(db, forum, house, now=now, at=at):
            house = house_of(db, own)
    return house


def is_over(forum: Forum, now: datetime) -> bool:
    """Has the forum's last day ended?"""
    end_of_forum = ends_at(forum)
    return end_of_forum is not None and now >= end_of_forum


def _lapse(db: Db, forum: Forum, house: House, at: datetime, now: datetime) -> None:
    for row in house.categories.values():
        if row.lapses_at == at and due_lapse(row, now):
            db.execute(update(_categories).where(_categories.c.id == row.id).values(lapse_settled=True))
            after = {"guarantee": row.guarantee, "seated": house.taken[row.code]}
            by = Actor.worker().signature
            record(db, forum.slug, by, "category.lapsed", f"category:{row.code}", now=now, after=after)


def _expire(db: Db, forum: Forum, house: House, row: Any, now: datetime) -> None:
    person = asking(row, house.category_by_id(row.category_id).code)
    if row.state == State.AWAITING_APPROVAL.value:
        free(db, Actor.worker(), forum, person, now=now)
        db.execute(update(_applications).where(_applications.c.id == row.id).values(confirm_by=None))
        return
    end(db, Actor.worker(), forum, person, State.EXPIRED, now=now)
    tell(db, forum, person, "registration/expired", now=now)


def move_queue(db: Db, forum: Forum, house: House, *, now: datetime, at: datetime | None = None) -> int:
    """Give every seat that may be given now to those who wait, in the order of the rule; how many were given.

    Called after whatever frees a seat, in the same transaction (rules §1.5). The promoted are told at once. `at` is
    the instant the rule is asked for where that was in the past. Nobody is seated when the forum is over.
    """
    own = forum_id(forum)
    if is_over(forum, now):
        return 0
    rows = db.execute(
        select(_applications).where(_applications.c.forum_id == own, _applications.c.state == State.WAITING.value)
    ).all()
    if not rows:
        return 0
    codes = {category.id: code for code, category in house.categories.items()}
    by_id = {row.id: asking(row, codes[row.category_id]) for row in rows}
    waiting = [Waiting(row.id, codes[row.category_id], row.priority, row.asked_at) for row in rows]
    admitted = admit(house.terms.capacity, house.quotas, house.taken, waiting, at or now)
    for place in admitted:
        person = by_id[place.id]
        give(db, Actor.worker(), forum, house, person, now=now)
        if house.terms.promotion == "offer":
            step(db, Actor.worker(), forum, person, State.OFFERED, now=now)
            tell(db, forum, person, "registration/offered", now=now, values={"hours": house.terms.offer_hours})
        else:
            step(db, Actor.worker(), forum, person, State.SEATED, now=now)
            tell(db, forum, person, "registration/promoted", now=now, values={"hours": house.terms.confirm_hours})
    return len(admitted)


def can_seat(house: House, category: str, *, now: datetime) -> bool:
    """May one more seat be given in this category now (rules §1)?"""
    return may_give(house.terms.capacity, house.quotas, house.taken, category, now)


def give(db: Db, by: Actor, forum: Forum, house: House, person: Asking, *, now: datetime, kind: str = "person") -> int:
    """Put a person on the lowest free place; the place's number.

    The rule has said yes before. Raises Refused("no_place") where there is none: the table of places is the last word.
    """
    own = forum_id(forum)
    free = (
        select(_places.c.number)
        .outerjoin(_seats, (_seats.c.forum_id == _places.c.forum_id) & (_seats.c.number == _places.c.number))
        .where(_places.c.forum_id == own, _places.c.retiring.is_(False), _seats.c.id.is_(None))
        .order_by(_places.c.number)
        .limit(1)
    )
    number = db.execute(free).scalar_one_or_none()
    if number is None:
        raise Refused("no_place")
    seat = {
        "forum_id": own,
        "number": number,
        "category_id": house.categories[person.category].id,
        "application_id": person.id,
        "kind": kind,
        "purpose": "",
        "given_at": now,
    }
    db.execute(insert(_seats).values(**seat))
    house.taken[person.category] += 1
    record(
        db,
        forum.slug,
        by.signature,
        "seat.given",
        f"registration:{person.code}",
        now=now,
        after={"place": number, "category": person.category},
    )
    return int(number)


def free(db: Db, by: Actor, forum: Forum, person: Asking, *, now: datetime) -> bool:
    """Take the person's seat back, if there is one; a retiring place goes with it. The queue moves afterwards."""
    seat = db.execute(select(_seats).where(_seats.c.application_id == person.id)).first()
    if seat is None:
        return False
    db.execute(delete(_seats).where(_seats.c.id == seat.id))
    here = (_places.c.forum_id == seat.forum_id) & (_places.c.number == seat.number)
    db.execute(delete(_places).where(here, _places.c.retiring.is_(True)))
    subject = f"registration:{person.code}"
    record(db, forum.slug, by.signature, "seat.freed", subject, now=now, before={"place": seat.number})
    return True


def step(
    db: Db,
    by: Actor,
    forum: Forum,
    person: Asking,
    state: State,
    *,
    now: datetime,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Bring an application into another state; `values` are further columns. The caller has asked `may_follow`."""
    changed = {"state": state.value, **(values or {})}
    db.execute(update(_applications).where(_applications.c.id == person.id).values(**changed))
    record(
        db,
        forum.slug,
        by.signature,
        f"registration.{state.value}",
        f"registration:{person.code}",
        now=now,
        before={"state": person.state},
        after={"state": state.value},
    )


def end(db: Db, by: Actor, forum: Forum, person: Asking, state: State, *, now: datetime, note: str = "") -> bool:
    """End an application (cancelled, declined, expired): its seat is freed and its person may register again.

    Says whether a seat was freed; the caller then moves the queue.
    """
    freed = free(db, by, forum, person, now=now)
    withhold(db, forum.slug, f"registration:{person.code}")
    values = {"live_key": None, "ended_at": now, "confirm_by": None, "offer_until": None, "decision_note": note}
    step(db, by, forum, person, state, now=now, values=values)
    return freed


def tell(
    db: Db, forum: Forum, person: Asking, template: str, *, now: datetime, values: Mapping[str, Any] | None = None
) -> None:
    """Queue a mail to the person about their registration."""
    to, subject = (person.email, person.name), f"registration:{person.code}"
    queue_mail(db, forum.slug, template, person.language, to, subject, now=now, values=values)


def remind(db: Db, forum: Forum, *, now: datetime) -> int:
    """Remind once, half-way through the hours, those whose held seat is not confirmed yet; how many (rules §2)."""
    own = forum_id(forum)
    if is_over(forum, now):
        return 0
    house = house_of(db, own)
    hours = house.terms.confirm_hours
    rows = db.execute(
        select(_applications).where(
            _applications.c.forum_id == own,
            _applications.c.state == State.SEATED.value,
            _applications.c.confirmed_at.is_(None),
            _applications.c.reminded_at.is_(None),
            _applications.c.confirm_by > now,
            _applications.c.confirm_by <= now + timedelta(hours=hours),
        )
    ).all()
    reminded = 0
    for row in rows:
        sent_at = row.confirm_by - timedelta(hours=hours)
        if reminder_due(sent_at, hours, reminded=False, now=now):
            person = asking(row, house.category_by_id(row.category_id).code)
            db.execute(update(_applications).where(_applications.c.id == row.id).values(reminded_at=now))
            tell(db, forum, person, "registration/reminder", now=now)
            reminded += 1
    return reminded


def start_hours(db: Db, forum: Forum, code: str, template: str, *, sent_at: datetime) -> None:
    """The mail `template` about registration `code` has left at `sent_at`: the hours it speaks of start (rules §2).

    A mail that has failed for good starts them too, at its failure: else the seat would be held for ever.
    """
    own = forum_id(forum)
    house = house_of(db, own)
    mine = (_applications.c.forum_id == own) & (_applications.c.code == code)
    if template in ASKS_TO_CONFIRM:
        until = hold_ends(sent_at, house.terms.confirm_hours)
        holds = select(_seats.c.id).where(_seats.c.application_id == _applications.c.id).exists()
        unset = (
            _applications.c.confirmed_at.is_(None)
            & _applications.c.confirm_by.is_(None)
            & _applications.c.state.in_((State.SEATED.value, State.AWAITING_APPROVAL.value))
            & holds
        )
        db.execute(update(_applications).where(mine & unset).values(confirm_by=until))
    elif template == "registration/offered":
        until = hold_ends(sent_at, house.terms.offer_hours)
        offered = (_applications.c.state == State.OFFERED.value) & _applications.c.offer_until.is_(None)
        db.execute(update(_applications).where(mine & offered).values(offer_until=until))


ASKS_TO_CONFIRM = frozenset(
    {"registration/seated", "registration/awaiting", "registration/promoted", "registration/approved"}
)
"""The mails whose leaving starts the hours in which a seat is held for its confirmation."""


def still_true(db: Db, forum: Forum, code: str, template: str) -> bool:
    """Whether a reminder or an offer about registration `code` still says what is so; other mails always do."""
    mine = (_applications.c.forum_id == forum_id(forum)) & (_applications.c.code == code)
    if template == "registration/reminder":
        mine &= (_applications.c.state == State.SEATED.value) & _applications.c.confirmed_at.is_(None)
    elif template == "registration/offered":
        mine &= _applications.c.state == State.OFFERED.value
    else:
        return True
    return db.execute(select(_applications.c.id).where(mine)).first() is not None
