"""What a programme covers, and whose voices it hears: objectives, topics and themes without a session, panels of one
kind only, sessions without civil society, parts by country.

Nothing is claimed of people of whom too little is known: such sessions are told apart.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

Key = TypeVar("Key")
ASEAN = frozenset({"BN", "ID", "KH", "LA", "MM", "MY", "PH", "SG", "TH", "TL", "VN"})
"""The member states, by their ISO 3166-1 codes; Timor-Leste since October 2025."""
CIVIL_SOCIETY = "civil_society"
POLICY = frozenset({"parliament", "government", "diplomacy", "international"})
SCIENCE = frozenset({"academia"})
"""The two communities that are to talk with each other; the other kinds of voices are of neither."""


class Group(StrEnum):
    """Where somebody comes from."""

    ASEAN = "asean"
    OTHER = "other"
    UNKNOWN = "unknown"


class OneKind(StrEnum):
    """How the people of a session are alike, or who is missing among them."""

    ONE_VOICE = "one_voice"
    """All are of one kind: all parliament, all academia …"""
    POLICY_ONLY = "policy_only"
    SCIENCE_ONLY = "science_only"
    ONE_INSTITUTION = "one_institution"
    ONE_COUNTRY = "one_country"
    ALL_ASEAN = "all_asean"
    NO_ASEAN = "no_asean"
    NO_CIVIL_SOCIETY = "no_civil_society"
    KINDS_UNKNOWN = "kinds_unknown"
    """Of somebody it is not known whose voice it is, and what is known does not settle it."""
    COUNTRIES_UNKNOWN = "countries_unknown"


@dataclass(frozen=True, slots=True)
class Voice:
    """What is known of a speaker: ISO country, institution, whose voice it is; None for not known."""

    country: str | None = None
    institution: str | None = None
    kind: str | None = None

    @property
    def group(self) -> Group:
        """Of a member state of ASEAN, of elsewhere, or not known."""
        if self.country is None:
            return Group.UNKNOWN
        return Group.ASEAN if self.country in ASEAN else Group.OTHER


@dataclass(frozen=True, slots=True)
class Held:
    """What of a session counts here; `people` are (speaker, role). Cancelled ones are to be left out."""

    code: str
    objectives: frozenset[int] = frozenset()
    tracks: frozenset[str] = frozenset()
    themes: frozenset[str] = frozenset()
    facet: str | None = None
    people: tuple[tuple[str, str], ...] = ()


def serving(
    sessions: Iterable[Held], wanted: Iterable[str], named: Callable[[Held], Iterable[str]]
) -> dict[str, list[str]]:
    """Each of `wanted` with the codes of the sessions that name it, in their order; those that none names are there
    too, with nothing."""
    found: dict[str, list[str]] = {each: [] for each in wanted}
    for session in sessions:
        for each in named(session):
            if each in found and session.code not in found[each]:
                found[each].append(session.code)
    return found


def one_kind(session: Held, voices: Mapping[str, Voice]) -> list[OneKind]:
    """How the people of this session are alike and who is missing; nothing where fewer than two are named."""
    people = [voices.get(speaker, Voice()) for speaker in dict.fromkeys(who for who, _ in session.people)]
    if len(people) < 2:
        return []
    return [*_by_kind([one.kind for one in people]), *_by_place(people)]


def _by_kind(kinds: Sequence[str | None]) -> list[OneKind]:
    known = {kind for kind in kinds if kind}
    sides = {side for side, members in (("policy", POLICY), ("science", SCIENCE)) if known & members}
    if None in kinds:
        settled = CIVIL_SOCIETY in known and len(sides) == 2
        return [] if settled else [OneKind.KINDS_UNKNOWN]
    found = [OneKind.ONE_VOICE] if len(known) == 1 else []
    if len(sides) == 1:
        found.append(OneKind.POLICY_ONLY if "policy" in sides else OneKind.SCIENCE_ONLY)
    return found if CIVIL_SOCIETY in known else [*found, OneKind.NO_CIVIL_SOCIETY]


def _by_place(people: Sequence[Voice]) -> list[OneKind]:
    found = []
    institutions = {one.institution for one in people}
    if len(institutions) == 1 and None not in institutions:
        found.append(OneKind.ONE_INSTITUTION)
    groups = {one.group for one in people}
    if Group.UNKNOWN in groups:
        return found if {Group.ASEAN, Group.OTHER} <= groups else [*found, OneKind.COUNTRIES_UNKNOWN]
    if len({one.country for one in people}) == 1:
        found.append(OneKind.ONE_COUNTRY)
    if len(groups) == 1:
        found.append(OneKind.ALL_ASEAN if Group.ASEAN in groups else OneKind.NO_ASEAN)
    return found


def alike(sessions: Iterable[Held], voices: Mapping[str, Voice]) -> dict[OneKind, list[str]]:
    """Every way of being of one kind with the codes of the sessions that are so; those that none is are there too."""
    found: dict[OneKind, list[str]] = {kind: [] for kind in OneKind}
    for session in sessions:
        for kind in one_kind(session, voices):
            found[kind].append(session.code)
    return found


Part = tuple[str, str]
"""One person's part in one session: (the session's code, the speaker)."""


def parts_by_group(sessions: Iterable[Held], voices: Mapping[str, Voice]) -> dict[tuple[str, Group], list[Part]]:
    """Who has which part, by (role, group): how much of chairing and speaking is whose (domain B9)."""
    return _parts(sessions, lambda speaker: voices.get(speaker, Voice()).group)


def parts_by_country(sessions: Iterable[Held], voices: Mapping[str, Voice]) -> dict[tuple[str, str], list[Part]]:
    """The same by (role, country); "" for one that is not known."""
    return _parts(sessions, lambda speaker: voices.get(speaker, Voice()).country or "")


def _parts(sessions: Iterable[Held], key_of: Callable[[str], Key]) -> dict[tuple[str, Key], list[Part]]:
    found: dict[tuple[str, Key], list[Part]] = {}
    for session in sessions:
        for speaker, role in dict.fromkeys(session.people):
            found.setdefault((role, key_of(speaker)), []).append((session.code, speaker))
    return found
