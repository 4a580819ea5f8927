"""The seat simulator: other numbers asked about the hall as it stands once what is due is done. It writes nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Fault
from app.kit.i18n import Bilingual
from app.registration.arranging import over_parts, refuse_contradictions, refuse_if_in_use
from app.registration.foreseeing import Foreseen, Kept, as_waiting, foresee
from app.registration.inputs import CategoryInput, TermsInput
from app.registration.models import Application, Category, Delegation, Seat
from app.registration.quotas import House, halls_of, house_of
from app.registration.rules.seats import Over, Waiting
from app.registration.rules.simulation import from_nothing, what_if
from app.registration.rules.states import State
from app.registration.settling import due_by

_applications, _categories = table(Application), table(Category)
_delegations, _seats = table(Delegation), table(Seat)


@dataclass(frozen=True, slots=True)
class Simulated:
    """One category in other numbers, in seats and people: taken now, given by the change, still waiting, over its limit
    then; and how many people would sit there if all seats were given anew, beside how many sit there now."""

    code: str
    taken: int
    given: int
    waiting: int
    over_limit: int
    sitting: int
    anew: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """What other numbers would do. The people are application ids, best standing first; `people` are their rows, empty
    for who may not see them."""

    categories: tuple[Simulated, ...]
    over: Over
    given: tuple[int, ...]
    waiting: tuple[int, ...]
    gaining: tuple[int, ...]
    losing: tuple[int, ...]
    people: Mapping[int, Any]

    def over_parts(self, names: Mapping[str, Bilingual]) -> tuple[Fault, ...]:
        """What would stand over, one by one, in every hall; `names` are the categories' by code (rules §1.6)."""
        limits = tuple((row.code, row.over_limit) for row in self.categories if row.over_limit)
        return over_parts([replace(self.over, limits=limits)], names)


def numbers_of(db: Db, by: Actor, forum: Forum) -> House:
    """The forum's numbers for whoever may change them. Two queries."""
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    return house_of(db, own)


def simulate(
    db: Db, by: Actor, forum: Forum, terms: TermsInput, categories: Sequence[CategoryInput], *, now: datetime
) -> Simulation:
    """What these numbers would do before anything is saved, once what is due has been done. Five queries.

    Raises Refused where they contradict each other or leave out a category in use, as saving them would. Names only for
    those who may see people.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    halls = halls_of(terms.capacity, categories)
    refuse_contradictions(halls)
    house = house_of(db, own)
    refuse_if_in_use(db, house.categories, categories)
    hall_then, rows = once_settled(db, forum, house, now=now)
    kept = Counter(one.category for one in hall_then.kept)
    sitting = [as_waiting(rows[number]) for number in hall_then.sitting]
    waiting = [as_waiting(rows[number]) for number in hall_then.waiting]
    found: list[Simulated] = []
    given: list[Waiting] = []
    left: list[Waiting] = []
    gaining: list[Waiting] = []
    losing: list[Waiting] = []
    over = Over((), 0, 0)
    for number, hall in enumerate(halls):
        codes = [quota.category for quota in hall.quotas]
        sit, wait = ([one for one in some if one.category in codes] for some in (sitting, waiting))
        empty = {code: kept[code] for code in codes}
        taken = {code: empty[code] + _in(sit, code) for code in codes}
        then = what_if(hall.capacity, hall.quotas, taken, wait, now)
        anew = from_nothing(hall.capacity, hall.quotas, empty, sit, wait, now)
        limits = dict(then.over.limits)
        found += [
            Simulated(
                code=code,
                taken=taken[code],
                given=_in(then.given, code),
                waiting=_in(then.waiting, code),
                over_limit=limits.get(code, 0),
                sitting=_in(sit, code),
                anew=anew.seated[code],
            )
            for code in codes
        ]
        if number == 0:
            over = then.over
        given += then.given
        left += then.waiting
        gaining += anew.gaining
        losing += anew.losing
    sees = by.may(Permission.SEE_PEOPLE, own)
    return Simulation(
        categories=tuple(found),
        over=over,
        given=_ids(given),
        waiting=_ids(left),
        gaining=_ids(gaining),
        losing=_ids(losing),
        people=rows if sees else {},
    )


def once_settled(db: Db, forum: Forum, house: House, *, now: datetime) -> tuple[Foreseen, Mapping[int, Any]]:
    """The hall as it stands once what is due at `now` is done, and whoever sits or waits by id. Three queries."""
    own = forum_id(forum)
    rows = {row.id: row for row in db.execute(_who_matters(own))}
    seats = [Kept(*row) for row in db.execute(_kept_seats(own))]
    return foresee(house, rows, seats, due_by(db, forum, house, now=now)), rows


def _ids(people: Sequence[Waiting]) -> tuple[int, ...]:
    return tuple(person.id for person in people)


def _in(people: Sequence[Waiting], code: str) -> int:
    return sum(person.category == code for person in people)


def _who_matters(own: int) -> Any:
    """Everybody who waits or sits, with what a list shows of them and the category's code."""
    who = ("family_name", "given_name", "name_km", "name_order", "display_name")
    names = ("id", "code", *who, "priority", "asked_at", "state", "accompanies_id")
    live = _delegations.c.released_at.is_(None) & _delegations.c.ended_at.is_(None)
    waits = _applications.c.state == State.WAITING.value
    return (
        select(
            *(_applications.c[name] for name in names),
            _categories.c.code.label("category"),
            _categories.c.letter,
            _categories.c.band,
            _seats.c.id.label("seat_id"),
            _delegations.c.id.label("party"),
        )
        .join(_categories, _categories.c.id == _applications.c.category_id)
        .outerjoin(_seats, _seats.c.application_id == _applications.c.id)
        .outerjoin(_delegations, (_delegations.c.id == _seats.c.delegation_id) & live)
        .where(_applications.c.forum_id == own, waits | _seats.c.id.is_not(None))
    )


def _kept_seats(own: int) -> Any:
    """Seats without a person, as `Kept` has them: hold-backs, invitations, delegations."""
    return (
        select(_categories.c.code, _seats.c.hold_back_id, _seats.c.invitation_id, _seats.c.delegation_id)
        .join(_seats, _seats.c.category_id == _categories.c.id)
        .where(_seats.c.forum_id == own, _seats.c.application_id.is_(None))
    )
