"""What an organiser does about delegations: invite, change the seats or the focal point, withdraw (rules §3)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import ends_at, forum_id
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, Invalid, Refused
from app.mail.outbox import withhold
from app.registration.delegation_inputs import DelegationInput, InvitingInput, SeatsInput, ShareInput
from app.registration.delegation_links import renewed
from app.registration.delegations import (
    delegation_feed_token,
    delegation_of,
    page_token,
    record_about,
    seat_rows,
    write_to_focal_point,
)
from app.registration.models import Application, Delegation
from app.registration.quotas import House, house_of
from app.registration.releasing import close_invitation
from app.registration.rules.delegations import EVEN, Share, needs_reason
from app.registration.rules.names import normal_email
from app.registration.rules.seats import may_override
from app.registration.rules.states import State
from app.registration.seating import asking, can_seat, drop, end, is_over, move_queue, take, tell
from app.registration.settling import settle
from app.registration.speaking_for import hand_over, reaches_sensitive, renew_own_links, spoken_for

_applications, _delegations = table(Application), table(Delegation)


def invite(db: Db, by: Actor, forum: Forum, sent: InvitingInput, secret: bytes, *, now: datetime) -> str:
    """Invite an institution with so many seats of a category; its code. Its focal point is written to.

    The seats are taken by the rule, or none is. Raises Refused: `unknown_category`, `door_over`, `deadline_past`,
    `deadline_after_forum`, `uneven_needs_reason` and what `_plan` raises.
    """
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    house = settle(db, forum, now=now)
    if is_over(forum, now):
        raise Refused("door_over")
    if sent.category not in house.categories:
        raise Invalid([Fault("category", "unknown_category")])
    _check_deadline(forum, sent.deadline, now)
    _check_share(db, own, house.categories[sent.category], sent.seats, sent.uneven_reason)
    beyond = _plan(by, forum, house, sent.category, sent.seats, sent, now=now)
    code = codes.public_code()
    row = {
        "forum_id": own,
        "category_id": house.categories[sent.category].id,
        "code": code,
        "seats": sent.seats,
        "uneven_reason": sent.uneven_reason,
        "created_at": now,
        "generation": 1,
        "digest": "",
        "feed_generation": 1,
        "feed_digest": "",
        "edition": 1,
        **_columns(sent),
    }
    number = int(db.execute(insert(_delegations).values(**row).returning(_delegations.c.id)).scalar_one())
    digests = {
        "digest": codes.digest(page_token(secret, number, 1)),
        "feed_digest": codes.digest(delegation_feed_token(secret, number, 1)),
    }
    db.execute(update(_delegations).where(_delegations.c.id == number).values(**digests))
    after = {"category": sent.category, "seats": sent.seats}
    _take(db, forum, house, sent.category, number, sent.seats, now=now)
    personal = {"focal_name": sent.focal_name, "focal_email": sent.focal_email, **_why(beyond, sent)}
    personal |= {"reference": sent.reference} if sent.reference else {}
    record_about(db, by, forum, code, "invited", now=now, after={**after, **beyond}, personal=personal)
    write_to_focal_point(db, forum, delegation_of(db, forum, code), "invited", now=now)
    return code


def _columns(sent: DelegationInput) -> dict[str, Any]:
    return {name: getattr(sent, name) for name in DelegationInput.model_fields}


def _check_deadline(forum: Forum, deadline: datetime, now: datetime) -> None:
    if deadline <= now:
        raise Invalid([Fault("deadline", "deadline_past")])
    over = ends_at(forum)
    if over is not None and deadline > over:
        raise Invalid([Fault("deadline", "deadline_after_forum")])


def shares_of(db: Db, own: int, category: int) -> list[Share]:
    """The shares of a category's delegations that have not been withdrawn, as invited."""
    live = (
        (_delegations.c.forum_id == own) & (_delegations.c.category_id == category) & _delegations.c.ended_at.is_(None)
    )
    columns = (_delegations.c.code, _delegations.c.seats, _delegations.c.uneven_reason)
    return [Share(row.code, row.seats, row.uneven_reason) for row in db.execute(select(*columns).where(live))]


def _check_share(db: Db, own: int, category: Any, seats: int, reason: str, code: str = "") -> None:
    if category.code not in EVEN or reason:
        return
    others = [share for share in shares_of(db, own, category.id) if share.code != code]
    common = needs_reason(others, seats)
    if common is not None:
        raise Invalid([Fault("uneven_reason", "uneven_needs_reason", {"seats": common})])


def _plan(
    by: Actor, forum: Forum, house: House, category: str, seats: int, sent: SeatsInput | ShareInput, *, now: datetime
) -> dict[str, Any]:
    """Ask the rule for so many seats, before anything is written; beyond limit and guarantee where that is asked for
    with a reason, and then what the fact says of it.

    Raises Refused: `delegation_no_room` with how many are free, `no_place`, `over_needs_reason`; Forbidden without
    SEAT_OVER_LIMITS.
    """
    over, reason = (sent.over, sent.over_reason) if isinstance(sent, SeatsInput) else (False, "")
    if over:
        by.must(Permission.SEAT_OVER_LIMITS, forum_id(forum))
        if not reason:
            raise Invalid([Fault("over_reason", "over_needs_reason")])
    then, hall, beyond = replace(house, taken=dict(house.taken)), house.hall_of(category), 0
    for planned in range(seats):
        if not can_seat(then, category, now=now):
            if not over:
                raise Invalid([Fault("seats", "delegation_no_room", {"free": planned, "wanted": seats})])
            if not may_override(hall.capacity, then.taken_in(hall)):
                raise Invalid([Fault("seats", "no_place")])
            beyond += 1
        then.taken[category] += 1
    return {"over": beyond} if beyond else {}


def _why(beyond: Mapping[str, Any], sent: SeatsInput | ShareInput) -> dict[str, str]:
    """The reason to go beyond, for the personal part of a fact: what an organiser writes may name somebody."""
    return {"note": sent.over_reason} if beyond and isinstance(sent, SeatsInput) else {}


def _take(db: Db, forum: Forum, house: House, category: str, delegation: int, seats: int, *, now: datetime) -> None:
    for _ in range(seats):
        take(db, forum, house, category, "delegation", now=now, delegation_id=delegation)


def resize(db: Db, by: Actor, forum: Forum, code: str, sent: SeatsInput, *, now: datetime) -> bool:
    """Bring a delegation to so many seats: more by the rule, fewer as far as they are not named. False where it has
    so many, for the same reason.

    Raises Refused: `ended_delegation`, `delegation_named` with how many are, `uneven_needs_reason` and what
    `_plan` raises.
    """
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    house = settle(db, forum, now=now)
    row = delegation_of(db, forum, code)
    if row.ended_at is not None or row.released_at is not None:
        raise Refused("ended_delegation")
    _check_share(db, own, house.category_by_id(row.category_id), sent.seats, sent.uneven_reason, code)
    freed = _bring_to(db, by, forum, house, row, sent, now=now)
    if freed:
        move_queue(db, forum, house_of(db, own), now=now)
    return freed is not None


def _bring_to(
    db: Db, by: Actor, forum: Forum, house: House, row: Any, sent: SeatsInput | ShareInput, *, now: datetime
) -> int | None:
    """So many seats for one delegation; how many were given up, None where nothing changed."""
    reason = sent.uneven_reason if isinstance(sent, SeatsInput) else ""
    rows = seat_rows(db, row.id)
    if sent.seats == len(rows) == row.seats and reason == row.uneven_reason:
        return None
    unnamed = [seat for seat in rows if seat.application_id is None]
    named = len(rows) - len(unnamed)
    if sent.seats < named:
        raise Invalid([Fault("seats", "delegation_named", {"named": named})])
    category = house.category_by_id(row.category_id).code
    wanted = max(0, sent.seats - len(rows))
    beyond = _plan(by, forum, house, category, wanted, sent, now=now) if wanted else {}
    surplus = unnamed[: max(0, len(rows) - sent.seats)]
    for seat in surplus:
        drop(db, seat)
        house.taken[category] -= 1
    _take(db, forum, house, category, row.id, wanted, now=now)
    values = {"seats": sent.seats, "uneven_reason": reason, "edition": row.edition + 1}
    db.execute(update(_delegations).where(_delegations.c.id == row.id).values(**values))
    before, after = {"seats": len(rows)}, {"seats": sent.seats, **beyond}
    why = {**({"reason": reason} if reason else {}), **_why(beyond, sent)}  # what is written may name somebody
    record_about(db, by, forum, row.code, "resized", now=now, before=before, after=after, personal=why)
    return len(surplus)


def share_evenly(db: Db, by: Actor, forum: Forum, sent: ShareInput, *, now: datetime) -> int:
    """Bring every party whose share has no reason of its own to the same number of seats, all or none; how many
    changed.

    What some give up goes to those who wait first (rules §1.5); the others get theirs by the rule out of what is left.
    Raises Refused as `resize` does: `delegation_no_room` with what is left and what all of them want.
    """
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    house = settle(db, forum, now=now)
    even = [category.id for code, category in house.categories.items() if code in EVEN]
    live = _delegations.c.ended_at.is_(None) & _delegations.c.released_at.is_(None)
    mine = _delegations.c.category_id.in_(even) & (_delegations.c.uneven_reason == "") & live
    rows = db.execute(
        select(_delegations).where(_delegations.c.forum_id == own, mine).order_by(_delegations.c.id)
    ).all()
    lacks = {row.id: sent.seats - len(seat_rows(db, row.id)) for row in rows}
    giving, taking = [row for row in rows if lacks[row.id] < 0], [row for row in rows if lacks[row.id] >= 0]
    done = [_bring_to(db, by, forum, house, row, sent, now=now) for row in giving]
    if giving:
        move_queue(db, forum, house_of(db, own), now=now)
        house = house_of(db, own)
    for category in even:
        wanted = sum(lacks[row.id] for row in taking if row.category_id == category)
        _plan(by, forum, house, house.category_by_id(category).code, wanted, sent, now=now)
    done += [_bring_to(db, by, forum, house, row, sent, now=now) for row in taking]
    return sum(freed is not None for freed in done)


def correct_delegation(
    db: Db, by: Actor, forum: Forum, code: str, sent: DelegationInput, edition: int, secret: bytes, *, now: datetime
) -> bool:
    """Change words, deadline or focal point; says whether anything changed.

    Another address ends the old link with all it led to, and the new focal point is written to and speaks for whom the
    old one spoke; where those people hold anything sensitive that asks for SEE_SENSITIVE: the address comes to it. A
    deadline set anew after it had passed opens the delegation again, with the seats it has. Raises
    Conflict("changed_meanwhile"), Refused: `ended_delegation`, `deadline_past`, `deadline_after_forum`,
    `focal_speaks_already`.
    """
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    settle(db, forum, now=now)
    row = delegation_of(db, forum, code)
    if row.ended_at is not None:
        raise Refused("ended_delegation")
    wanted = _columns(sent)
    different = sorted(name for name in wanted if wanted[name] != getattr(row, name))
    if not different:
        return False
    if row.edition != edition:
        raise Conflict("changed_meanwhile")
    values: dict[str, Any] = {**wanted, "edition": row.edition + 1}
    if "deadline" in different:
        _check_deadline(forum, sent.deadline, now)
        values |= {"released_at": None, "reminded_at": None}
    another = normal_email(sent.focal_email) != normal_email(row.focal_email)
    if another:
        if reaches_sensitive(db, row):
            by.must(Permission.SEE_SENSITIVE, forum_id(forum))
        values |= renewed(row, secret)
        withhold(db, forum.slug, f"delegation:{code}")
    if {"focal_name", "focal_email"} & set(different):
        people = spoken_for(db, row)
        hand_over(db, by, forum, people, sent.focal_name, sent.focal_email, now=now)
        if another:
            renew_own_links(db, people, secret)
    db.execute(update(_delegations).where(_delegations.c.id == row.id).values(**values))
    personal = {
        "before": {name: str(getattr(row, name)) for name in different},
        "after": {name: str(wanted[name]) for name in different},
    }
    record_about(db, by, forum, code, "corrected", now=now, after={"changed": different}, personal=personal)
    if another:
        write_to_focal_point(db, forum, delegation_of(db, forum, code), "invited", now=now)
    return True


def withdraw(db: Db, by: Actor, forum: Forum, code: str, *, people: bool, now: datetime, note: str = "") -> bool:
    """Withdraw a delegation's invitation: its unnamed seats go to those who wait, nobody can be named any more.

    Those who are named stay registered, or with `people` are cancelled too. False where it had been withdrawn.
    """
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    house = settle(db, forum, now=now)
    row = delegation_of(db, forum, code)
    if row.ended_at is not None:
        return False
    db.execute(update(_delegations).where(_delegations.c.id == row.id).values(ended_at=now, edition=row.edition + 1))
    withhold(db, forum.slug, f"delegation:{code}")
    rows = seat_rows(db, row.id)
    named = {seat.application_id for seat in rows if seat.application_id is not None}
    for seat in rows:
        if seat.application_id is None:
            drop(db, seat)
    after = {"seats": len(rows) - len(named), "people": len(named) if people else 0}
    record_about(db, by, forum, code, "withdrawn", now=now, after=after, personal={"note": note} if note else None)
    if people and named:
        mine = _applications.c.id.in_(named) & (_applications.c.state == State.SEATED.value)
        for one in db.execute(select(_applications).where(mine).order_by(_applications.c.id)).all():
            person = asking(one, house.category_by_id(one.category_id).code)
            end(db, by, forum, person, State.CANCELLED, now=now, note=note)
            close_invitation(db, by, forum, one, now=now)
            tell(db, forum, person, "registration/cancelled", now=now)
    write_to_focal_point(db, forum, row, "withdrawn", now=now)
    move_queue(db, forum, house_of(db, own), now=now)
    return True
