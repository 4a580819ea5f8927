"""Who comes to the table: countries inside and outside ASEAN, and the two communities that are to talk with each other.

Only what people have said of themselves is counted; who said nothing is counted as that.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.programme.rules.coverage import Group, Voice


class Side(StrEnum):
    """Which of the two communities of the forum's fourth objective, "constructive interaction between the policy and
    scientific communities", somebody comes from."""

    POLICY = "policy"
    SCIENCE = "science"
    BOTH = "both"
    NEITHER = "neither"


SIDES = {
    **dict.fromkeys(("PARL", "GOV", "MIN", "DIP", "PROV", "PTY"), Side.POLICY),
    "STU": Side.SCIENCE,
    "THK": Side.BOTH,
}
"""The groups of the forum's call by their codes: who makes or carries out policy (parliament, government, ministries,
diplomats, provinces, parties); "students, national and international scholars"; and "the nation's thinkers and
policy-makers", who are named in one breath. Whoever is in another group (organisations, business, civil society,
badges) is of neither: what they are cannot be told from their group."""


@dataclass(frozen=True, slots=True)
class Present:
    """So many people of one kind: their category's code, ISO country, and institution as lists may show it ("" for
    none, and for those in a private capacity: rules §2)."""

    category: str
    country: str
    institution: str
    confirmed: bool
    number: int


@dataclass(frozen=True, slots=True)
class Share:
    """How many of one key are confirmed, and how many are not yet."""

    key: str
    confirmed: int
    unconfirmed: int

    @property
    def all(self) -> int:
        return self.confirmed + self.unconfirmed


@dataclass(frozen=True, slots=True)
class Balance:
    """The same people counted five times; each part adds up to all of them, but for institutions that nobody named."""

    groups: tuple[Share, ...]
    sides: tuple[Share, ...]
    categories: tuple[Share, ...]
    countries: tuple[Share, ...]
    institutions: tuple[Share, ...]

    @property
    def all(self) -> int:
        """How many people there are."""
        return sum(share.all for share in self.groups)


def side_of(category: str) -> Side:
    """The community a category stands for."""
    return SIDES.get(category, Side.NEITHER)


def balance(present: Iterable[Present]) -> Balance:
    """Count people by group of countries and by community (each in the order of its enumeration, those of nobody too),
    and by category, country and institution (the most first, then by key)."""
    people = list(present)
    return Balance(
        groups=_named(Group, ((Voice(one.country or None).group.value, one) for one in people)),
        sides=_named(Side, ((side_of(one.category).value, one) for one in people)),
        categories=_counted((one.category, one) for one in people),
        countries=_counted((one.country, one) for one in people),
        institutions=_counted((one.institution, one) for one in people if one.institution),
    )


def _named(names: type[StrEnum], keyed: Iterable[tuple[str, Present]]) -> tuple[Share, ...]:
    found = {share.key: share for share in _counted(keyed)}
    return tuple(found.get(name.value, Share(name.value, 0, 0)) for name in names)


def _counted(keyed: Iterable[tuple[str, Present]]) -> tuple[Share, ...]:
    counts: Counter[tuple[str, bool]] = Counter()
    for key, one in keyed:
        counts[key, one.confirmed] += one.number
    shares = (Share(key, counts[key, True], counts[key, False]) for key in {key for key, _ in counts})
    return tuple(sorted(shares, key=lambda share: (-share.all, share.key)))
