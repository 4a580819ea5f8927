"""Which registrations may be one person's, for the desk. Each read asks for its permission itself."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.registration.carrying import Luggage, luggage
from app.registration.desk_queries import Whole, desk_registration
from app.registration.models import Application, Category, Distinct
from app.registration.rules.clusters import clusters
from app.registration.rules.likeness import Reason, Sketch, pairs, reasons
from app.registration.rules.merges import Joined, Part, joined
from app.registration.rules.states import State

_applications, _categories, _distinct = table(Application), table(Category), table(Distinct)


@dataclass(frozen=True, slots=True)
class Double:
    """Two live registrations that may be one person's, the earlier first; rows with their category's letter, band and
    name."""

    first: Any
    second: Any
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """Registrations that hang together: those of each of the people, the earliest first, and the pairs among them that
    nobody has decided on, at most MOST_PAIRS."""

    people: tuple[Any, ...]
    pairs: tuple[Double, ...]


@dataclass(frozen=True, slots=True)
class Doubles:
    """A page of the groups, how many groups there are, and the code the next page comes after ("" for none)."""

    groups: tuple[Alike, ...]
    total: int
    following: str


def doubles(db: Db, by: Actor, forum: Forum, *, after: str = "", most: int = 20) -> Doubles:
    """The groups of registrations with pairs nobody has decided on yet, those with most in common first.

    At most `most` of them, after the one in which the registration with the code `after` stands; from the beginning
    where it stands in none any more. Two queries, however many people.
    """
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    named = [_categories.c[name].label(f"category_{name}") for name in ("letter", "band", "name")]
    rows = db.execute(
        select(_applications, *named)
        .join(_categories, _categories.c.id == _applications.c.category_id)
        .where(_applications.c.forum_id == own, _applications.c.ended_at.is_(None))
        .order_by(_applications.c.id)
    ).all()
    apart = db.execute(select(_distinct.c.first_id, _distinct.c.second_id).where(_distinct.c.forum_id == own)).all()
    by_id, sketches = {row.id: row for row in rows}, {row.id: sketch(row) for row in rows}
    decided = [(each.first_id, each.second_id) for each in apart]
    found = clusters(sketches.values(), decided)
    start = next((n for n, ids in enumerate(found, 1) if any(by_id[one].code == after for one in ids)), 0)
    groups = []
    for ids in found[start : start + most]:
        alike = pairs([sketches[one] for one in ids], decided)
        two = (Double(by_id[pair.first], by_id[pair.second], pair.reasons) for pair in alike)
        groups.append(Alike(tuple(by_id[one] for one in ids), tuple(two)))
    more = start + most < len(found)
    return Doubles(tuple(groups), len(found), groups[-1].people[0].code if more else "")


@dataclass(frozen=True, slots=True)
class Compared:
    """Two registrations side by side, and what becomes of them if the first or the second is kept; `brings_…` is what
    the other one brings then."""

    first: Whole
    second: Whole
    reasons: tuple[Reason, ...]
    keeping_first: Joined
    keeping_second: Joined
    brings_first: Luggage
    brings_second: Luggage


def compared(db: Db, by: Actor, forum: Forum, first: str, second: str) -> Compared:
    """Both registrations whole. Raises NotFound where one is not of this forum."""
    one, other = desk_registration(db, by, forum, first), desk_registration(db, by, forum, second)
    parts = [
        Part(State(whole.row.state), bool(whole.place_kind), whole.row.category_id, whole.category.in_hall)
        for whole in (one, other)
    ]
    why = reasons(sketch(one.row), sketch(other.row))
    effects = joined(parts[0], parts[1]), joined(parts[1], parts[0])
    pairs_kept = ((one, other, effects[0]), (other, one, effects[1]))
    brings = [
        luggage(db, forum, kept.row, dropped.row, (dropped if effect.takes_over else kept).category.code)
        for kept, dropped, effect in pairs_kept
    ]
    return Compared(one, other, why, *effects, *brings)


def sketch(row: Any) -> Sketch:
    """What of an application is compared."""
    return Sketch(
        row.id,
        row.email_normal,
        row.family_name,
        row.given_name,
        row.name_km,
        row.phone,
        assisted=bool(row.assistant_name),
    )
