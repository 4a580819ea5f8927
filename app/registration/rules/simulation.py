"""What other numbers would do (rules §1): a question about the hall as it stands, or about all seats given anew.

Nothing here seats anybody. That those who sit stay where they are is the seat rule's own promise; giving all seats
anew is for looking only.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.registration.rules.seats import Over, Quota, Waiting, admit, over_by, standing


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What would follow from some numbers: who would be given a seat, who would still wait, both best standing first,
    and by how many seats the hall would be over before that."""

    given: tuple[Waiting, ...]
    waiting: tuple[Waiting, ...]
    over: Over


@dataclass(frozen=True, slots=True)
class Anew:
    """All seats given anew by standing: who would have one and has none now, and who has one and would have none."""

    gaining: tuple[Waiting, ...]
    losing: tuple[Waiting, ...]
    seated: Mapping[str, int]
    """Category → people who would have a seat."""


def what_if(
    capacity: int, quotas: Sequence[Quota], taken: Mapping[str, int], waiting: Collection[Waiting], now: datetime
) -> WhatIf:
    """What these numbers would do to the hall as it stands: nobody who sits is unseated (rules §1.6)."""
    given = admit(capacity, quotas, taken, waiting, now)
    seated = {person.id for person in given}
    left = sorted((person for person in waiting if person.id not in seated), key=standing)
    return WhatIf(tuple(given), tuple(left), over_by(capacity, quotas, taken, now))


def from_nothing(
    capacity: int,
    quotas: Sequence[Quota],
    kept: Mapping[str, int],
    sitting: Collection[Waiting],
    waiting: Collection[Waiting],
    now: datetime,
) -> Anew:
    """Who would sit if every person's seat were given anew by standing, in these numbers.

    `kept` are seats without a person (hold-backs, delegations, invitations), which stay as they are.
    """
    given = admit(capacity, quotas, kept, [*sitting, *waiting], now)
    chosen, sits = {person.id for person in given}, {person.id for person in sitting}
    counts = dict.fromkeys((quota.category for quota in quotas), 0)
    for person in given:
        counts[person.category] += 1
    gaining = tuple(sorted((person for person in given if person.id not in sits), key=standing))
    losing = tuple(sorted((person for person in sitting if person.id not in chosen), key=standing))
    return Anew(gaining, losing, counts)
