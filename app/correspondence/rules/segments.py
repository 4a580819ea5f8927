"""Who is meant by a mailing: a segment is a few questions about somebody, all of which must be answered with yes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any


class Audience(StrEnum):
    """Whom a mailing is written to."""

    PEOPLE = "people"
    """Those who are registered, each at the address of the registration."""
    SPEAKERS = "speakers"
    FOCAL_POINTS = "focal_points"


STANDINGS = ("awaiting", "seated", "waiting", "offered", "cancelled", "declined", "expired")
CAPACITIES = ("official", "private")
YES_OR_NO = ("yes", "no")
OF_PEOPLE = (
    "standings",
    "categories",
    "capacity",
    "confirmed",
    "delegation",
    "institution",
    "tag",
    "session",
    "asked_from",
    "asked_until",
    "chosen",
)
"""What can be asked of a registration alone."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The questions; an empty one asks nothing. `confirmed` is of the address, "yes" or "no"; `delegation` a code, or
    "none" or "any"; `institution` are words of its name, `tag` a number; `session` the code of one chosen or signed up
    for; the instants are in UTC, the second excluded.
    `chosen` are codes of registrations picked one by one, of which somebody must have one."""

    audience: Audience = Audience.PEOPLE
    standings: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    capacity: str = ""
    confirmed: str = ""
    country: str = ""
    delegation: str = ""
    institution: str = ""
    tag: str = ""
    session: str = ""
    language: str = ""
    asked_from: datetime | None = None
    asked_until: datetime | None = None
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be written to. `subject` is what a mail to them is about ("registration:K3TP9QA"); `email` is
    empty where there is none, `code` is of a registration, `institution` empty in a private capacity (rules §2), `tags`
    are numbers, `sessions` the codes of those chosen."""

    id: int
    subject: str
    email: str
    name: str
    language: str
    standing: str = ""
    category: str = ""
    capacity: str = ""
    confirmed: bool = False
    country: str = ""
    delegation: str = ""
    institution: str = ""
    tags: frozenset[str] = frozenset()
    asked_at: datetime | None = None
    sessions: frozenset[str] = frozenset()
    code: str = ""


def fits(segment: Segment, person: Person) -> bool:
    """Is this person meant? Whoever has no address never is."""
    if not person.email:
        return False
    if segment.language and person.language != segment.language:
        return False
    if segment.country and person.country != segment.country:
        return False
    return segment.audience is not Audience.PEOPLE or _registered_so(segment, person)


def _registered_so(segment: Segment, person: Person) -> bool:
    if segment.chosen and person.code not in segment.chosen:
        return False
    if segment.standings and person.standing not in segment.standings:
        return False
    if segment.categories and person.category not in segment.categories:
        return False
    if segment.capacity and person.capacity != segment.capacity:
        return False
    if segment.confirmed and person.confirmed != (segment.confirmed == "yes"):
        return False
    if segment.institution.casefold() not in person.institution.casefold():
        return False
    if segment.tag and segment.tag not in person.tags:
        return False
    if segment.session and segment.session not in person.sessions:
        return False
    return _of_delegation(segment.delegation, person) and _asked_then(segment, person)


def _of_delegation(wanted: str, person: Person) -> bool:
    if wanted in {"any", "none"}:
        return bool(person.delegation) == (wanted == "any")
    return not wanted or person.delegation == wanted


def _asked_then(segment: Segment, person: Person) -> bool:
    if segment.asked_from is None and segment.asked_until is None:
        return True
    if person.asked_at is None:
        return False
    late = segment.asked_from is None or person.asked_at >= segment.asked_from
    return late and (segment.asked_until is None or person.asked_at < segment.asked_until)


def as_kept(segment: Segment) -> dict[str, Any]:
    """The segment as JSON, without the questions that ask nothing."""
    kept = {name: value for name, value in asdict(segment).items() if value}
    told = {name: value.isoformat() for name, value in kept.items() if isinstance(value, datetime)}
    listed = {name: list(value) for name, value in kept.items() if isinstance(value, tuple)}
    return {**kept, "audience": segment.audience.value, **told, **listed}


def from_kept(kept: Mapping[str, Any]) -> Segment:
    """What `as_kept` gave, as a segment again."""
    there = {field.name: kept[field.name] for field in fields(Segment) if field.name in kept}
    for name in ("standings", "categories", "chosen"):
        there[name] = tuple(there.get(name, ()))
    for name in ("asked_from", "asked_until"):
        there[name] = datetime.fromisoformat(there[name]) if there.get(name) else None
    return Segment(**{**there, "audience": Audience(there.get("audience", Audience.PEOPLE))})
