"""Who comes along: accompanying persons, interpreters and drivers, registered by whom they accompany.

Their categories are classes of badges outside the hall with limits of their own; they end with the person's own
registration, and mail about them goes to that person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select

from app.accounts.actor import Actor
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import ends_at, forum_id
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import NotFound, Refused
from app.registration.applying import person_of, write_application
from app.registration.inputs import CompanionInput
from app.registration.models import Application, Category
from app.registration.people import person_columns, says_the_same, shown_name
from app.registration.quotas import House, house_of, times_of
from app.registration.rules.eligibility import Door, Mode, door_state
from app.registration.rules.names import normal_name
from app.registration.rules.states import State, may_follow
from app.registration.seating import Asking, asking, can_seat, end, give, move_queue, tell
from app.registration.settling import settle

_applications, _categories = table(Application), table(Category)
KINDS = ("ACC", "INTP", "DRV")
"""The codes of the classes of badges for those who come along; others outside the hall (press, staff) register."""
MOST_COMPANIONS = 6
"""For one person at once."""


@dataclass(frozen=True, slots=True)
class Added:
    """A companion's code and state; `same_request` where this very form was taken before."""

    code: str
    state: str
    same_request: bool = False


def add(
    db: Db, by: Actor, forum: Forum, code: str, sent: CompanionInput, request_key: str, secret: bytes, *, now: datetime
) -> Added:
    """Register a companion of the person with this code: a badge, or a place in the queue where the class is full.

    Whoever brings somebody along has a seat in the hall and a confirmed address, which serves for the companion too.
    The same request key gives the same answer. Raises Refused: `form_sent_already`, `companion_not_yet`,
    `companion_kind`, `companions_enough`, `principal_twice`, `door_not_yet`, `door_closed`, `door_over`.
    """
    own = forum_id(forum)
    house = settle(db, forum, now=now)
    row, _ = person_of(db, by, forum, code)
    mine = (_applications.c.forum_id == own) & (_applications.c.request_key == request_key)
    before = db.execute(select(_applications).where(mine)).first()
    if before is not None:
        kind = house.category_by_id(before.category_id).code
        if before.accompanies_id != row.id or kind != sent.category or not says_the_same(before, sent):
            raise Refused("form_sent_already")  # sent before for somebody else, then changed and sent again
        return Added(before.code, before.state, same_request=True)
    if not brings(house, row):
        raise Refused("companion_not_yet")
    category = house.categories.get(sent.category)
    if category is None or not is_kind(category):
        raise Refused("companion_kind")
    door = door_state(*times_of(house, category), ends_at(forum), Mode(category.mode), now)
    if door not in {Door.OPEN, Door.BY_INVITATION}:
        raise Refused(f"door_{door.value}")
    key = f"{row.email_normal}|{normal_name(sent.family_name, sent.given_name) or normal_name(sent.name_km)}"
    _refuse(db, own, row, key)
    fresh, state = codes.public_code(), State.SEATED if can_seat(house, category.code, now=now) else State.WAITING
    columns = _columns(own, row, category, sent, now)
    columns |= {"code": fresh, "request_key": request_key, "live_key": key, "state": state.value}
    number, _ = write_application(db, columns, secret)
    name = shown_name(columns, row.language)
    person = Asking(number, fresh, category.code, state.value, row.language, row.email, name, confirmed=True)
    _record(db, by, forum, row, person, now)
    if state is State.SEATED:
        give(db, by, forum, house, person, now=now)
    tell(db, forum, person, f"registration/companion_{state.value}", now=now)
    return Added(fresh, state.value)


def remove(db: Db, by: Actor, forum: Forum, code: str, companion: str, *, now: datetime) -> bool:
    """The companion does not come; the badge goes to the next in the same transaction. False if it had ended.

    Raises NotFound for a companion of somebody else.
    """
    settle(db, forum, now=now)
    row, _ = person_of(db, by, forum, code)
    own = forum_id(forum)
    mine = (_applications.c.code == companion) & (_applications.c.accompanies_id == row.id)
    found = db.execute(select(_applications).where(_applications.c.forum_id == own, mine)).first()
    if found is None:
        raise NotFound
    if not may_follow(State(found.state), State.CANCELLED):
        return False
    house = house_of(db, own)
    person = asking(found, house.category_by_id(found.category_id).code)
    freed = end(db, by, forum, person, State.CANCELLED, now=now)
    tell(db, forum, person, "registration/cancelled", now=now)
    if freed:
        move_queue(db, forum, house_of(db, own), now=now)
    return True


def brings(house: House, row: Any) -> bool:
    """May this person bring somebody along now: a seat in the hall, final?"""
    seated = row.state == State.SEATED.value and row.confirmed_at is not None
    return seated and row.accompanies_id is None and house.category_by_id(row.category_id).in_hall


def is_kind(category: Any) -> bool:
    """Is this a class of badges for those who come along with somebody?"""
    return not category.in_hall and category.code in KINDS


def _refuse(db: Db, own: int, row: Any, key: str) -> None:
    twice = (_applications.c.forum_id == own) & (_applications.c.live_key == key)
    if db.execute(select(_applications.c.id).where(twice)).first():
        raise Refused("principal_twice")
    live = (_applications.c.accompanies_id == row.id) & _applications.c.ended_at.is_(None)
    if db.execute(select(func.count()).where(live)).scalar_one() >= MOST_COMPANIONS:
        raise Refused("companions_enough", most=MOST_COMPANIONS)


def _columns(own: int, row: Any, category: Any, sent: CompanionInput, now: datetime) -> dict[str, Any]:
    return {
        "forum_id": own,
        "category_id": category.id,
        "accompanies_id": row.id,
        "language": row.language,
        "email": row.email,
        "email_normal": row.email_normal,
        # mail reads as to an assistant: addressed to whom they accompany, about the companion
        "assistant_name": row.assistant_name or shown_name(row, row.language),
        "asked_at": now,
        "confirmed_at": now,
        **person_columns(sent),
    }


def _record(db: Db, by: Actor, forum: Forum, row: Any, person: Asking, now: datetime) -> None:
    def write(kind: str, code: str, after: Mapping[str, Any], personal: Mapping[str, Any] | None = None) -> None:
        record(db, forum.slug, by.signature, kind, f"registration:{code}", now=now, after=after, personal=personal)

    after = {"category": person.category, "state": person.state, "other": row.code}
    write("registration.submitted", person.code, after, {"email": person.email, "name": person.name})
    write("registration.companion", row.code, {"other": person.code, "category": person.category})


@dataclass(frozen=True, slots=True)
class Company:
    """Who comes with a person: rows with the category's letter, band and name; and the classes one may choose from."""

    people: tuple[Any, ...]
    kinds: tuple[Any, ...]


def company_of(db: Db, row: Any) -> Company:
    """The person's companions that have not ended, and the classes of badges open to them. Two queries."""
    named = [_categories.c[name].label(f"category_{name}") for name in ("letter", "band", "name")]
    people = (
        select(_applications, *named)
        .join(_categories, _categories.c.id == _applications.c.category_id)
        .where(_applications.c.accompanies_id == row.id, _applications.c.ended_at.is_(None))
        .order_by(_applications.c.id)
    )
    kinds = (
        select(_categories)
        .where(_categories.c.forum_id == row.forum_id, _categories.c.code.in_(KINDS), _categories.c.in_hall.is_(False))
        .order_by(_categories.c.position)
    )
    return Company(tuple(db.execute(people)), tuple(db.execute(kinds)))


@dataclass(frozen=True, slots=True)
class Ties:
    """How a registration hangs together with others, as their codes: "" or empty where it does not."""

    accompanies: str = ""
    companions: tuple[str, ...] = ()
    merged_into: str = ""
    merged: tuple[str, ...] = ()


def ties_of(db: Db, row: Any) -> Ties:
    """Whom it accompanies, who accompanies it, what it was joined into, and what was joined into it. One query."""
    people = _applications.c
    mine = or_(
        people.id.in_([number for number in (row.accompanies_id, row.merged_into_id) if number is not None]),
        people.accompanies_id == row.id,
        people.merged_into_id == row.id,
    )
    columns = (people.id, people.code, people.accompanies_id, people.merged_into_id)
    found = db.execute(select(*columns).where(mine).order_by(people.id)).all()
    return Ties(
        accompanies=next((each.code for each in found if each.id == row.accompanies_id), ""),
        companions=tuple(each.code for each in found if each.accompanies_id == row.id),
        merged_into=next((each.code for each in found if each.id == row.merged_into_id), ""),
        merged=tuple(each.code for each in found if each.merged_into_id == row.id),
    )
