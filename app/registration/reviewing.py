"""What an organiser decides: approve, decline, move to another category."""

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
from app.registration.applying import application_of
from app.registration.models import Application, Seat
from app.registration.quotas import house_of
from app.registration.releasing import close_invitation
from app.registration.rules.seats import Waiting, standing
from app.registration.rules.states import State, may_follow
from app.registration.seating import Asking, asking, can_seat, drop, end, give, move_queue, step, take, tell
from app.registration.settling import settle
from app.registration.signing_up import calendar_changed

_applications, _seats = table(Application), table(Seat)


def _decide(db: Db, by: Actor, forum: Forum, code: str, to: State, *, now: datetime) -> tuple[Any, Asking]:
    """Permission, what is due, the row, and whether the step may follow: the opening of every decision."""
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    settle(db, forum, now=now)
    row = application_of(db, forum, code)
    if not may_follow(State(row.state), to):
        raise Conflict("step_not_possible", state=row.state)
    return row, asking(row, house_of(db, own).category_by_id(row.category_id).code)


def approve(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime, note: str = "") -> str:
    """Approve a moderated application: seated where a seat may be given (or is held for it), else waiting.

    The place in the queue counts from when the person asked. Returns the new state. Raises Conflict
    ("step_not_possible") for one that awaits no approval.
    """
    row, person = _decide(db, by, forum, code, State.SEATED, now=now)
    if row.state != State.AWAITING_APPROVAL.value:
        raise Conflict("step_not_possible", state=row.state)
    house = house_of(db, forum_id(forum))
    held = _holds_seat(db, row.id)
    state = State.SEATED if held or can_seat(house, person.category, now=now) else State.WAITING
    if held:
        db.execute(update(_seats).where(_seats.c.application_id == row.id).values(kind="person"))
    elif state is State.SEATED:
        give(db, by, forum, house, person, now=now)
    step(db, by, forum, person, state, now=now, values={"decision_note": note, "confirm_by": None})
    template = "registration/approved" if state is State.SEATED else "registration/approved_waiting"
    tell(db, forum, person, template, now=now, values={"hours": house.terms.confirm_hours})
    return state.value


def decline(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime, note: str = "") -> None:
    """Decline an application; a seat held for it goes to the next. The note stays in the history.

    The personal invitation it was made with is closed.
    """
    row, person = _decide(db, by, forum, code, State.DECLINED, now=now)
    freed = end(db, by, forum, person, State.DECLINED, now=now, note=note)
    close_invitation(db, by, forum, row, now=now)
    tell(db, forum, person, "registration/declined", now=now)
    if freed:
        move_queue(db, forum, house_of(db, forum_id(forum)), now=now)


def move(db: Db, by: Actor, forum: Forum, code: str, category: str, *, now: datetime, note: str = "") -> str:
    """Move an application to another category; the state, which stays.

    A seat goes along, and what it leaves behind goes to the next in the queue. Nobody loses a seat by a move: where
    the new category may be given none (the person's own counted as free) it is refused. Whoever waits or awaits
    approval does so in the new category, from when they asked. Raises Refused: `unknown_category`,
    `same_category`, `ended`, `no_seat_there`, `others_wait_there` (nobody is seated before a person of the category
    with better standing, rules §1.3).
    """
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    house = settle(db, forum, now=now)
    row = application_of(db, forum, code)
    if row.ended_at is not None:
        raise Refused("ended")
    if category not in house.categories:
        raise Refused("unknown_category")
    person = asking(row, house.category_by_id(row.category_id).code)
    if person.category == category:
        raise Refused("same_category")
    seat = db.execute(select(_seats).where(_seats.c.application_id == row.id)).first()
    if seat is not None:
        house.taken[person.category] -= 1
        if not can_seat(house, category, now=now):
            raise Refused("no_seat_there", category=house.categories[category].name)
        if _somebody_better_waits(db, row, house.categories[category].id):
            raise Refused("others_wait_there", category=house.categories[category].name)
    target = house.categories[category].id
    db.execute(update(_applications).where(_applications.c.id == row.id).values(category_id=target))
    if seat is not None and seat.outside == house.categories[category].in_hall:
        drop(db, seat)  # the hall has places and a class of badges has none: it is another row
        take(db, forum, house, category, seat.kind, now=now, application_id=row.id)
    elif seat is not None:
        kept = dict.fromkeys(("delegation_id", "invitation_id", "hold_back_id"))
        db.execute(update(_seats).where(_seats.c.id == seat.id).values(category_id=target, **kept))
    if seat is not None and seat.delegation_id is not None:
        calendar_changed(db, row.id, now=now)
    record(
        db,
        forum.slug,
        by.signature,
        "registration.moved",
        f"registration:{code}",
        now=now,
        before={"category": person.category},
        after={"category": category},
        personal={"note": note} if note else None,  # what an organiser writes may name somebody
    )
    move_queue(db, forum, house_of(db, own), now=now)
    state: str = application_of(db, forum, code).state
    return state


def _somebody_better_waits(db: Db, row: Any, category: int) -> bool:
    """Does anybody wait in the category with better standing than this application has?"""
    waiting = (
        (_applications.c.forum_id == row.forum_id)
        & (_applications.c.category_id == category)
        & (_applications.c.state == State.WAITING.value)
    )
    columns = (_applications.c.id, _applications.c.priority, _applications.c.asked_at)
    others = [Waiting(one.id, "", one.priority, one.asked_at) for one in db.execute(select(*columns).where(waiting))]
    mine = standing(Waiting(row.id, "", row.priority, row.asked_at))
    return any(standing(other) < mine for other in others)


def _holds_seat(db: Db, application: int) -> bool:
    return db.execute(_seats.select().where(_seats.c.application_id == application)).first() is not None
