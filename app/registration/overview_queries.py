"""Reads for the desk's first page beside its seats: who waits and why, what is due soon, and the balance of those who
come. Each asks for its permission itself; figures are for everybody at the desk, names for those who may see people.

What is counted is bounded by the seats there are or answered by an index, so that the page is as quick with a hundred
thousand registrations as with three hundred.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, literal, select, union_all

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.i18n import Bilingual
from app.registration.desk_filters import GENDER
from app.registration.duplicates import sketch
from app.registration.models import (
    Answer,
    Application,
    Category,
    Delegation,
    Distinct,
    HoldBack,
    Invitation,
    Question,
    Seat,
)
from app.registration.quotas import House
from app.registration.rules.balance import Balance, Present, balance
from app.registration.rules.clusters import clusters
from app.registration.rules.invitations import Kind, Reply
from app.registration.rules.reasons import Reason, why_waiting
from app.registration.rules.states import State

_people, _categories, _seats = table(Application), table(Category), table(Seat)
_invitations, _delegations, _hold_backs = table(Invitation), table(Delegation), table(HoldBack)
_questions, _answers, _distinct = table(Question), table(Answer), table(Distinct)

SOON = timedelta(days=7)
OFFERS_SOON = timedelta(hours=24)
FEW = 1000
"""So many live registrations are held against each other while a page is made; of more, the list of pairs is asked."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Those of one category who wait: how many, and what keeps them."""

    category: Any
    number: int
    reason: Reason


def queues(house: House, waiting: dict[str, int], *, now: datetime) -> tuple[Queue, ...]:
    """The waiting list by category (code → how many wait), in the organisers' order."""
    found = []
    for code, number in waiting.items():
        hall = house.hall_of(code)
        reason = why_waiting(hall.capacity, hall.quotas, house.taken_in(hall), code, now)
        found.append(Queue(house.categories[code], number, reason))
    return tuple(sorted(found, key=lambda one: one.category.position))


def first_waiting(db: Db, by: Actor, forum: Forum, *, most: int) -> list[Any]:
    """Who waits, by standing across the categories (rules §1.3), at most so many: the columns that lists show, with the
    category's code. One query. Raises Forbidden, NotFound."""
    by.must(Permission.SEE_PEOPLE, forum_id(forum))
    mine = (_people.c.forum_id == forum_id(forum)) & (_people.c.state == State.WAITING.value)
    order = (_people.c.priority.desc(), _people.c.asked_at, _people.c.id)
    names = ("code", "family_name", "given_name", "name_km", "name_order", "display_name", "asked_at", "priority")
    wanted = (
        select(*(_people.c[name] for name in (*names, "confirmed_at")), _categories.c.code.label("category"))
        .join(_categories, _categories.c.id == _people.c.category_id)
        .where(mine)
        .order_by(*order)
    )
    return list(db.execute(wanted.limit(most)))


def due_soon(db: Db, by: Actor, forum: Forum, *, now: datetime) -> dict[str, int]:
    """What ends by itself unless somebody does something: `offers` within a day; within a week `invitations` not
    answered, `delegations` with seats nobody was named for, `hold_backs`. Only what there is. One query."""
    own = forum_id(forum)
    by.must(Permission.SEE_DESK, own)
    until = now + SOON
    unnamed = select(_seats.c.delegation_id).where(
        _seats.c.forum_id == own, _seats.c.delegation_id.is_not(None), _seats.c.application_id.is_(None)
    )
    counted = {
        "offers": (
            (_people.c.forum_id == own)
            & (_people.c.state == State.OFFERED.value)
            & (_people.c.offer_until < now + OFFERS_SOON)
        ),
        "invitations": (
            (_invitations.c.forum_id == own)
            & (_invitations.c.kind == Kind.PERSONAL.value)
            & (_invitations.c.state == Reply.OPEN.value)
            & (_invitations.c.reply_by < until)
        ),
        "delegations": (
            (_delegations.c.forum_id == own)
            & _delegations.c.ended_at.is_(None)
            & _delegations.c.released_at.is_(None)
            & (_delegations.c.deadline < until)
            & _delegations.c.id.in_(unnamed)
        ),
        "hold_backs": (
            (_hold_backs.c.forum_id == own) & _hold_backs.c.released_at.is_(None) & (_hold_backs.c.release_at < until)
        ),
    }
    parts = [select(literal(name).label("what"), func.count().label("n")).where(rows) for name, rows in counted.items()]
    return {row.what: row.n for row in db.execute(union_all(*parts)) if row.n}


def doubles_count(db: Db, by: Actor, forum: Forum) -> int | None:
    """How many groups of registrations may be one person's; None where there are more people than `FEW`. Two queries.
    Raises Forbidden, NotFound."""
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    names = ("id", "email_normal", "family_name", "given_name", "name_km", "phone", "assistant_name")
    live = (_people.c.forum_id == own) & _people.c.ended_at.is_(None)
    rows = db.execute(select(*(_people.c[name] for name in names)).where(live).limit(FEW + 1)).all()
    if len(rows) > FEW:
        return None
    apart = db.execute(select(_distinct.c.first_id, _distinct.c.second_id).where(_distinct.c.forum_id == own)).all()
    return len(clusters((sketch(row) for row in rows), [(each.first_id, each.second_id) for each in apart]))


def present(db: Db, by: Actor, forum: Forum) -> Balance:
    """The balance of those who hold a seat or a badge, counted from their rows. One query."""
    by.must(Permission.SEE_DESK, forum_id(forum))
    is_confirmed = _people.c.confirmed_at.is_not(None).label("confirmed")
    kind = (_categories.c.code, _people.c.country, _people.c.attends_as, _people.c.institution, is_confirmed)
    wanted = (
        select(*kind, func.count().label("n"))
        .join(_categories, _categories.c.id == _people.c.category_id)
        .where(_people.c.forum_id == forum_id(forum), _people.c.state == State.SEATED.value)
        .group_by(*kind)
    )
    return balance(
        Present(
            row.code, row.country, "" if row.attends_as == "private" else row.institution, bool(row.confirmed), row.n
        )
        for row in db.execute(wanted)
    )


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a question of a few choices: its value, its name, and how many of those who come gave it, with a
    confirmed address and without."""

    value: str
    name: Bilingual
    confirmed: int
    unconfirmed: int


def genders(db: Db, by: Actor, forum: Forum) -> tuple[Option, ...]:
    """What those who hold a seat said of their gender, in the order of the question's choices; nothing where the forum
    does not ask, or where the answer is sensitive and not for whoever looks. One query."""
    own = forum_id(forum)
    by.must(Permission.SEE_DESK, own)
    seated = (_people.c.id == _answers.c.application_id) & (_people.c.state == State.SEATED.value)
    wanted = (
        select(_questions.c.options, _questions.c.sensitive, _answers.c.value, _people.c.id, _people.c.confirmed_at)
        .outerjoin(_answers, _answers.c.question_id == _questions.c.id)
        .outerjoin(_people, seated)
        .where(_questions.c.forum_id == own, _questions.c.code == GENDER, _questions.c.retired_at.is_(None))
    )
    rows = db.execute(wanted).all()
    if not rows or not rows[0].options or (rows[0].sensitive and not by.may(Permission.SEE_SENSITIVE, own)):
        return ()
    told = [row for row in rows if row.id is not None and isinstance(row.value, str)]
    said = Counter((row.value, row.confirmed_at is not None) for row in told)
    return tuple(
        Option(one["value"], Bilingual(one["en"], one["km"]), said[one["value"], True], said[one["value"], False])
        for one in rows[0].options
    )


def asked_between(db: Db, by: Actor, forum: Forum, days: Sequence[tuple[datetime, datetime]]) -> list[int]:
    """How many asked to attend from each instant until the other (UTC), answered by an index. One query."""
    own = forum_id(forum)
    by.must(Permission.SEE_DESK, own)
    edges = {f"first_{n}": first for n, (first, _) in enumerate(days)} | {
        f"last_{n}": day[1] for n, day in enumerate(days)
    }
    found = {row.day: row.n for row in db.execute(_by_day(len(days)), {"own": own, **edges})}
    return [found[number] for number in range(len(days))]


@cache
def _by_day(number: int) -> Any:
    """Put together once: that costs more than its answer."""
    asked, parts = _people.c.asked_at, []
    for day in range(number):
        within = (asked >= bindparam(f"first_{day}")) & (asked < bindparam(f"last_{day}"))
        counted = select(literal(day).label("day"), func.count().label("n"))
        parts.append(counted.where(_people.c.forum_id == bindparam("own"), within))
    return union_all(*parts)
