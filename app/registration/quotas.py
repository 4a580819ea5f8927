"""What the seat rule is asked with, read from the tables; and which sessions ask for sign-up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.kit.pen import republish
from app.registration.inputs import SignUpInput
from app.registration.models import Category, Seat, SignUp, Terms
from app.registration.rules.seats import Quota

_terms, _categories, _seats = table(Terms), table(Category), table(Seat)


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


def put_sign_ups(
    db: Db, by: Actor, forum: Forum, sent: Sequence[SignUpInput], uids: dict[str, str], *, now: datetime
) -> bool:
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
    after = {item.session: item.places for item in sent}
    record(db, forum.slug, by.signature, "registration.sign_ups", f"forum:{forum.slug}", now=now, after=after)
    republish(db, forum.slug)
    return True


def due_lapse(row: Any, now: datetime) -> bool:
    """Has this category's guarantee lapsed without the waiting list having been moved for it yet?"""
    return row.lapses_at is not None and not row.lapse_settled and row.lapses_at.astimezone(UTC) <= now
