"""A person's details between form, row and page."""

from collections.abc import Mapping
from typing import Any

from app.kit.i18n import is_khmer
from app.registration.inputs import Person
from app.registration.rules.collation import khmer_key, name_key
from app.registration.rules.names import list_name, normal_name, written_name
from app.registration.rules.titles import titles_beside

SEARCHED = ("family_name", "given_name", "name_km", "display_name", "institution")


def person_columns(sent: Person) -> dict[str, Any]:
    """The columns of a person as typed, and those to search and sort by."""
    values = {
        "titles": list(sent.titles),
        "family_name": sent.family_name,
        "given_name": sent.given_name,
        "name_km": sent.name_km,
        "name_order": sent.name_order,
        "display_name": sent.display_name,
        "attends_as": sent.attends_as,
        "institution": sent.institution,
        "position_title": sent.position_title,
        "country": sent.country,
        "phone": sent.phone,
    }
    return {**values, "name_search": searched_by(values), **sort_columns(sent)}


MADE = frozenset({"name_search", "sort_name", "sort_name_km", "sort_institution"})
"""The columns that are made of the others: nobody typed them."""


def sort_columns(person: Any) -> dict[str, bytes]:
    """The keys by which a person stands in lists, from an input or a row: by Latin name (family name first), by Khmer
    name, by institution; by none in a private capacity, where the order would say it (rules §2)."""
    latin = " ".join(part for part in (person.family_name, person.given_name) if part) or person.display_name
    return {
        "sort_name": name_key(latin, person.name_km),
        "sort_name_km": khmer_key(person.name_km, latin),
        "sort_institution": name_key("" if person.attends_as == "private" else person.institution, ""),
    }


def searched_by(person: Mapping[str, Any]) -> str:
    """What a person (their columns) is found by: the names, and the institution but in a private capacity, where what a
    search for it finds would say it (rules §2)."""
    names = SEARCHED[:-1] if person["attends_as"] == "private" else SEARCHED
    return normal_name(*(person[name] for name in names))


def says_the_same(row: Any, sent: Person) -> bool:
    """Does a registration's row say of its person what was sent? So a form sent once more is told from another."""
    return all(getattr(row, name) == value for name, value in person_columns(sent).items())


def shown_name(row: Any, lang: str = "en") -> str:
    """How a person is addressed: the typed display name as it stands; else the titles and the name in the reader's
    script, Khmer family name first, Latin in the order the person stated, or else as in the passport. Titles whose pair
    is known follow the script of the name. An invitation has a name too, and nothing stated about its order."""
    get = row.get if isinstance(row, dict) else lambda name: getattr(row, name, "")
    if get("display_name"):
        return str(get("display_name"))
    latin = written_name(str(get("family_name")), str(get("given_name")), str(get("name_order") or ""))
    name = str((get("name_km") or latin) if lang == "km" else (latin or get("name_km")))
    return " ".join([*titles_beside(get("titles") or (), khmer=is_khmer(name)), name])


def listed_name(row: Any) -> str:
    """The name for lists (rules §2); the typed or Khmer name where there is no family name."""
    order = getattr(row, "name_order", "")
    return list_name(row.family_name, row.given_name, row.display_name, order) or str(row.name_km)


def shown_institution(row: Any) -> str:
    """The institution for badges, lists and exports: none for whoever attends in a private capacity (rules §2)."""
    return "" if row.attends_as == "private" else str(row.institution)
