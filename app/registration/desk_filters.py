"""What the desk's list may be asked beyond standing, group and words, and the orders it can stand in.

Every question is a condition of the one query of the list; every order is one with an index behind it, so that a page
is read from where the last one ended however long the list is.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select, tuple_

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.programme.rules.coverage import ASEAN
from app.registration.models import (
    Answer,
    Application,
    Category,
    Delegation,
    Invitation,
    Needs,
    Question,
    Seat,
    Tag,
    Tagged,
    Terms,
)
from app.registration.rules.balance import SIDES, Side
from app.registration.rules.invitations import Kind
from app.registration.rules.states import State

_people, _delegations, _invitations = table(Application), table(Delegation), table(Invitation)
_needs, _tags, _tagged = table(Needs), table(Tag), table(Tagged)
_groups, _seats, _terms = table(Category), table(Seat), table(Terms)
_questions, _answers = table(Question), table(Answer)
GENDER = "gender"
"""The code of a forum's question about gender, where it asks one."""
UNSAID = "-"
"""Who answered nothing to it: no option may have this value."""

CHOICES = {
    "attends_as": ("official", "private"),
    "language": ("en", "km"),
    "address": ("confirmed", "unconfirmed"),
    "invitation": ("personal", "code", "none"),
    "companions": ("brings", "comes_along", "none"),
    "needs": ("meals", "access", "any"),
    "waiting": ("hall", "limit", "guarantees"),
    "place": ("hall", "none"),
    "origin": ("asean", "other", "unknown"),
    "side": tuple(Side),
}
"""What may be asked where only a few answers are possible."""
MOST_CHOSEN = 1000
"""So many registrations can be chosen one by one: as many as a page of the list may show."""


@dataclass(frozen=True, slots=True)
class Further:
    """What else is asked; empty: not. `delegation` is a code, `tag` a number, `since` and `until` are days where the
    forum is held, both included. `waiting` says what those who wait wait for, `place` whether one of the hall's is for
    the person, final or not; `origin` a country inside ASEAN or outside, `side` one of the two communities
    (`rules.balance`), `gender` an answer to the question of that code, or UNSAID. `codes` are registrations that were
    chosen one by one."""

    attends_as: str = ""
    country: str = ""
    institution: str = ""
    language: str = ""
    address: str = ""
    delegation: str = ""
    invitation: str = ""
    companions: str = ""
    needs: str = ""
    waiting: str = ""
    place: str = ""
    tag: str = ""
    origin: str = ""
    side: str = ""
    gender: str = ""
    since: date | None = None
    until: date | None = None
    codes: tuple[str, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of what is asked, in their order."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name))


NOTHING = Further()
"""Nothing else is asked."""


def must_see(db: Db, by: Actor, forum: Forum, further: Further) -> None:
    """Whoever asks who has needs must be one who may see them, and so where gender is asked as something sensitive or
    not at all. One query where gender is asked for, none otherwise. Raises Forbidden."""
    if further.needs or (further.gender and not _gender_is_open(db, forum)):
        by.must(Permission.SEE_SENSITIVE, forum_id(forum))


def _gender_is_open(db: Db, forum: Forum) -> bool:
    sensitive = select(_questions.c.sensitive).where(*_asks_gender(forum_id(forum)))
    return db.execute(sensitive).scalar() is False


def _asks_gender(own: int) -> tuple[ColumnElement[bool], ...]:
    return _questions.c.forum_id == own, _questions.c.code == GENDER, _questions.c.retired_at.is_(None)


def conditions(forum: Forum, further: Further) -> Sequence[ColumnElement[bool]]:
    """The conditions of all that is asked."""
    person, own = _people.c, forum_id(forum)
    found: list[ColumnElement[bool]] = [
        person[name] == getattr(further, name)
        for name in ("attends_as", "country", "language")
        if getattr(further, name)
    ]
    if further.institution:
        found.append(person.institution.icontains(further.institution, autoescape=True))
        found.append(person.attends_as != "private")  # in a private capacity no list tells it (rules §2)
    if further.address:
        confirmed = person.confirmed_at.is_not(None)
        found.append(confirmed if further.address == "confirmed" else ~confirmed)
    if further.delegation:
        mine = (_delegations.c.forum_id == own) & (_delegations.c.code == further.delegation)
        found.append(person.delegation_id == select(_delegations.c.id).where(mine).scalar_subquery())
        found.append(person.attends_as != "private")  # whose list would say where they come from
    if further.invitation:
        found.append(_invited(own, further.invitation))
    if further.companions:
        found.append(_companions(further.companions))
    if further.needs:
        found.append(person.id.in_(_needing(further.needs)))
    if further.waiting:
        found.append(_waiting(own, further.waiting))
    if further.place:
        seat = _seats.c
        placed = select(seat.application_id).where(
            seat.forum_id == own, seat.application_id.is_not(None), seat.outside.is_(False)
        )
        found.append(person.id.in_(placed) if further.place == "hall" else ~person.id.in_(placed))
    if further.tag:
        mine = (_tags.c.forum_id == own) & (_tags.c.id == int(further.tag))
        marked = select(_tagged.c.application_id).join(_tags, _tags.c.id == _tagged.c.tag_id).where(mine)
        found.append(person.id.in_(marked))
    found += _balance(own, further)
    if further.since:
        found.append(person.asked_at >= midnight(further.since, forum.timezone))
    if further.until:
        found.append(person.asked_at < midnight(further.until, forum.timezone) + timedelta(days=1))
    if further.codes:
        found.append(person.code.in_(further.codes))
    return found


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins in a zone."""
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone))


def _balance(own: int, further: Further) -> Iterator[ColumnElement[bool]]:
    """What the overview's balance counts people by."""
    if further.origin:
        yield _from(further.origin)
    if further.side:
        codes = [code for code, side in SIDES.items() if side.value == further.side]
        named = _groups.c.code.in_(codes) if codes else _groups.c.code.not_in(list(SIDES))
        yield _people.c.category_id.in_(select(_groups.c.id).where(_groups.c.forum_id == own, named))
    if further.gender:
        yield _said_of_gender(own, further.gender)


def _from(origin: str) -> ColumnElement[bool]:
    country = _people.c.country
    if origin == "unknown":
        return country == ""
    return country.in_(sorted(ASEAN)) if origin == "asean" else country.not_in(["", *sorted(ASEAN)])


def _said_of_gender(own: int, said: str) -> ColumnElement[bool]:
    """Who gave that answer; with UNSAID who gave none of the question's."""
    asked = select(_questions.c.id).where(*_asks_gender(own)).scalar_subquery()
    answers = select(_answers.c.application_id).where(_answers.c.question_id == asked)
    if said == UNSAID:
        return _people.c.id.not_in(answers)
    return _people.c.id.in_(answers.where(cast(_answers.c.value, String) == json.dumps(said)))


def _invited(own: int, how: str) -> ColumnElement[bool]:
    if how == "none":
        return _people.c.invitation_id.is_(None)
    kind = Kind.PERSONAL if how == "personal" else Kind.CODE
    mine = (_invitations.c.forum_id == own) & (_invitations.c.kind == kind.value)
    return _people.c.invitation_id.in_(select(_invitations.c.id).where(mine))


def _companions(how: str) -> ColumnElement[bool]:
    if how == "comes_along":
        return _people.c.accompanies_id.is_not(None)
    others = _people.alias("companion")
    live = others.c.accompanies_id.is_not(None) & others.c.ended_at.is_(None)  # of the forum of whom they accompany
    brought = _people.c.id.in_(select(others.c.accompanies_id).where(live))
    return brought if how == "brings" else ~brought & _people.c.accompanies_id.is_(None)


def _needing(what: str) -> Any:
    names = ("meals", "access") if what == "any" else (what,)
    return select(_needs.c.application_id).where(or_(*(_needs.c[name] != "" for name in names)))


def _waiting(own: int, what: str) -> ColumnElement[bool]:
    """Those who wait for a place in a full hall, else for their group's limit, else because what is free is kept for
    other groups; as the seats stand, whatever comes due."""
    groups, seats, terms = _groups.c, _seats.c, _terms.c
    taken = select(func.count()).select_from(_seats).where(seats.category_id == groups.id).scalar_subquery()
    in_hall = select(func.count()).select_from(_seats).where(seats.forum_id == own, seats.outside.is_(False))
    capacity = select(terms.capacity).where(terms.forum_id == own).scalar_subquery()
    hall = and_(
        in_hall.scalar_subquery() >= capacity,
        _people.c.category_id.in_(select(groups.id).where(groups.forum_id == own, groups.in_hall.is_(True))),
    )
    limit = _people.c.category_id.in_(select(groups.id).where(groups.forum_id == own, groups.limit <= taken))
    why = {"hall": hall, "limit": and_(limit, ~hall), "guarantees": and_(~limit, ~hall)}
    return and_(_people.c.state == State.WAITING.value, why[what])


ASKED = "asked"
ORDERS: dict[str, tuple[str, ...]] = {
    ASKED: ("id",),
    "name": ("sort_name", "id"),
    "name_km": ("sort_name_km", "id"),
    "category": ("category_id", "id"),
    "standing": ("state", "category_id", "id"),
    "institution": ("sort_institution", "id"),
}
"""Orders of the list → their columns; each has an index. People who asked later have a greater id."""


def ordered(order: str, *, up: bool) -> list[Any]:
    """The order as the query has it."""
    columns = [_people.c[name] for name in ORDERS[order]]
    return columns if up else [column.desc() for column in columns]


def behind(forum: Forum, order: str, code: str, *, up: bool) -> ColumnElement[bool]:
    """Whoever stands behind the registration with this code: keyset paging, so that no page is skipped or shown twice
    as people come."""
    seen = _people.alias("seen")
    mine = (seen.c.forum_id == forum_id(forum)) & (seen.c.code == code)
    marks = [select(seen.c[name]).where(mine).scalar_subquery() for name in ORDERS[order]]
    here = [_people.c[name] for name in ORDERS[order]]
    if len(here) == 1:
        return here[0] > marks[0] if up else here[0] < marks[0]
    row, mark = tuple_(*here), tuple_(*marks)
    return row > mark if up else row < mark
