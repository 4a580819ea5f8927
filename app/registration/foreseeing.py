"""The hall as it will stand once what is due has been done: `settling.settle` thought through, without writing.

A worker may be half a minute late, and a deed settles first; what is asked about the hall must count as the deed would.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.registration.quotas import House
from app.registration.rules.seats import Waiting, admit
from app.registration.rules.states import State


@dataclass(frozen=True, slots=True)
class Kept:
    """A seat row without a person: its category's code and whose it is (ids of rows)."""

    category: str
    hold_back_id: int | None = None
    invitation_id: int | None = None
    delegation_id: int | None = None


@dataclass(slots=True)
class Foreseen:
    """Ids of the people who sit and who wait, and the seats without a person."""

    sitting: set[int]
    waiting: set[int]
    kept: list[Kept]

    def taken(self, people: Mapping[int, Any]) -> Counter[str]:
        """Category → seats taken."""
        return Counter([*(people[number].category for number in self.sitting), *(one.category for one in self.kept)])


def foresee(
    house: House, people: Mapping[int, Any], kept: Sequence[Kept], due: Mapping[datetime, Sequence[tuple[str, int]]]
) -> Foreseen:
    """Do what is due (`settling.due_by`) in the order of its instants, the list moving after each in the house's own
    numbers.

    `people` are those who wait or sit by id, rows with `state`, `category` (its code), `priority`, `asked_at`,
    `accompanies_id`, `seat_id`, and `party`: the delegation that the seat goes back to.
    """
    hall = Foreseen(
        {number for number, row in people.items() if row.seat_id is not None},
        {number for number, row in people.items() if row.state == State.WAITING.value},
        list(kept),
    )
    for at in sorted(due):
        for kind, number in due[at]:
            _do(hall, people, kind, number, closed={one for _, one in _of(due, "delegation", at)})
        _move(hall, people, house, at)
    return hall


def _of(due: Mapping[datetime, Sequence[tuple[str, int]]], kind: str, until: datetime) -> list[tuple[str, int]]:
    return [one for at, many in due.items() for one in many if one[0] == kind and at <= until]


def _do(hall: Foreseen, people: Mapping[int, Any], kind: str, number: int, closed: set[int]) -> None:
    if kind == "expiry":
        row = people.get(number)
        if row is None:
            return
        ends = row.state != State.AWAITING_APPROVAL.value
        along = [one.id for one in people.values() if ends and one.accompanies_id == number]
        for gone in (number, *along):
            party = people[gone].party
            if gone in hall.sitting and party is not None and party not in closed:
                hall.kept.append(Kept(people[gone].category, delegation_id=party))
            hall.sitting.discard(gone)
            hall.waiting.discard(gone)
    elif kind != "lapse":  # a guarantee that has lapsed counts as nought by the clock
        hall.kept = [one for one in hall.kept if getattr(one, f"{kind}_id") != number]


def _move(hall: Foreseen, people: Mapping[int, Any], house: House, at: datetime) -> None:
    taken = hall.taken(people)
    for part in house.halls:
        inside = [quota.category for quota in part.quotas]
        waiting = [as_waiting(people[one]) for one in hall.waiting if people[one].category in inside]
        given = {one.id for one in admit(part.capacity, part.quotas, {c: taken[c] for c in inside}, waiting, at)}
        hall.sitting |= given
        hall.waiting -= given


def as_waiting(row: Any) -> Waiting:
    """A person's row as the seat rule knows it."""
    return Waiting(row.id, row.category, row.priority, row.asked_at)
