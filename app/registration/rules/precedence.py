"""The order of precedence: which rung of the ladder a person stands on, and who stands before whom (rules §2).

Rungs are in order, the highest first. There is no decree to copy: the usual ladder follows the order in which a speech
from the throne named those present, and every forum may change it.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from app.registration.rules.names import normal_name

ALPHABETS = ("en", "fr", "km")
"""In which language delegations are put in the order of their countries' names."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A rung and who stands on it: of these categories (codes), with one of these titles, with one of these functions,
    `heads` only those who head a delegation. What is not asked is empty; one that asks nothing takes nobody by itself.
    """

    code: str
    categories: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    heads: bool = False

    @property
    def asks(self) -> bool:
        """Does anybody stand here without being put here?"""
        return bool(self.categories or self.titles or self.functions or self.heads)

    def takes(self, guest: "Guest") -> bool:
        """Does this person stand here by themselves?"""
        return (
            self.asks
            and (not self.categories or guest.category in self.categories)
            and (not self.titles or any(_begins(title, self.titles) for title in guest.titles))
            and (not self.functions or _begins(guest.function, self.functions))
            and (not self.heads or guest.heads)
        )


@dataclass(frozen=True, slots=True)
class Guest:
    """A person as the order needs them.

    `function` is empty and `heads` false in a private capacity: who attends for themselves does not rank by an office.
    `delegation` is the country's name in the chosen alphabet, then the institution's. `since` is the day of credentials
    or appointment where it is given; `rung` the code of the rung somebody was put on, else "".
    """

    id: int
    category: str
    titles: tuple[str, ...] = ()
    function: str = ""
    heads: bool = False
    delegation: tuple[str, str] = ("", "")
    family_name: str = ""
    given_name: str = ""
    since: date | None = None
    rung: str = ""


def plainly(text: str) -> str:
    """Names in the order of their letters' numbers, without case, punctuation and the accents of Latin letters.

    Khmer's own order differs from it in few places; another function may be given in its stead.
    """
    letters = unicodedata.normalize("NFD", normal_name(text))
    return "".join(letter for letter in letters if not "\u0300" <= letter <= "\u036f")


def rung_of(guest: Guest, ladder: Sequence[Rung]) -> Rung | None:
    """Where somebody stands: on the rung they were put on, else on the first that takes them; None on no rung.

    A rung that is not on the ladder any more puts nobody anywhere.
    """
    put = next((rung for rung in ladder if guest.rung and rung.code == guest.rung), None)
    return put or next((rung for rung in ladder if rung.takes(guest)), None)


def in_order(
    guests: Iterable[Guest], ladder: Sequence[Rung], *, collated: Callable[[str], str] = plainly
) -> list[tuple[Guest, Rung | None]]:
    """Everybody in order of precedence with their rung, those on none at the end; whatever order they came in.

    On one rung: those whose day of credentials or appointment is known, the earliest first (Vienna Convention,
    article 16); then by delegation in the alphabet, those without one last, its head before the others; then by family
    and given name; last by id, so that no two are ever level.
    """
    places = {rung.code: place for place, rung in enumerate(ladder)}
    found = [(guest, rung_of(guest, ladder)) for guest in guests]

    def standing(one: tuple[Guest, Rung | None]) -> tuple[object, ...]:
        guest, rung = one
        country, institution = map(collated, guest.delegation)
        return (
            places[rung.code] if rung else len(ladder),
            guest.since is None,
            guest.since or date.max,
            not country,
            country,
            not institution,
            institution,
            not guest.heads,
            collated(guest.family_name),
            collated(guest.given_name),
            guest.id,
        )

    return sorted(found, key=standing)


def _begins(text: str, words: Iterable[str]) -> bool:
    """Does a title or function begin with one of these, as whole words where there are spaces between words?

    So "Deputy Prime Minister" is no "Prime Minister"; "Prime Minister of …" is one.
    """
    compared = _compared(text)
    for each in words:
        begun = _compared(each)
        if begun and compared.startswith(begun):
            rest = compared[len(begun) :]
            if not rest or rest[0] == " " or not begun.isascii():
                return True
    return False


def _compared(text: str) -> str:
    # ្ត and ្ដ look the same and are typed for each other
    return normal_name(text).replace("្ត", "្ដ")


USUAL = (
    Rung(
        "patriarchs",
        titles=(
            "Samdech Preah Sangha",
            "Samdech Preah Maha",
            "Venerable",
            "Ven.",
            "សម្តេចព្រះសង្ឃ",
            "សម្តេចព្រះមហា",
            "ព្រះតេជគុណ",
        ),
    ),
    Rung("senate-president", functions=("President of the Senate", "ប្រធានព្រឹទ្ធសភា")),
    Rung("assembly-president", functions=("President of the National Assembly", "ប្រធានរដ្ឋសភា")),
    Rung("prime-minister", functions=("Prime Minister", "នាយករដ្ឋមន្ត្រី")),
    Rung("royal-family", titles=("H.R.H.", "HRH", "Prince", "Princess", "ព្រះអង្គម្ចាស់", "អ្នកអង្គម្ចាស់")),
    Rung("privy-counsellors", functions=("Privy Counsellor", "High Privy Counsellor", "ឧត្តមក្រុមប្រឹក្សាព្រះមហាក្សត្រ")),
    Rung("samdech", titles=("Samdech", "សម្តេច")),
    Rung(
        "ministers",
        categories=("GOV", "MIN"),
        functions=(
            "Deputy Prime Minister",
            "Senior Minister",
            "Minister",
            "ឧបនាយករដ្ឋមន្ត្រី",
            "ទេសរដ្ឋមន្ត្រី",
            "រដ្ឋមន្ត្រី",
        ),
    ),
    Rung("government", categories=("GOV",)),
    Rung("parliament", categories=("PARL",)),
    Rung("governors", categories=("PROV",), functions=("Governor", "អភិបាលខេត្ត", "អភិបាលរាជធានី", "អភិបាលនៃ")),
    Rung(
        "armed-forces",
        titles=(
            "General",
            "Gen.",
            "Lieutenant General",
            "Lt. Gen.",
            "Major General",
            "Maj. Gen.",
            "ឧត្តមសេនីយ៍",
            "នាយឧត្តមសេនីយ៍",
        ),
    ),
    Rung(
        "ambassadors",
        categories=("DIP",),
        functions=("Ambassador", "High Commissioner", "Apostolic Nuncio", "Chargé d'affaires", "ឯកអគ្គរដ្ឋទូត", "ភារធារី"),
    ),
    Rung("heads", heads=True),
    Rung("diplomats", categories=("DIP",)),
    Rung("ministries", categories=("MIN",)),
    Rung("provinces", categories=("PROV",)),
    Rung("oknha", titles=("Lok Neak Oknha", "Neak Oknha", "Oknha", "លោកអ្នកឧកញ៉ា", "អ្នកឧកញ៉ា", "ឧកញ៉ា")),
    Rung("scholars", categories=("THK",)),
    Rung("guests", categories=("PTY", "ORG", "CSO", "INT")),
    Rung("students", categories=("STU",)),
)
"""What a forum begins with; the names stand in the catalogues under `precedence.usual`."""
