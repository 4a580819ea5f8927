"""Who may be given a seat (rules §1): capacity, guarantees, limits, the open pool and the waiting list.

Those who hold a seat are only counted here, so no answer can reorder or unseat them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CLOCKS_DIFFER = timedelta(minutes=1)
"""Of several machines; further back than that a clock was set back."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What one category is promised and allowed, in seats: 0 ≤ guarantee ≤ limit (`check_quotas`)."""

    category: str
    guarantee: int
    limit: int | None
    lapses_at: datetime | None = None
    """Aware UTC: from this instant on the guarantee counts as 0 (rules §1.4)."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One application that waits for a seat."""

    id: int
    category: str
    priority: int
    """0 = none; a higher one goes first."""
    asked_at: datetime
    """Aware UTC."""


def asks_at(now: datetime, latest: datetime | None) -> datetime:
    """The time at which whoever asks `now` has asked, in a list whose last asked at `latest` (None: nobody did): behind
    them, also where the clock was set back in between (§1.3: nobody who asked later stands before)."""
    if latest is None or latest <= now + CLOCKS_DIFFER:
        return now
    return latest + timedelta.resolution


class FaultCode(StrEnum):
    """What can be wrong with the numbers an organiser saves."""

    CAPACITY_NEGATIVE = "capacity_negative"
    GUARANTEE_NEGATIVE = "guarantee_negative"
    LIMIT_NEGATIVE = "limit_negative"
    GUARANTEE_ABOVE_LIMIT = "guarantee_above_limit"
    GUARANTEES_ABOVE_CAPACITY = "guarantees_above_capacity"
    CATEGORY_TWICE = "category_twice"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the quotas: a code and the values its sentence needs."""

    code: FaultCode
    values: Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Over:
    """By how many seats a state is over (rules §1.6); every number is 0 or absent when it is not."""

    limits: tuple[tuple[str, int], ...]
    """(category, seats over its limit), in the order of the quotas; only these categories are blocked."""
    promised: int
    """Σ max(taken, guarantee) − capacity: some guarantees cannot all be kept."""
    taken: int
    """Σ taken − capacity: more seats are taken than there are, so everybody is blocked."""

    def __bool__(self) -> bool:
        return bool(self.limits or self.promised or self.taken)


@dataclass(frozen=True, slots=True)
class Availability:
    """What is free at one instant, in seats."""

    free_total: int
    """Capacity less what is taken; guarantees not considered."""
    pool_left: int
    """Seats that no guarantee speaks for."""
    seats_left: Mapping[str, int]
    """Category → how many seats could be given now if only this category asked."""


class _Hall:
    """The running sums behind the rule, kept as seats are given."""

    __slots__ = ("capacity", "guarantees", "limits", "promised", "rows", "taken")

    def __init__(self, capacity: int, quotas: Iterable[Quota], taken: Mapping[str, int], now: datetime) -> None:
        self.capacity = capacity
        self.limits = {quota.category: quota.limit for quota in quotas}
        self.guarantees = {quota.category: guarantee_at(quota, now) for quota in quotas}
        self.rows = dict(taken)
        self.taken = sum(taken.values())
        self.promised = sum(
            max(self.rows.get(category, 0), self.guarantees.get(category, 0))
            for category in self.rows.keys() | self.guarantees.keys()
        )

    def unused(self, category: str) -> int:
        return max(0, self.guarantees[category] - self.rows.get(category, 0))

    def may_give(self, category: str) -> bool:
        limit = self.limits[category]
        if limit is not None and self.rows.get(category, 0) >= limit:
            return False
        return self.taken < self.capacity and (self.unused(category) > 0 or self.promised < self.capacity)

    def give(self, category: str) -> None:
        if not self.unused(category):
            self.promised += 1
        self.rows[category] = self.rows.get(category, 0) + 1
        self.taken += 1


def guarantee_at(quota: Quota, now: datetime) -> int:
    """The seats kept for the category at `now` (aware UTC): none once they have lapsed (rules §1.4)."""
    lapsed = quota.lapses_at is not None and now >= quota.lapses_at
    return 0 if lapsed else quota.guarantee


def may_give(capacity: int, quotas: Sequence[Quota], taken: Mapping[str, int], category: str, now: datetime) -> bool:
    """Whether one more seat may be given in `category`: the "iff" of rules §1.

    `taken` counts seat rows per category (seated, offered, held, reserved alike); a category it does not name
    has none, and one without a quota still fills the hall. Asking for a category without a quota: KeyError.
    """
    return _Hall(capacity, quotas, taken, now).may_give(category)


def may_override(capacity: int, taken: Mapping[str, int]) -> bool:
    """Whether an organiser may seat one beyond limit and guarantee: never beyond capacity (rules §1.7)."""
    return sum(taken.values()) < capacity


def standing(person: Waiting) -> tuple[int, datetime, int]:
    """The sort key of the queue, best first: priority, then time asked, then id (rules §1.3)."""
    return (-person.priority, person.asked_at, person.id)


def admit(
    capacity: int,
    quotas: Sequence[Quota],
    taken: Mapping[str, int],
    waiting: Collection[Waiting],
    now: datetime,
) -> list[Waiting]:
    """Which of the waiting get a seat now, in the order the seats are given (rules §1, 1.2, 1.3).

    Within a category the best standing goes first; pool seats go by standing across categories. The order of
    `waiting` and `quotas` is irrelevant. A person of a category without a quota: KeyError.
    """
    hall = _Hall(capacity, quotas, taken, now)
    asked = {person.category for person in waiting}
    open_now = {category for category in asked if hall.may_give(category)}
    given = []
    # One pass is enough: a seat given never opens a category, so whoever is passed over stays passed over.
    for person in sorted((person for person in waiting if person.category in open_now), key=standing):
        if hall.may_give(person.category):
            hall.give(person.category)
            given.append(person)
    return given


def check_quotas(capacity: int, quotas: Sequence[Quota]) -> list[Fault]:
    """What forbids saving these numbers (rules §1): 0 ≤ guarantee ≤ limit and Σ guarantees ≤ capacity.

    A guarantee counts in full here even if it has lapsed, because the organiser may move the lapse again.
    """
    faults = []
    if capacity < 0:
        faults.append(_fault(FaultCode.CAPACITY_NEGATIVE, capacity=capacity))
    seen: set[str] = set()
    for quota in quotas:
        category, guarantee, limit = quota.category, quota.guarantee, quota.limit
        if category in seen:
            faults.append(_fault(FaultCode.CATEGORY_TWICE, category=category))
        seen.add(category)
        if guarantee < 0:
            faults.append(_fault(FaultCode.GUARANTEE_NEGATIVE, category=category, guarantee=guarantee))
        if limit is not None and limit < 0:
            faults.append(_fault(FaultCode.LIMIT_NEGATIVE, category=category, limit=limit))
        elif limit is not None and guarantee > limit:
            faults.append(_fault(FaultCode.GUARANTEE_ABOVE_LIMIT, category=category, guarantee=guarantee, limit=limit))
    promised = sum(quota.guarantee for quota in quotas)
    if promised > capacity:
        faults.append(_fault(FaultCode.GUARANTEES_ABOVE_CAPACITY, guarantees=promised, capacity=capacity))
    return faults


def _fault(code: FaultCode, **values: int | str) -> Fault:
    return Fault(code, values)


def over_by(capacity: int, quotas: Sequence[Quota], taken: Mapping[str, int], now: datetime) -> Over:
    """What these numbers would leave over, in seats; falsy when they leave nothing over (rules §1.6)."""
    hall = _Hall(capacity, quotas, taken, now)
    limits = tuple(
        (quota.category, taken.get(quota.category, 0) - quota.limit)
        for quota in quotas
        if quota.limit is not None and taken.get(quota.category, 0) > quota.limit
    )
    return Over(limits, max(0, hall.promised - capacity), max(0, hall.taken - capacity))


def eats_guarantee_of(
    capacity: int, quotas: Sequence[Quota], taken: Mapping[str, int], category: str, now: datetime
) -> list[tuple[str, int]]:
    """Whose unused guarantee one more seat for `category` would use up (rules §1.7).

    (category, unused guaranteed seats) in the order of the quotas; one of these seats would be gone, and
    whose it was shows only when the last of them is asked for. Empty when the seat is the category's own or
    the pool's, and when the hall is full, since then nothing may be given. No quota for `category`: KeyError.
    """
    hall = _Hall(capacity, quotas, taken, now)
    if hall.unused(category) or hall.promised < capacity or hall.taken >= capacity:
        return []
    return [(quota.category, hall.unused(quota.category)) for quota in quotas if hall.unused(quota.category)]


def availability(capacity: int, quotas: Sequence[Quota], taken: Mapping[str, int], now: datetime) -> Availability:
    """What is free now, in seats, in total and for each category with a quota (rules §1.8)."""
    hall = _Hall(capacity, quotas, taken, now)
    free = max(0, capacity - hall.taken)
    pool = max(0, capacity - hall.promised)
    left = {}
    for quota in quotas:
        below_limit = free if quota.limit is None else max(0, quota.limit - taken.get(quota.category, 0))
        left[quota.category] = min(free, below_limit, hall.unused(quota.category) + pool)
    return Availability(free, pool, left)
