"""What an organiser sets about the hall: capacity, times, categories, and the places that follow from them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, count, islice
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, Refused
from app.kit.i18n import Bilingual
from app.kit.pen import republish
from app.registration.inputs import CategoryInput, TermsInput
from app.registration.models import Application, Category, Place, Seat, Terms
from app.registration.quotas import Hall, halls_of, house_of
from app.registration.rules.seats import Over, check_quotas, over_by
from app.registration.seating import move_queue
from app.registration.settling import settle

_applications, _categories = table(Application), table(Category)
_places, _seats, _terms = table(Place), table(Seat), table(Terms)


class StandsOver(Refused):
    """More is taken or promised than these numbers allow, each thing that is over a fault of its own."""

    def __init__(self, parts: tuple[Fault, ...]) -> None:
        super().__init__("over")
        self._parts = parts

    @property
    def faults(self) -> tuple[Fault, ...]:
        return self._parts


def put_terms(
    db: Db,
    by: Actor,
    forum: Forum,
    terms: TermsInput,
    categories: Sequence[CategoryInput],
    *,
    now: datetime,
    over_is_meant: bool = False,
    edition: int | None = None,
) -> bool:
    """Bring capacity, times and categories to what was sent; says whether anything changed.

    `edition` is the one the numbers were read at, if they were: Conflict("numbers_changed") where others have been
    saved since.

    Raises Invalid/Refused: `guarantee_above_limit`, `guarantees_above_capacity` (rules §1), `over` where seats
    already given exceed the new numbers and that is not confirmed (rules §1.6), `category_in_use`.
    Nobody is unseated by it: places that are taken beyond the capacity retire when they are freed. What it opens goes
    to those who wait, in the same transaction (rules §1.5).
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    before = db.execute(select(_terms.c.edition).where(_terms.c.forum_id == own)).scalar_one_or_none()
    if edition is not None and before != edition:
        raise Conflict("numbers_changed")
    halls = halls_of(terms.capacity, categories)
    refuse_contradictions(halls)
    if db.execute(select(_categories.c.id).where(_categories.c.forum_id == own).limit(1)).first():
        settle(db, forum, now=now)
    there = {row.code: row for row in db.execute(select(Category).where(_categories.c.forum_id == own)).scalars()}
    _refuse_if_over(db, own, halls, categories, now, over_is_meant)
    refuse_if_in_use(db, there, categories)
    changed = _put_terms_row(db, own, terms)
    gone = there.keys() - {category.code for category in categories}
    for code in gone:
        db.delete(there[code])
    changed |= bool(gone)
    for position, category in enumerate(categories):
        changed |= _put_category(db, own, there.get(category.code), category, position)
    changed |= _put_places(db, own, terms.capacity)
    db.flush()
    if changed:
        db.execute(update(_terms).where(_terms.c.forum_id == own).values(edition=(before or 0) + 1))
        after = {"capacity": terms.capacity, "guarantees": {c.code: c.guarantee for c in categories}}
        record(db, forum.slug, by.signature, "registration.terms", f"forum:{forum.slug}", now=now, after=after)
        republish(db, forum.slug)
        if categories:
            move_queue(db, forum, house_of(db, own), now=now)
    return changed


def refuse_contradictions(halls: Sequence[Hall]) -> None:
    """Raises Refused for guarantees and limits that contradict each other or the capacity (rules §1)."""
    for hall in halls:
        for fault in check_quotas(hall.capacity, hall.quotas):
            raise Refused(fault.code.value, **fault.values)


def _is_used(db: Db, category: int) -> bool:
    applied = db.execute(select(_applications.c.id).where(_applications.c.category_id == category).limit(1)).first()
    seated = db.execute(select(_seats.c.id).where(_seats.c.category_id == category).limit(1)).first()
    return applied is not None or seated is not None


def refuse_if_in_use(db: Db, there: Mapping[str, Any], categories: Sequence[CategoryInput]) -> None:
    """A category in use stays, in the hall or outside it: its seats have places, or have none. `there` are those that
    stand, by code. Raises Refused("category_in_use")."""
    wanted = {category.code: category for category in categories}
    for code, row in there.items():
        new = wanted.get(code)
        if (new is None or row.in_hall != new.in_hall) and _is_used(db, row.id or 0):
            raise Refused("category_in_use", category=code)


def over_parts(found: Iterable[Over], names: Mapping[str, Bilingual]) -> tuple[Fault, ...]:
    """What would stand over, one by one, of the forum's own hall and then of each badge class (rules §1.6).

    Only what is over: seats above the capacity (at "capacity"), guarantees that cannot all be kept, and at each
    group's code what it has above its limit. `names` are the groups' by code.
    """
    parts: list[Fault] = []
    for number, over in enumerate(found):
        if over.taken and not number:
            parts.append(Fault("capacity", "over_capacity", {"n": over.taken}))
        if over.promised > over.taken and not number:
            parts.append(Fault("", "over_guarantees", {"n": over.promised}))
        parts += [Fault(code, "over_limit", {"n": n, "category": names[code]}) for code, n in over.limits]
    return tuple(parts)


def _refuse_if_over(
    db: Db, own: int, halls: Sequence[Hall], categories: Sequence[CategoryInput], now: datetime, over_is_meant: bool
) -> None:
    wanted = (
        select(_categories.c.code, func.count(_seats.c.id))
        .join(_seats, _seats.c.category_id == _categories.c.id)
        .where(_categories.c.forum_id == own)
        .group_by(_categories.c.code)
    )
    taken = {row[0]: row[1] for row in db.execute(wanted)}
    found = []
    for hall in halls:
        inside = {quota.category for quota in hall.quotas}
        mine = {code: seats for code, seats in taken.items() if code in inside}
        found.append(over_by(hall.capacity, hall.quotas, mine, now))
    if any(found) and not over_is_meant:
        raise StandsOver(over_parts(found, {category.code: category.name for category in categories}))


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
    """As many places as the capacity, or as are taken where those are more (rules §1.1); says whether any changed.

    Taken places stay, those with the highest numbers retiring; then come free ones that are there, then new ones.
    """
    rows = db.execute(select(_places).where(_places.c.forum_id == own)).all()
    hall = (_seats.c.forum_id == own) & _seats.c.number.is_not(None)
    taken = sorted(db.execute(select(_seats.c.number).where(hall)).scalars())
    there = {row.number: row.retiring for row in rows}
    known = {*taken, *there}
    free = chain(sorted(there.keys() - set(taken)), (number for number in count(1) if number not in known))
    wanted = {number: place >= capacity for place, number in enumerate(taken)}
    wanted |= dict.fromkeys(islice(free, max(0, capacity - len(taken))), False)
    here = _places.c.forum_id == own
    gone = there.keys() - wanted.keys()
    if gone:
        db.execute(delete(_places).where(here, _places.c.number.in_(gone)))
    for retiring in (True, False):
        other = [number for number in there.keys() & wanted.keys() if there[number] != wanted[number] == retiring]
        if other:
            db.execute(update(_places).where(here, _places.c.number.in_(other)).values(retiring=retiring))
    new = sorted(wanted.keys() - there.keys())
    if new:
        db.execute(insert(_places), [{"forum_id": own, "number": number, "retiring": False} for number in new])
    return there != wanted
