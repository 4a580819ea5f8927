"""The form of one session: from what stands to fields, and from fields to what the deed takes.

The parts of its people are `person-1`, `role-1`, `order-1` and so on; a row without a person says nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from starlette.datastructures import FormData

from app.kit.errors import Fault, Invalid
from app.kit.i18n import LANGS, Bilingual, latin_digits
from app.kit.inputs import parse
from app.programme.inputs import AppearanceRole, SessionInput, TypedSession
from app.web.local_times import instant, typed

SEVERAL = ("tracks", "themes", "objectives", "spoken", "interpreted")
_ONE = ("facet", "room", "setup", "attribution")
"""One of a list, or none."""
WORDS = ("title", "abstract", "guiding_question")
MOST_PARTS = 60
EMPTY_ROWS = 2
ROLES: tuple[str, ...] = get_args(AppearanceRole)
MOST_FIELDS = 400
Kept = dict[str, str | Sequence[str]]


def fields_of(draft: SessionInput, zone: str) -> Kept:
    """The form's fields as a session stands; a box that is not ticked has none."""
    found: Kept = {name: getattr(draft, name) or "" for name in ("code", "type", *_ONE)}
    for name in WORDS:
        text: Bilingual = getattr(draft, name) or Bilingual()
        found |= {f"{name}_en": text.en, f"{name}_km": text.km}
    found |= {name: [str(each) for each in getattr(draft, name)] for name in SEVERAL}
    found |= {name: typed(getattr(draft, name), zone) for name in ("starts_at", "ends_at")}
    if draft.overlap_intended:
        found["overlap_intended"] = "yes"
    for number, part in enumerate(draft.people, start=1):
        found |= {f"person-{number}": part.speaker, f"role-{number}": part.role, f"order-{number}": str(number)}
    return found


def rows_of(kept: Mapping[str, Any]) -> list[int]:
    """The numbers of the rows for people that a form shows: those filled in, and some empty ones."""
    filled = [number for number in range(1, MOST_PARTS + 1) if kept.get(f"person-{number}")]
    last = max(filled, default=0)
    return list(range(1, min(last + EMPTY_ROWS, MOST_PARTS) + 1))


def read_session(
    sent: FormData, zone: str, speakers: Mapping[str, Any], stands: SessionInput | None = None
) -> SessionInput:
    """What was sent, as the deed takes it; boxes have no order, so what `stands` keeps the one it has.

    Raises Invalid with a fault for each field.
    """
    texts = {name: value for name, value in sent.items() if isinstance(value, str)}
    faults: list[Fault] = []
    values: dict[str, Any] = {name: texts.get(name, "").strip() or None for name in _ONE}
    values |= {name: texts.get(name, "") for name in ("code", "type")}
    for name in WORDS:
        text = Bilingual(*(texts.get(f"{name}_{lang}", "").replace("\r\n", "\n") for lang in LANGS))
        values[name] = text if name == "title" or text.en.strip() or text.km.strip() else None
    values |= {name: tuple(each for each in sent.getlist(name) if isinstance(each, str)) for name in SEVERAL}
    for name in ("starts_at", "ends_at"):
        try:
            values[name] = instant(texts.get(name, ""), zone, name)
        except Invalid as invalid:
            faults += invalid.faults
    if not faults and (values["starts_at"] is None) != (values["ends_at"] is None):
        faults.append(Fault("ends_at" if values["ends_at"] is None else "starts_at", "missing"))
    if texts.get("overlap_intended", "yes") != "yes":
        faults.append(Fault("overlap_intended", "not_a_choice"))
    values["overlap_intended"] = "overlap_intended" in texts
    values["people"] = _people(texts, speakers, faults)
    try:
        read = parse(TypedSession, values)
    except Invalid as invalid:
        faults += [_beside(fault) for fault in invalid.faults]
    if faults:
        raise Invalid(faults)
    whole = {name: getattr(read, name) for name in SessionInput.model_fields}
    if stands is not None:
        whole |= {name: _as_it_stood(whole[name], getattr(stands, name)) for name in SEVERAL}
    return SessionInput(**whole)


def _as_it_stood(ticked: Sequence[Any], before: Sequence[Any]) -> tuple[Any, ...]:
    return tuple([each for each in before if each in ticked] + [each for each in ticked if each not in before])


def _beside(fault: Fault) -> Fault:
    """A fault in a text of two languages stands at the first of its fields."""
    field = fault.field.split(".")[0]
    return Fault(f"{field}_en" if field in WORDS else fault.field, fault.code, fault.values)


def _people(texts: Mapping[str, str], speakers: Mapping[str, Any], faults: list[Fault]) -> list[dict[str, str]]:
    rows = []
    for number in range(1, MOST_PARTS + 1):
        person, role = texts.get(f"person-{number}", "").strip(), texts.get(f"role-{number}", "").strip()
        order = latin_digits(texts.get(f"order-{number}", "")).strip()
        if person and person not in speakers:
            faults.append(Fault(f"person-{number}", "not_a_choice"))
        if role not in {*ROLES, ""} or (person and not role):
            faults.append(Fault(f"role-{number}", "not_a_choice" if role else "not_chosen"))
        if order and not (order.isascii() and order.isdigit() and len(order) < 4):
            faults.append(Fault(f"order-{number}", "not_a_number"))
        elif person:
            rows.append((int(order or number), number, {"speaker": person, "role": role}))
    parts = [part for _, _, part in sorted(rows, key=lambda row: row[:2])]
    for number, part in enumerate(parts, start=1):
        if part in parts[: number - 1]:
            faults.append(Fault("people", "part_twice"))
    return parts if not faults else []
