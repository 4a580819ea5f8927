"""What is due: lapses, expiries and releases, done in the order of their instants before any deed about seats.

So whatever was due at a deed's `now` has happened, and a late worker lets nobody pass the queue (rules §1.4).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, literal, select, union_all, update

from app.accounts.actor import Actor
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_apart, forum_by_slug, forum_id
from app.kit.db import Db, table
from app.kit.questions import Question
from app.registration.drawing import MANY, Drawn
from app.registration.models import Application, Category, Delegation, HoldBack, Invitation
from app.registration.quotas import House, due_lapse, house_of
from app.registration.releasing import lapse_invitation, release_delegation, release_hold_back
from app.registration.rules.states import State, reminder_due
from app.registration.seating import asking, end, free, is_over, move_queue, tell

_applications, _categories = table(Application), table(Category)
_delegations, _hold_backs, _invitations = table(Delegation), table(HoldBack), table(Invitation)


@dataclass(frozen=True, slots=True)
class _Settled:
    """What was found when a forum was settled at `at`; nothing is due there before `quiet_until`."""

    forum: Forum
    house: House
    at: datetime
    quiet_until: datetime
    drawn: Drawn | None = None


_AHEAD, _TAKEN_OVER, _LEFT = "settled ahead", "settled ahead and taken over", "settled and left"
_LOOKS_AHEAD = timedelta(seconds=10)


def settle_ahead(db: Db, slug: str, *, now: datetime) -> None:
    """Settle a forum as a deed of its own for the one that the pen writes right after it: that one's `settle` at the
    same instant takes over what was found here, so nothing is asked for twice.

    What a registration leaves (`leave_settled`) is taken over in its turn as long as nothing is due: of those that
    are written in one commit the first alone asks how things stand. Raises NotFound and as `settle`.
    """
    left: _Settled | None = db.info.pop(_LEFT, None)
    if left is not None and left.forum.slug == slug and now < left.quiet_until:
        db.info[_AHEAD] = replace(left, at=now)
        return
    forum = forum_apart(db, slug)
    house, quiet_until = _settle(db, forum, now, now + _LOOKS_AHEAD)
    db.info[_AHEAD] = _Settled(forum, house, now, quiet_until)


def forum_ahead(db: Db, slug: str) -> Forum:
    """The forum as it was settled ahead, else as it is read. Raises NotFound."""
    ahead: _Settled | None = db.info.get(_AHEAD)
    return ahead.forum if ahead is not None and ahead.forum.slug == slug else forum_by_slug(db, slug)


def drawn_ahead(db: Db) -> Drawn | None:
    """What the registration right before the deed at hand left drawn, where that took over how things stand; else
    None."""
    over: _Settled | None = db.info.get(_TAKEN_OVER)
    return None if over is None else over.drawn


def leave_settled(db: Db, house: House, drawn: Drawn) -> None:
    """Leave what was settled ahead for the very next deed, with the `house` as it is now and what is `drawn`. Only a
    deed may that has given seats alone, each counted there: it has changed nothing else of it, and nothing is due that
    was not before."""
    over: _Settled | None = db.info.pop(_TAKEN_OVER, None)
    if over is not None and over.house.taken is house.taken:
        drawn.many = MANY
        db.info[_LEFT] = replace(over, house=house, drawn=drawn)


def settle(db: Db, forum: Forum, *, now: datetime) -> House:
    """Do what is due at `now`, in the order of the instants, the waiting list moving after each as if it had been done
    in time. Gives the house anew. When the forum is over nothing moves any more.

    A guarantee lapses; an unconfirmed seat past `confirm_by` and an offer past `offer_until` expire (rules §2; both
    empty while the mail that starts the hours is unsent); a hold-back, an invitation's reserve and a delegation's
    unnamed seats are released at their times. A seat held for somebody under review who did not confirm is freed; the
    review goes on without it. Three queries where nothing is due, none right after `settle_ahead`.
    """
    db.info.pop(_LEFT, None)  # a deed that goes on after it registered somebody may change what that left
    ahead: _Settled | None = db.info.pop(_AHEAD, None)
    if ahead is not None and (ahead.forum.slug, ahead.at) == (forum.slug, now):
        db.info[_TAKEN_OVER] = ahead
        return ahead.house
    return _settle(db, forum, now, now)[0]


def _settle(db: Db, forum: Forum, now: datetime, until: datetime) -> tuple[House, datetime]:
    """The house when all that is due at `now` is done, and before when nothing is due: `until` at the latest."""
    own = forum_id(forum)
    house = house_of(db, own)
    coming = due_by(db, forum, house, now=now, until=until)
    due = [at for at in coming if at <= now]
    for at in sorted(due):
        for kind, number in coming[at]:
            _do(db, forum, house, kind, number, now)
        house = house_of(db, own)
        if move_queue(db, forum, house, now=now, at=at):
            house = house_of(db, own)
    return house, now if due or is_over(forum, now) else min(coming, default=until)


def due_by(
    db: Db, forum: Forum, house: House, *, now: datetime, until: datetime | None = None
) -> dict[datetime, list[tuple[str, int]]]:
    """What is due at `now`, or will be `until` then: instant → what of which row, such as ("expiry", an application's
    id). One query; none when the forum is over, as nothing moves any more then."""
    due: dict[datetime, list[tuple[str, int]]] = {}
    if is_over(forum, now):
        return due
    by = until or now
    for row in house.categories.values():
        if due_lapse(row, by):
            due.setdefault(row.lapses_at, []).append(("lapse", row.id))
    for kind, number, at in db.ask(_DUE, {"own": forum_id(forum), "now": by}):
        due.setdefault(at, []).append((kind, number))
    return due


def _due() -> Any:
    """One query for everything with an instant: (what, id, when)."""
    own: Any = bindparam("own")
    now: Any = bindparam("now")
    people = _applications.c

    def expiring(state: State, at: Any, *more: Any) -> Any:
        return select(literal("expiry"), people.id, at).where(
            people.forum_id == own, people.state == state.value, at <= now, *more
        )

    held, invited, delegated = _hold_backs.c, _invitations.c, _delegations.c
    return union_all(
        # one for each state: so the index of the queue is used, and nobody is read but those who hold a seat
        expiring(State.SEATED, people.confirm_by, people.confirmed_at.is_(None)),
        expiring(State.AWAITING_APPROVAL, people.confirm_by, people.confirmed_at.is_(None)),
        expiring(State.OFFERED, people.offer_until),
        select(literal("hold_back"), held.id, held.release_at).where(
            held.forum_id == own, held.released_at.is_(None), held.release_at <= now
        ),
        select(literal("invitation"), invited.id, invited.reply_by).where(
            invited.forum_id == own, invited.state == "open", invited.reply_by <= now
        ),
        select(literal("delegation"), delegated.id, delegated.deadline).where(
            delegated.forum_id == own,
            delegated.released_at.is_(None),
            delegated.ended_at.is_(None),
            delegated.deadline <= now,
        ),
    )


_DUE = Question(_due())


def _do(db: Db, forum: Forum, house: House, kind: str, number: int, now: datetime) -> None:
    by = Actor.worker()
    if kind == "lapse":
        _lapse(db, forum, house, house.category_by_id(number), now)
    elif kind == "expiry":
        row = db.execute(select(_applications).where(_applications.c.id == number)).one()
        _expire(db, forum, house, row, now)
    elif kind == "hold_back":
        release_hold_back(db, by, forum, number, now=now)
    elif kind == "invitation":
        row = db.execute(select(_invitations).where(_invitations.c.id == number)).one()
        lapse_invitation(db, by, forum, row, "lapsed", now=now)
    else:
        row = db.execute(select(_delegations).where(_delegations.c.id == number)).one()
        release_delegation(db, by, forum, row, now=now)


def _lapse(db: Db, forum: Forum, house: House, row: Any, now: datetime) -> None:
    db.execute(update(_categories).where(_categories.c.id == row.id).values(lapse_settled=True))
    after = {"guarantee": row.guarantee, "seated": house.taken[row.code]}
    record(db, forum.slug, Actor.worker().signature, "category.lapsed", f"category:{row.code}", now=now, after=after)


def _expire(db: Db, forum: Forum, house: House, row: Any, now: datetime) -> None:
    person = asking(row, house.category_by_id(row.category_id).code)
    if row.state == State.AWAITING_APPROVAL.value:
        free(db, Actor.worker(), forum, person, now=now)
        db.execute(update(_applications).where(_applications.c.id == row.id).values(confirm_by=None))
        return
    end(db, Actor.worker(), forum, person, State.EXPIRED, now=now)
    tell(db, forum, person, "registration/expired", now=now)


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
