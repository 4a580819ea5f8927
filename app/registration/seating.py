"""Giving and freeing seats: the shell around `rules.seats`, always in the transaction of the deed that needs it.

Every deed about seats calls `settling.settle` first. Afterwards "nobody waits who could be seated" holds, which is why
a newcomer may be seated without looking at the list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from app.accounts.actor import Actor
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import ends_at, forum_id
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.mail.outbox import queue_mail, withhold
from app.registration.drawing import Drawn
from app.registration.models import Application, Category, Delegation, Place, Seat
from app.registration.people import shown_name
from app.registration.quotas import House, house_of
from app.registration.rules.seats import Waiting, admit, may_give
from app.registration.rules.states import ENDED, HOLDS_SEAT, State, hold_ends
from app.registration.signing_up import arrive, leave

_applications, _categories, _delegations = table(Application), table(Category), table(Delegation)
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


def is_over(forum: Forum, now: datetime) -> bool:
    """Has the forum's last day ended?"""
    end_of_forum = ends_at(forum)
    return end_of_forum is not None and now >= end_of_forum


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
    admitted = []
    for hall in house.halls:
        inside = {quota.category for quota in hall.quotas}
        waiting = [
            Waiting(row.id, codes[row.category_id], row.priority, row.asked_at)
            for row in rows
            if codes[row.category_id] in inside
        ]
        admitted += admit(hall.capacity, hall.quotas, house.taken_in(hall), waiting, at or now)
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
    hall = house.hall_of(category)
    return may_give(hall.capacity, hall.quotas, house.taken_in(hall), category, now)


def give(
    db: Db,
    by: Actor,
    forum: Forum,
    house: House,
    person: Asking,
    *,
    now: datetime,
    kind: str = "person",
    drawn: Drawn | None = None,
) -> int | None:
    """Put a person on the lowest free place; the place's number, None for a badge outside the hall.

    The rule has said yes before. Raises Refused("no_place") where there is none: the table of places is the last word.
    """
    number = take(db, forum, house, person.category, kind, now=now, drawn=drawn, application_id=person.id)
    record(
        db,
        forum.slug,
        by.signature,
        "seat.given",
        f"registration:{person.code}",
        now=now,
        after={"place": number, "category": person.category},
    )
    return number


def take(
    db: Db,
    forum: Forum,
    house: House,
    category: str,
    kind: str,
    *,
    now: datetime,
    drawn: Drawn | None = None,
    **whose: int | None,
) -> int | None:
    """Write one seat row on the lowest free place, and count it in the house; its number, None outside the hall.

    `whose` is one of `application_id`, `hold_back_id`, `invitation_id`, `delegation_id`. Raises Refused("no_place").
    """
    own, row, number = forum_id(forum), house.categories[category], None
    if row.in_hall:
        number = (drawn or Drawn()).next_place(db, own, house.full_to)
        if number is None:
            raise Refused("no_place")
    seat = {"forum_id": own, "number": number, "outside": number is None, "category_id": row.id, "kind": kind}
    db.later(_seats, {**seat, "given_at": now, **_NOBODYS, **whose})
    house.taken[category] += 1
    return number


_NOBODYS: dict[str, int | None] = dict.fromkeys(("application_id", "hold_back_id", "invitation_id", "delegation_id"))


def fill(db: Db, by: Actor, forum: Forum, seat: Any, person: Asking, *, now: datetime) -> None:
    """Put a person on a seat that was kept for them (a delegation's, an invitation's, a hold-back's): no row is added.

    The row keeps whose it was, so a delegation's seat can go back to it.
    """
    values = {"application_id": person.id, "kind": "person", "given_at": now}
    db.execute(update(_seats).where(_seats.c.id == seat.id).values(**values))
    after = {"place": seat.number, "category": person.category, "kept": seat.kind}
    record(db, forum.slug, by.signature, "seat.given", f"registration:{person.code}", now=now, after=after)


def free(db: Db, by: Actor, forum: Forum, person: Asking, *, now: datetime) -> bool:
    """Take the person's seat back, if there is one; whether it is free now. The queue moves afterwards.

    A delegation's seat goes back to the delegation as long as that may name people (rules §3); a retiring place goes
    with its seat.
    """
    seat = db.execute(select(_seats).where(_seats.c.application_id == person.id)).first()
    if seat is None:
        return False
    kept = seat.delegation_id is not None and _may_name(db, seat.delegation_id)
    if kept:
        db.execute(update(_seats).where(_seats.c.id == seat.id).values(application_id=None, kind="delegation"))
    else:
        drop(db, seat)
    subject, after = f"registration:{person.code}", {"kept": "delegation"} if kept else None
    record(db, forum.slug, by.signature, "seat.freed", subject, now=now, before={"place": seat.number}, after=after)
    return not kept


def _may_name(db: Db, delegation: int) -> bool:
    live = _delegations.c.released_at.is_(None) & _delegations.c.ended_at.is_(None)
    return db.execute(select(_delegations.c.id).where(_delegations.c.id == delegation, live)).first() is not None


def drop(db: Db, seat: Any) -> None:
    """Remove one seat row, and its place where there are more than the capacity. The queue moves afterwards.

    It need not be a retiring place that is freed: then one of those stays in its stead, so that there are never more
    places than the capacity but taken ones (rules §1.1).
    """
    db.execute(delete(_seats).where(_seats.c.id == seat.id))
    own = _places.c.forum_id == seat.forum_id
    retiring = list(db.execute(select(_places.c.number).where(own, _places.c.retiring.is_(True))).scalars())
    if seat.number is None or not retiring:
        return
    db.execute(delete(_places).where(own, _places.c.number == seat.number))
    if seat.number not in retiring:
        db.execute(update(_places).where(own, _places.c.number == min(retiring)).values(retiring=False))


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
    """Bring an application into another state; `values` are further columns. The caller has asked `may_follow`.

    With a seat its picks begin to count, with its end they go (rules §1.11).
    """
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
    if state in HOLDS_SEAT and person.state not in HOLDS_SEAT:
        arrive(db, forum, person.id, now=now)
    elif state in ENDED:
        leave(db, by, forum, person.id, person.code, now=now)


def end(db: Db, by: Actor, forum: Forum, person: Asking, state: State, *, now: datetime, note: str = "") -> bool:
    """End an application (cancelled, declined, expired): its seat is freed and its person may register again.

    Whoever accompanies the person ends with it. Says whether a seat was freed; the caller then moves the queue.
    """
    freed = free(db, by, forum, person, now=now)
    freed |= end_companions(db, by, forum, person.id, now=now)
    withhold(db, forum.slug, f"registration:{person.code}")
    values: dict[str, Any] = {"live_key": None, "ended_at": now, "confirm_by": None, "offer_until": None}
    values |= {"decision_note": note, "heads_delegation": False}
    step(db, by, forum, person, state, now=now, values=values)
    return freed


def end_companions(db: Db, by: Actor, forum: Forum, application: int, *, now: datetime) -> bool:
    """End whoever accompanies somebody that does not come any more; whether that freed a badge, as `end` says."""
    freed = False
    for companion in _companions(db, application):
        freed |= end(db, by, forum, companion, State.CANCELLED, now=now)
    return freed


def _companions(db: Db, application: int) -> list[Asking]:
    mine = (_applications.c.accompanies_id == application) & _applications.c.ended_at.is_(None)
    found = (
        select(_applications, _categories.c.code.label("category"))
        .join(_categories, _categories.c.id == _applications.c.category_id)
        .where(mine)
        .order_by(_applications.c.id)
    )
    return [asking(row, row.category) for row in db.execute(found).all()]


def tell(
    db: Db, forum: Forum, person: Asking, template: str, *, now: datetime, values: Mapping[str, Any] | None = None
) -> None:
    """Queue a mail to the person about their registration."""
    to, subject = (person.email, person.name), f"registration:{person.code}"
    queue_mail(db, forum.slug, template, person.language, to, subject, now=now, values=values)


def start_hours(db: Db, forum: Forum, code: str, template: str, *, sent_at: datetime) -> None:
    """The mail `template` about registration `code` has left at `sent_at`: the hours it speaks of start (rules §2).

    One that failed for good starts none: nothing expires before the person could know of it. The desk shows it, and an
    organiser confirms by hand, shows the link or cancels.
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
