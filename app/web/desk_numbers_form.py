"""The form of a forum's numbers: from what stands to fields, and from fields to what the deed takes.

A category's fields are called by its code and the number: `STU-guarantee`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData

from app.kit.errors import Fault, Invalid
from app.kit.i18n import latin_digits
from app.kit.inputs import parse
from app.registration.inputs import CategoryInput, TermsInput
from app.registration.quotas import House
from app.web.local_times import instant, typed

TERMS = ("capacity", "target", "confirm_hours", "offer_hours", "promotion")
TERMS_TIMES = ("opens_at", "closes_at")
COUNTS = ("guarantee", "limit")
TIMES = ("lapses_at", "opens_at", "closes_at")
TICKS = ("hold_while_reviewing", "in_hall")


def fields_of(house: House, zone: str) -> dict[str, str]:
    """The form's fields as the numbers stand; a box that is not ticked has none."""
    found = {name: str(getattr(house.terms, name)) for name in TERMS}
    found |= {name: typed(getattr(house.terms, name), zone) for name in TERMS_TIMES}
    for code, row in house.categories.items():
        found[f"{code}-guarantee"] = str(row.guarantee)
        found[f"{code}-limit"] = "" if row.limit is None else str(row.limit)
        found[f"{code}-mode"] = row.mode
        found |= {f"{code}-{name}": typed(getattr(row, name), zone) for name in TIMES}
        found |= {f"{code}-{name}": "yes" for name in TICKS if getattr(row, name)}
    return found


def read_numbers(sent: FormData, house: House, zone: str) -> tuple[TermsInput, list[CategoryInput]]:
    """What was sent, as the deed takes it; words and letters of the categories stay. Raises Invalid."""
    texts = {name: value for name, value in sent.items() if isinstance(value, str)}
    faults: list[Fault] = []
    terms: dict[str, Any] = {name: latin_digits(texts.get(name, "")) for name in TERMS}
    terms |= _times(texts, "", TERMS_TIMES, zone, faults)
    read_terms = _read(TermsInput, terms, "", faults)
    categories = []
    for code, row in house.categories.items():
        kept: dict[str, Any] = {name: getattr(row, name) for name in CategoryInput.model_fields}
        kept["guarantee"] = latin_digits(texts.get(f"{code}-guarantee", ""))
        kept["limit"] = latin_digits(texts.get(f"{code}-limit", "")).strip() or None
        kept["mode"] = texts.get(f"{code}-mode", row.mode)
        kept |= {name: texts.get(f"{code}-{name}") == "yes" for name in TICKS}
        kept |= _times(texts, f"{code}-", TIMES, zone, faults)
        categories.append(_read(CategoryInput, kept, f"{code}-", faults))
    if faults:
        raise Invalid(faults)
    return read_terms, categories


@dataclass(frozen=True, slots=True)
class Change:
    """One number that is other than it stands: the field's name in the catalogue, the category or None for the hall's
    own, and both values as their fields hold them ("" for nothing, "yes" for a ticked box)."""

    what: str
    category: Any
    before: str
    after: str


def changes_of(house: House, sent: Mapping[str, str], zone: str) -> list[Change]:
    """Which of the numbers that were sent differ from those that stand, in the form's order."""
    present = fields_of(house, zone)
    owners = [("", None), *((f"{code}-", row) for code, row in house.categories.items())]
    found = []
    for prefix, row in owners:
        for name in (*TERMS, *TERMS_TIMES) if row is None else (*COUNTS, "mode", *TIMES, *TICKS):
            before, after = (_plain(values.get(f"{prefix}{name}", "")) for values in (present, sent))
            if before != after:
                found.append(Change(name, row, before, after))
    return found


def _plain(text: str) -> str:
    """A value without what typing adds to it: Khmer digits, spaces, zeros in front of a number."""
    plain = latin_digits(text).strip()
    return str(int(plain)) if plain.isdecimal() else plain


def _times(
    texts: Mapping[str, str], prefix: str, names: tuple[str, ...], zone: str, faults: list[Fault]
) -> dict[str, Any]:
    found = {}
    for name in names:
        try:
            found[name] = instant(texts.get(f"{prefix}{name}", ""), zone, f"{prefix}{name}")
        except Invalid as invalid:
            faults += invalid.faults
    return found


def _read(model: Any, values: dict[str, Any], prefix: str, faults: list[Fault]) -> Any:
    """The part read, or None with its faults noted; what is about a whole category stands at its guarantee."""
    try:
        return parse(model, values)
    except Invalid as invalid:
        whole = f"{prefix}guarantee" if prefix else "capacity"
        faults += [
            Fault(f"{prefix}{fault.field}" if fault.field else whole, fault.code, fault.values)
            for fault in invalid.faults
        ]
        return None
