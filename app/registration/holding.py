"""Hold-backs: seats an organiser keeps back for a purpose, gives to people one by one, and gives up in the end."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, NotFound, Refused
from app.registration.applying import application_of
from app.registration.inputs import HoldBackInput
from app.registration.models import Application, HoldBack, Seat
from app.registration.overriding import SEATABLE, over
from app.registration.quotas import Beyond, beyond, house_of
from app.registration.releasing import release_hold_back
from app.registration.rules.states import State
from app.registration.seating import asking, fill, free, move_queue, step, take, tell
from app.registration.settling import settle

_applications, _hold_backs, _seats = table(Application), table(HoldBack), table(Seat)


def keep_back(db: Db, by: Actor, forum: Forum, sent: HoldBackInput, *, now: datetime) -> int:
    """Keep seats of a category back; the hold-back's id.

    The seat rule gives them, or none: Refused("hold_back_too_many") with how many it would give. With a reason those
    are taken beyond limit and guarantees too, and what that goes over is recorded; never beyond the capacity
    (rules §1.7). Raises Refused: `unknown_category`, `release_in_past`.
    """
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    house = settle(db, forum, now=now)
    if sent.category not in house.categories:
        raise Refused("unknown_category")
    _refuse_the_past(sent.release_at, now)
    columns = {
        "forum_id": own,
        "category_id": house.categories[sent.category].id,
        "purpose": sent.purpose,
        "release_at": sent.release_at,
        "created_at": now,
    }
    number = int(db.execute(insert(_hold_backs).values(**columns).returning(_hold_backs.c.id)).scalar_one())
    went_over: dict[str, object] = {}
    for taken in range(sent.seats):
        went = beyond(house, sent.category, now=now)
        if not went.by_rule:
            if not sent.reason:
                raise Refused("hold_back_too_many", left=taken, category=house.categories[sent.category].name)
            by.must(Permission.SEAT_OVER_LIMITS, own)
            if not went.possible:
                raise Refused("hold_back_no_place", left=taken)
            went_over = went_over or over(went)
        take(db, forum, house, sent.category, "hold_back", now=now, hold_back_id=number)
    after = {"category": sent.category, "seats": sent.seats, **went_over}
    personal = {"purpose": sent.purpose, "note": sent.reason}  # what an organiser writes may name somebody
    subject = f"hold_back:{number}"
    record(db, forum.slug, by.signature, "hold_back.kept", subject, now=now, after=after, personal=personal)
    return number


def takes(db: Db, by: Actor, forum: Forum, category: str, seats: int, *, now: datetime) -> Beyond | None:
    """What the last of so many more seats in a category would take; None for an unknown category. Two queries."""
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    house = house_of(db, own)
    return beyond(house, category, now=now, after=max(0, seats - 1)) if category in house.categories else None


def change_release(
    db: Db, by: Actor, forum: Forum, hold_back: int, release_at: datetime | None, *, now: datetime
) -> bool:
    """Move the instant (UTC) at which a hold-back is released, None for an open end; says whether that is news.

    Raises NotFound, Refused: `hold_back_released`, `release_in_past`.
    """
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    settle(db, forum, now=now)
    row = _live(db, forum, hold_back)
    _refuse_the_past(release_at, now)
    if row.release_at == release_at:
        return False
    db.execute(update(_hold_backs).where(_hold_backs.c.id == row.id).values(release_at=release_at))
    before, after = ({"release_at": at and at.isoformat()} for at in (row.release_at, release_at))
    subject = f"hold_back:{row.id}"
    record(db, forum.slug, by.signature, "hold_back.changed", subject, now=now, before=before, after=after)
    return True


def release(db: Db, by: Actor, forum: Forum, hold_back: int, *, now: datetime) -> int:
    """Give a hold-back's remaining seats up now; they go to the queue in the same transaction. How many.

    Raises NotFound, Refused("hold_back_released").
    """
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    settle(db, forum, now=now)
    row = _live(db, forum, hold_back)
    freed = release_hold_back(db, by, forum, row.id, now=now)
    move_queue(db, forum, house_of(db, own), now=now)
    return freed


def give_held(db: Db, by: Actor, forum: Forum, hold_back: int, code: str, *, now: datetime) -> None:
    """Put a registration of the hold-back's category on one of its seats: no row is added.

    The person may wait or await a decision; a seat held for them meanwhile goes to the next. Raises NotFound,
    Conflict("step_not_possible"), Refused: `hold_back_released`, `hold_back_empty`, `hold_back_other_group`.
    """
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    house = settle(db, forum, now=now)
    kept = _live(db, forum, hold_back)
    row = application_of(db, forum, code)
    if State(row.state) not in SEATABLE:
        raise Conflict("step_not_possible", state=row.state)
    if row.category_id != kept.category_id:
        raise Refused("hold_back_other_group", category=house.category_by_id(kept.category_id).name)
    unnamed = (_seats.c.hold_back_id == kept.id) & _seats.c.application_id.is_(None)
    seat = db.execute(select(_seats).where(unnamed).order_by(_seats.c.number, _seats.c.id).limit(1)).first()
    if seat is None:
        raise Refused("hold_back_empty")
    person = asking(row, house.category_by_id(row.category_id).code)
    freed = free(db, by, forum, person, now=now)
    fill(db, by, forum, seat, person, now=now)
    step(db, by, forum, person, State.SEATED, now=now, values={"confirm_by": None})
    waited = row.state == State.WAITING.value
    template = "registration/promoted" if waited else "registration/approved"
    tell(db, forum, person, template, now=now, values={"hours": house.terms.confirm_hours})
    if freed:
        move_queue(db, forum, house_of(db, own), now=now)


def hold_backs(db: Db, by: Actor, forum: Forum, *, category_id: int | None = None) -> list[Any]:
    """Every hold-back, those not released first and the newest of each first, or a category's own with seats left.

    Rows with `kept` (seats nobody sits on) and `given` (seats people were put on). One query.
    """
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    kept = func.count(_seats.c.id) - func.count(_seats.c.application_id)
    wanted = (
        select(_hold_backs, kept.label("kept"), func.count(_seats.c.application_id).label("given"))
        .outerjoin(_seats, _seats.c.hold_back_id == _hold_backs.c.id)
        .where(_hold_backs.c.forum_id == own)
        .group_by(_hold_backs.c.id)
        .order_by(_hold_backs.c.released_at.is_not(None), _hold_backs.c.id.desc())
    )
    if category_id is not None:
        wanted = wanted.where(_hold_backs.c.category_id == category_id).having(kept > 0)
    return list(db.execute(wanted))


def _live(db: Db, forum: Forum, hold_back: int) -> Any:
    here = (_hold_backs.c.forum_id == forum_id(forum)) & (_hold_backs.c.id == hold_back)
    row = db.execute(select(_hold_backs).where(here)).first()
    if row is None:
        raise NotFound
    if row.released_at is not None:
        raise Refused("hold_back_released")
    return row


def _refuse_the_past(release_at: datetime | None, now: datetime) -> None:
    if release_at is not None and release_at <= now:
        raise Refused("release_in_past")
