"""What the seat rule is asked with, read from the tables; and which sessions ask for sign-up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.kit.pen import republish
from app.kit.questions import Question
from app.registration.inputs import SignUpInput
from app.registration.models import Category, Seat, SignUp, Terms
from app.registration.question_queries import QuestionView, questions_of
from app.registration.rules.seats import Availability, Quota, availability, eats_guarantee_of, may_give, may_override
from app.registration.signing_up import move_lists

_terms, _categories, _seats = table(Terms), table(Category), table(Seat)


@dataclass(frozen=True, slots=True)
class Hall:
    """One room the seat rule is asked about, in seats: the forum's hall, or what a class of badges outside it has."""

    capacity: int
    quotas: tuple[Quota, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """A forum's terms as the rules need them: capacity and target in seats, times in UTC, hours, the purge's day."""

    capacity: int
    target: int
    opens_at: datetime | None
    closes_at: datetime | None
    confirm_hours: int
    promotion: str
    offer_hours: int
    retention_on: date | None
    edition: int


@dataclass(frozen=True, slots=True)
class House:
    """What the seat rule is asked with, read under the pen: numbers, categories, seats taken by category code.

    The first of `halls` is the forum's own; each class of badges outside it is a hall by itself. `forms` holds the
    questions of those categories that were asked for. No place up to `full_to` is free.
    """

    terms: Numbers
    categories: dict[str, Any]
    halls: tuple[Hall, ...]
    taken: dict[str, int]
    forms: dict[str, tuple[QuestionView, ...]] = field(default_factory=dict, compare=False)
    full_to: int = 0

    def form_of(self, db: Db, category: str) -> tuple[QuestionView, ...]:
        """The questions of a category (its code). One query at the first asking."""
        if category not in self.forms:
            self.forms[category] = questions_of(db, self.categories[category].forum_id, category)
        return self.forms[category]

    def category_by_id(self, category_id: int) -> Any:
        """The category row with this id."""
        return next(row for row in self.categories.values() if row.id == category_id)

    @property
    def quotas(self) -> tuple[Quota, ...]:
        """The quotas of the forum's own hall."""
        return self.halls[0].quotas

    def taken_in(self, hall: Hall) -> dict[str, int]:
        """The seats taken in one hall, by category code."""
        return {quota.category: self.taken[quota.category] for quota in hall.quotas}

    def hall_of(self, category: str) -> Hall:
        """The hall a category sits in."""
        return next(hall for hall in self.halls if any(quota.category == category for quota in hall.quotas))

    def quota_of(self, category: str) -> Quota:
        """The quota of a category, in whichever hall."""
        return next(quota for hall in self.halls for quota in hall.quotas if quota.category == category)

    def available(self, now: datetime) -> Availability:
        """What is free at `now`: totals of the forum's own hall, seats left for every category."""
        answers = [availability(hall.capacity, hall.quotas, self.taken_in(hall), now) for hall in self.halls]
        left = {category: seats for answer in answers for category, seats in answer.seats_left.items()}
        return replace(answers[0], seats_left=left)


_UNLIMITED = 1_000_000
"""The seats of a class of badges without a limit: more than anybody prints."""


def is_unlimited(left: int) -> bool:
    """Do so many seats left only say that a class of badges has no limit?"""
    return left > _UNLIMITED // 2


def house_of(db: Db, own: int) -> House:
    """Numbers, categories and the seats taken in each, counted from the seat rows (rules §1.8). Two queries."""
    rows: list[Any] = db.ask(_HOUSE, {"own": own})
    if not rows:
        raise Refused("registration_not_set_up")
    terms = Numbers(**{name: getattr(rows[0], f"terms_{name}") for name in Numbers.__dataclass_fields__})
    by_id: dict[int, int] = dict(db.ask(_TAKEN, {"own": own}))
    categories = {row.code: row for row in rows}
    return House(terms, categories, halls_of(terms.capacity, rows), {row.code: by_id.get(row.id, 0) for row in rows})


_HOUSE = Question(
    select(_categories, *(_terms.c[name].label(f"terms_{name}") for name in Numbers.__dataclass_fields__))
    .join(_terms, _terms.c.forum_id == _categories.c.forum_id)
    .where(_categories.c.forum_id == bindparam("own"))
    .order_by(_categories.c.position),
    named=True,
)
_TAKEN = Question(
    select(_seats.c.category_id, func.count())
    .where(_seats.c.forum_id == bindparam("own"))
    .group_by(_seats.c.category_id)
)


def halls_of(capacity: int, categories: Iterable[Any]) -> tuple[Hall, ...]:
    """The forum's own hall and those of the badge classes outside it, from categories in their order (rows or inputs).

    Outside there is nothing to guarantee and nothing to share: the limit is the hall's capacity.
    """
    rows = list(categories)
    inside = tuple(Quota(row.code, row.guarantee, row.limit, row.lapses_at) for row in rows if row.in_hall)
    outside = [row for row in rows if not row.in_hall]
    badges = [Hall(_UNLIMITED if row.limit is None else row.limit, (Quota(row.code, 0, row.limit),)) for row in outside]
    return (Hall(capacity, inside), *badges)


def times_of(house: House, category: Any) -> tuple[datetime | None, datetime | None]:
    """When a category's door opens and closes (UTC): its own times, or else the forum's."""
    return category.opens_at or house.terms.opens_at, category.closes_at or house.terms.closes_at


@dataclass(frozen=True, slots=True)
class Beyond:
    """What one more seat in a category takes as things stand (rules §1.7).

    `by_rule`: the rule gives one anyhow. Else `possible` says whether an organiser may, `over_limit` whether it goes
    over the category's limit, and `eats` whose unused guarantee it would use: (category, seats unused).
    """

    by_rule: bool
    possible: bool
    over_limit: bool
    eats: tuple[tuple[str, int], ...]


def beyond(house: House, category: str, *, now: datetime, after: int = 0) -> Beyond:
    """Whether a seat may be given in the category by the rule, or beyond it; never beyond the hall's capacity. `after`
    asks about the next one when so many more have been taken there.

    A class of badges outside the hall has no capacity but its limit, which an organiser may go over.
    """
    hall, quota = house.hall_of(category), house.quota_of(category)
    taken = house.taken_in(hall)
    taken[category] += after
    question = hall.capacity, hall.quotas, taken, category, now
    possible = not house.categories[category].in_hall or may_override(hall.capacity, taken)
    over_limit = quota.limit is not None and taken[category] >= quota.limit
    return Beyond(may_give(*question), possible, over_limit, tuple(eats_guarantee_of(*question)))


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
    changed = {uid for uid in there.keys() | wanted.keys() if there.get(uid) != wanted.get(uid)}
    move_lists(db, forum, changed, now=now)
    return True


def due_lapse(row: Any, now: datetime) -> bool:
    """Has this category's guarantee lapsed without the waiting list having been moved for it yet?"""
    return row.lapses_at is not None and not row.lapse_settled and row.lapses_at.astimezone(UTC) <= now
