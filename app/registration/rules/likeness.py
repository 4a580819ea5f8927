"""Which registrations may be one person's: by name in either script, in either order, or by telephone.

It only points: an organiser looks at the two and decides. What is compared is never stored over what was typed.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from app.registration.rules.names import normal_name

SWITCHBOARD = 4
"""From so many registrations on, one telephone number is an office's and says nothing about who they are."""
MOST_PAIRS = 200
"""What one looks through at a sitting; where there are more, solving these brings up the rest."""


class Reason(StrEnum):
    """What two registrations have in common, the weightiest first."""

    LATIN_NAME = "latin_name"
    KHMER_NAME = "khmer_name"
    NAME_SWAPPED = "name_swapped"
    """The same words in another order: family and given name changed places."""
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Sketch:
    """What of a registration is compared. `email` is the normal form; `assisted` where an assistant's address stands
    for the person's own; `phone` in international form."""

    id: int
    email: str
    family_name: str = ""
    given_name: str = ""
    name_km: str = ""
    phone: str = ""
    assisted: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two registrations that may be one person's, the earlier first, and why."""

    first: int
    second: int
    reasons: tuple[Reason, ...]


def reasons(one: Sketch, other: Sketch) -> tuple[Reason, ...]:
    """Why these two may be one person's, weightiest first; none for a registration and itself.

    Two principals of one assistant share address and telephone without being one person, so there only their names
    count.
    """
    if one.id == other.id:
        return ()
    found = set()
    mine, theirs = _latin(one), _latin(other)
    if mine and mine == theirs:
        found.add(Reason.LATIN_NAME)
    elif mine and sorted(mine) == sorted(theirs):
        found.add(Reason.NAME_SWAPPED)
    if _khmer(one) and _khmer(one) == _khmer(other):
        found.add(Reason.KHMER_NAME)
    elif (khmer := _khmer_words(one)) and len(khmer) > 1 and sorted(khmer) == sorted(_khmer_words(other)):
        found.add(Reason.NAME_SWAPPED)
    same_office = one.email == other.email and (one.assisted or other.assisted)
    if _digits(one) and _digits(one) == _digits(other) and not same_office:
        found.add(Reason.PHONE)
    return tuple(reason for reason in Reason if reason in found)


def pairs(people: Iterable[Sketch], distinct: Iterable[tuple[int, int]] = ()) -> list[Pair]:
    """The pairs that may be one person's, without those said to be two (pairs of ids, in any order).

    Those with most in common first, then by id; at most MOST_PAIRS. Only who shares a key is compared, so the work
    grows with the number of people and not with its square.
    """
    apart = {frozenset(pair) for pair in distinct}
    found: dict[frozenset[int], Pair] = {}
    for _, box in boxes(people):
        for pair in _within(box):
            ids = frozenset((pair.first, pair.second))
            if ids not in apart:
                found[ids] = pair
            if len(found) >= MOST_PAIRS:
                return _ordered(found.values())
    return _ordered(found.values())


def boxes(people: Iterable[Sketch]) -> Iterator[tuple[str, list[Sketch]]]:
    """Who may be like whom: the kind of what they share, and the registrations that share it, without switchboards."""
    found: dict[tuple[str, str], list[Sketch]] = {}
    for person in people:
        for key in _keys(person):
            found.setdefault(key, []).append(person)
    for (kind, _), box in found.items():
        if kind != "phone" or len({person.id for person in box}) < SWITCHBOARD:
            yield kind, box


def _within(box: list[Sketch]) -> Iterator[Pair]:
    for one, other in combinations(sorted(box, key=lambda person: person.id), 2):
        if why := reasons(one, other):
            yield Pair(one.id, other.id, why)


def _ordered(found: Iterable[Pair]) -> list[Pair]:
    order = list(Reason)
    return sorted(found, key=lambda pair: (order.index(pair.reasons[0]), -len(pair.reasons), pair.first, pair.second))


def _keys(person: Sketch) -> Iterator[tuple[str, str]]:
    """One key for each reason, the same for both whenever `reasons` finds it."""
    if latin := _latin(person):
        yield "latin", " ".join(sorted(latin))
    if khmer := _khmer_words(person):
        yield "khmer", "".join(khmer)
        yield "khmer words", " ".join(sorted(khmer))
    if digits := _digits(person):
        yield "phone", digits


def _latin(person: Sketch) -> tuple[str, ...]:
    """The words of the name in Latin letters, without case and marks: Lê and LE are typed for one name."""
    words = normal_name(person.family_name, person.given_name).split()
    return tuple(plain for word in words if not _is_khmer(word) and (plain := _without_marks(word)))


def _khmer_words(person: Sketch) -> tuple[str, ...]:
    """The words of the Khmer name, in whichever field it was typed; vowel signs stay, they tell names apart."""
    words = normal_name(person.name_km).split() or normal_name(person.family_name, person.given_name).split()
    return tuple(word for word in words if _is_khmer(word))


def _khmer(person: Sketch) -> str:
    """The same without the spaces: many write family and given name in one."""
    return "".join(_khmer_words(person))


def _digits(person: Sketch) -> str:
    return "".join(letter for letter in person.phone if letter.isdigit())


def _is_khmer(word: str) -> bool:
    return any("\u1780" <= letter <= "\u17ff" for letter in word)


def _without_marks(word: str) -> str:
    letters = unicodedata.normalize("NFD", word.replace("đ", "d").replace("ł", "l").replace("ø", "o"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
