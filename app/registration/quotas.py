"""Terms, categories and places: what the seat rule is asked with, and changing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.kit.pen import republish
from app.registration.inputs import CategoryInput, SignUpInput, TermsInput
from app.registration.models import Category, Place, Seat, SignUp, Terms
from app.registration.rules.seats import Quota, check_quotas, over_by

_terms, _categories, _places, _seats = table(Terms), table(Category), table(Place), table(Seat)


@dataclass(frozen=True, slots=True)
class House:
    """What the seat rule is asked with, read under the pen: capacity and quotas, seats taken by category code."""

    terms: Any
    categories: dict[str, Any]
    quotas: tuple[Quota, ...]
    taken: dict[str, int]

    def category_by_id(self, category_id: int) -> Any:
        """The category row with this id."""
        return next(row for row in self.categories.values() if row.id == category_id)


def house_of(db: Db, own: int) -> House:
    """Terms, categories and the seats taken in each, counted from the seat rows (rules §1.8). Two queries."""
    rows = db.execute(
        select(_categories, _terms)
        .join(_terms, _terms.c.forum_id == _categories.c.forum_id)
        .where(_categories.c.forum_id == own)
        .order_by(_categories.c.position)
    ).all()
    if not rows:
        raise Refused("registration_not_set_up")
    counts = select(_seats.c.category_id, func.count()).where(_seats.c.forum_id == own).group_by(_seats.c.category_id)
    by_id = {row[0]: row[1] for row in db.execute(counts)}
    categories = {row.code: row for row in rows}
    quotas = tuple(Quota(row.code, row.guarantee, row.limit, row.lapses_at) for row in rows)
    return House(rows[0], categories, quotas, {row.code: by_id.get(row.id, 0) for row in rows})


def put_terms(
    db: Db,
    by: Actor,
    forum: Forum,
    terms: TermsInput,
    categories: Sequence[CategoryInput],
    *,
    now: datetime,
    over_is_meant: bool = False,
) -> bool:
    """Bring capacity, times and categories to what was sent; says whether anything changed.

    Raises Invalid/Refused: `guarantee_above_limit`, `guarantees_above_capacity` (rules §1), `over` where seats
    already given exceed the new numbers and that is not confirmed (rules §1.6), `category_in_use`.
    Nobody is unseated by it: places that are taken beyond the capacity retire when they are freed.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    quotas = [Quota(c.code, c.guarantee, c.limit, c.lapses_at) for c in categories]
    for fault in check_quotas(terms.capacity, quotas):
        raise Refused(fault.code.value, **fault.values)
    there = {row.code: row for row in db.execute(select(Category).where(_categories.c.forum_id == own)).scalars()}
    _refuse_if_over(db, own, terms, quotas, now, over_is_meant)
    changed = _put_terms_row(db, own, terms)
    gone = there.keys() - {category.code for category in categories}
    for code in gone:
        if db.execute(select(_seats.c.id).where(_seats.c.category_id == there[code].id).limit(1)).first():
            raise Refused("category_in_use", category=code)
        db.delete(there[code])
    changed |= bool(gone)
    for position, category in enumerate(categories):
        changed |= _put_category(db, own, there.get(category.code), category, position)
    changed |= _put_places(db, own, terms.capacity)
    db.flush()
    if changed:
        after = {"capacity": terms.capacity, "guarantees": {c.code: c.guarantee for c in categories}}
        record(db, forum.slug, by.signature, "registration.terms", f"forum:{forum.slug}", now=now, after=after)
        republish(db, forum.slug)
    return changed


def _refuse_if_over(
    db: Db, own: int, terms: TermsInput, quotas: list[Quota], now: datetime, over_is_meant: bool
) -> None:
    wanted = (
        select(_categories.c.code, func.count(_seats.c.id))
        .join(_seats, _seats.c.category_id == _categories.c.id)
        .where(_categories.c.forum_id == own)
        .group_by(_categories.c.code)
    )
    taken = {row[0]: row[1] for row in db.execute(wanted)}
    over = over_by(terms.capacity, quotas, taken, now)
    if over and not over_is_meant:
        limits = ", ".join(f"{code} +{n}" for code, n in over.limits)
        raise Refused("over", promised=over.promised, taken=over.taken, limits=limits)


def _put_terms_row(db: Db, own: int, sent: TermsInput) -> bool:
    row = db.get(Terms, own)
    wanted = sent.model_dump()
    if row is None:
        db.add(Terms(forum_id=own, **wanted))
        db.flush()
        return True
    different = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    for name, value in different.items():
        setattr(row, name, value)
    return bool(different)


def _put_category(db: Db, own: int, row: Category | None, sent: CategoryInput, position: int) -> bool:
    wanted = {**sent.model_dump(exclude={"name", "description"}), "name": sent.name, "description": sent.description}
    wanted["position"] = position
    if row is None:
        db.add(Category(forum_id=own, **wanted))
        return True
    different = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if "lapses_at" in different:
        row.lapse_settled = False
    for name, value in different.items():
        setattr(row, name, value)
    return bool(different)


def _put_places(db: Db, own: int, capacity: int) -> bool:
    """Exactly `capacity` places that stay: new ones are added, free ones go, taken ones retire (rules §1.1)."""
    rows = db.execute(select(_places).where(_places.c.forum_id == own)).all()
    taken = set(db.execute(select(_seats.c.number).where(_seats.c.forum_id == own)).scalars())
    there = {row.number for row in rows}
    retiring = {row.number for row in rows if row.retiring}
    beyond = {number for number in there if number > capacity}
    drop, keep = beyond - taken, beyond & taken
    back = {number for number in retiring if number <= capacity}
    new = set(range(1, capacity + 1)) - there
    here = _places.c.forum_id == own
    if drop:
        db.execute(delete(_places).where(here, _places.c.number.in_(drop)))
    if keep - retiring:
        db.execute(_places.update().where(here, _places.c.number.in_(keep)).values(retiring=True))
    if back:
        db.execute(_places.update().where(here, _places.c.number.in_(back)).values(retiring=False))
    if new:
        db.execute(insert(_places), [{"forum_id": own, "number": n, "retiring": False} for n in sorted(new)])
    return bool(drop or new or back or keep - retiring)


def put_sign_ups(db: Db, by: Actor, forum: Forum, sent: Sequence[SignUpInput], uids: dict[str, str]) -> bool:
    """Which sessions ask for sign-up, and for how many places; `uids` maps session codes to their uids."""
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    sign_ups = table(SignUp)
    there = {row.session_uid: row.places for row in db.execute(select(sign_ups).where(sign_ups.c.forum_id == own))}
    wanted = {uids[item.session]: item.places for item in sent}
    if there == wanted:
        return False
    db.execute(delete(sign_ups).where(sign_ups.c.forum_id == own))
    db.add_all(SignUp(session_uid=uid, forum_id=own, places=places) for uid, places in wanted.items())
    db.flush()
    republish(db, forum.slug)
    return True


def due_lapse(row: Any, now: datetime) -> bool:
    """Has this category's guarantee lapsed without the waiting list having been moved for it yet?"""
    return row.lapses_at is not None and not row.lapse_settled and row.lapses_at.astimezone(UTC) <= now
