"""What would become of many registrations if one thing were done with all of them, by the seat rule and without
writing (docs/decisions/0023)."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Fault, Invalid, Refused
from app.registration import tagging
from app.registration.desk_filters import ASKED
from app.registration.desk_inputs import BulkInput
from app.registration.desk_queries import Wanted, desk_list
from app.registration.models import Application, Category, Tagged
from app.registration.quotas import Beyond, House, beyond, house_of
from app.registration.rules.seats import Waiting, standing
from app.registration.rules.states import State, may_follow
from app.registration.simulating import once_settled

_applications, _categories, _tagged = table(Application), table(Category), table(Tagged)
MOST = 2000
"""So many registrations may be chosen at once."""
DONE = frozenset({"seated", "waiting", "declined", "cancelled", "moved", "tagged", "untagged"})
"""Outcomes; every other word says why not, a code of the catalogue under `refused`."""
MAILS = {"seated": 1, "waiting": 1, "declined": 1, "cancelled": 1}
"""Outcome → mails that leave to each person."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What would become of one registration: an outcome of `DONE`, or a code that says why not. `why` says of one who
    would wait what stands in the way: the hall, a limit or guarantees."""

    row: Any
    outcome: str
    why: str = ""

    @property
    def possible(self) -> bool:
        return self.outcome in DONE


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would become of each, in the order in which it would be done, and a mark of just this."""

    lines: tuple[Expected, ...]
    mark: str

    @property
    def counts(self) -> Counter[str]:
        """How many come to each outcome."""
        return Counter(line.outcome for line in self.lines)

    @property
    def possible(self) -> int:
        return sum(line.possible for line in self.lines)

    @property
    def mails(self) -> int:
        """How many mails leave to these people themselves; who gets a freed seat is told beside."""
        return sum(MAILS.get(line.outcome, 0) for line in self.lines)


def look_at(db: Db, by: Actor, forum: Forum, wanted: Wanted, sent: BulkInput, *, now: datetime) -> Prospect:
    """What doing this with everybody that fits the question would do. Writes nothing; as many queries however many fit.

    Raises Forbidden; NotFound for a tag or group there is none of; Refused: `nobody_chosen`, `too_many_chosen`; Invalid
    where a group or tag is missing.
    """
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    house = house_of(db, own)
    _must_be_whole(db, own, house, sent)
    everybody = replace(wanted, after="", order=ASKED, oldest_first=True)
    rows, more = desk_list(db, by, forum, everybody, most=MOST)
    if more:
        raise Refused("too_many_chosen", most=MOST)
    if not rows:
        raise Refused("nobody_chosen")
    rows = sorted(rows, key=lambda row: standing(Waiting(row.id, row.category, row.priority, row.asked_at)))
    lines = tuple(_LOOKS[sent.act](db, forum, house, rows, sent, now))
    return Prospect(lines, _mark(sent, lines))


def _must_be_whole(db: Db, own: int, house: House, sent: BulkInput) -> None:
    if sent.act == "move":
        if not sent.to:
            raise Invalid([Fault("to", "not_chosen")])
        if sent.to not in house.categories:
            raise Invalid([Fault("to", "unknown_category")])
    if sent.act in {"tag", "untag"}:
        if sent.with_tag is None:
            raise Invalid([Fault("with_tag", "tag_not_chosen")])
        tagging.known_tag(db, own, sent.with_tag)


def _mark(sent: BulkInput, lines: Sequence[Expected]) -> str:
    """A digest of what would be done to whom."""
    told = [sent.act, sent.to, sent.with_tag, [[line.row.id, line.row.state, line.outcome] for line in lines]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


Looks = Callable[[Db, Forum, House, Sequence[Any], BulkInput, datetime], list[Expected]]


def _approved(
    db: Db, forum: Forum, house: House, rows: Sequence[Any], _sent: BulkInput, now: datetime
) -> list[Expected]:
    """In the order of standing, as the deed would give the seats: the list before somebody changes what is left."""
    hall, people = once_settled(db, forum, house, now=now)
    taken = hall.taken(people)
    here = replace(house, taken={code: taken[code] for code in house.categories})
    found = []
    for row in rows:
        if row.state != State.AWAITING_APPROVAL.value:
            found.append(Expected(row, "step_not_possible"))
        elif row.id in hall.sitting:
            found.append(Expected(row, "seated"))
        elif (more := beyond(here, row.category, now=now)).by_rule:
            here.taken[row.category] += 1
            found.append(Expected(row, "seated"))
        else:
            found.append(Expected(row, "waiting", _why(more)))
    return found


def _why(more: Beyond) -> str:
    if not more.possible:
        return "hall"
    return "limit" if more.over_limit else "guarantees"


def _ended(outcome: str, to: State) -> Looks:
    def look(
        _db: Db, _forum: Forum, _house: House, rows: Sequence[Any], _sent: BulkInput, _now: datetime
    ) -> list[Expected]:
        return [Expected(row, outcome if may_follow(State(row.state), to) else "step_not_possible") for row in rows]

    return look


def _moved(db: Db, forum: Forum, house: House, rows: Sequence[Any], sent: BulkInput, now: datetime) -> list[Expected]:
    hall, people = once_settled(db, forum, house, now=now)
    taken = hall.taken(people)
    here = replace(house, taken={code: taken[code] for code in house.categories})
    best = min((_standing(people[one]) for one in hall.waiting if people[one].category == sent.to), default=None)
    found = []
    for row in rows:
        outcome = "moved"
        if row.ended_at is not None:
            outcome = "ended"
        elif row.category == sent.to:
            outcome = "same_category"
        elif row.id in hall.sitting:
            here.taken[row.category] -= 1
            fits = beyond(here, sent.to, now=now).by_rule
            outcome = "moved" if fits else "no_seat_there"
            if fits and best is not None and best < _standing(row):
                outcome = "others_wait_there"
            here.taken[sent.to if outcome == "moved" else row.category] += 1
        found.append(Expected(row, outcome))
    return found


def _standing(row: Any) -> Any:
    return standing(Waiting(row.id, "", row.priority, row.asked_at))


def _marked(on: bool) -> Looks:
    def look(
        db: Db, _forum: Forum, _house: House, rows: Sequence[Any], sent: BulkInput, _now: datetime
    ) -> list[Expected]:
        there = set(db.execute(select(_tagged.c.application_id).where(_tagged.c.tag_id == sent.with_tag)).scalars())

        def outcome(row: Any) -> str:
            if row.erased_at is not None:
                return "erased"
            if (row.id in there) == on:
                return "as_it_is"
            return "tagged" if on else "untagged"

        return [Expected(row, outcome(row)) for row in rows]

    return look


_LOOKS: Mapping[str, Looks] = {
    "approve": _approved,
    "decline": _ended("declined", State.DECLINED),
    "cancel": _ended("cancelled", State.CANCELLED),
    "move": _moved,
    "tag": _marked(True),
    "untag": _marked(False),
}
