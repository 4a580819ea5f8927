"""Facts in words: what happened to a registration, who did it, and what changed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from app.kit.i18n import Lang, has_text, text_of


@dataclass(frozen=True, slots=True)
class Told:
    """One fact, ready to show; `changes` are (field, before, after)."""

    at: datetime
    who: str
    words: str
    note: str
    changes: tuple[tuple[str, str, str], ...]


def told(lang: Lang, fact: Any, category_names: Mapping[str, str]) -> Told:
    """A fact in the reader's words; one of a kind without words of its own shows the kind itself."""
    before, after, personal = fact.before or {}, fact.after or {}, fact.personal or {}
    values = {
        "category": _category(category_names, after),
        "former": _category(category_names, before),
        "number": after.get("priority", after.get("number", "")),
        "place": after.get("place", before.get("place", "")),
        "state": _state(lang, after.get("state", "")),
        "seats": after.get("seats", ""),
        "registration": after.get("registration", ""),
        "people": after.get("people", ""),
        "day": after.get("day", ""),
        "other": after.get("other", ""),
        "letter": after.get("letter", ""),
        "list": _list(lang, after),
        "kind": fact.kind,
        "sessions": _codes(after.get("sessions")),
        "former_sessions": _codes(before.get("sessions")),
    }
    badge = fact.kind.startswith("seat.") and values["place"] is None  # outside the hall there are no places
    key = f"desk.history.{fact.kind}{'_badge' if badge else ''}"
    return Told(
        at=fact.at,
        who=who(lang, fact.actor, fact.actor_name),
        words=text_of(lang, key if has_text(lang, key) else "desk.history.other", **values),
        note=str(
            next(
                (told[name] for told in (personal, after) for name in ("note", "reason", "word") if told.get(name)), ""
            )
        ),
        changes=_changes(lang, after.get("changed", ()), personal),
    )


def who(lang: Lang, actor: str, name: str) -> str:
    """Whoever did it: a user by name, the rest by what they are."""
    kind = actor.partition(":")[0]
    return name if kind == "user" and name else text_of(lang, f"desk.who.{kind if kind in _KINDS else 'other'}")


WITHHELD = {
    "registration": frozenset({"institution", "position_title", "delegation"}),
    "delegation": frozenset({"registration", "former"}),
}
"""What facts that leave the system do not tell, by what they are about: either side would say where those come from who
attend in a private capacity (rules §2)."""


def leaving(fact: Any, attended: Collection[str]) -> SimpleNamespace:
    """A fact as it may leave the system: without what is WITHHELD, and of the sessions (codes) somebody chose with
    those alone that are `attended`, of which it may be told who is there (rules §4.5)."""
    names = ("number", "at", "actor", "actor_name", "kind", "subject", "before", "after", "personal", "hash")
    told = {name: getattr(fact, name) for name in names}
    family = fact.subject.partition(":")[0]
    if family in WITHHELD:
        for side in ("before", "after", "personal"):
            told[side] = _without(told[side] or {}, WITHHELD[family])
    if family == "registration":
        for side in ("before", "after"):
            if isinstance(codes := told[side].get("sessions"), list):
                told[side]["sessions"] = [code for code in codes if code in attended]
        if fact.actor.startswith("focal_point:"):
            told["actor"] = "focal_point"  # which of them it was says whose
    return SimpleNamespace(**told)


def _without(told: Mapping[str, Any], withheld: Collection[str]) -> dict[str, Any]:
    kept = {name: value for name, value in told.items() if name not in withheld}
    return {name: _without(value, withheld) if isinstance(value, Mapping) else value for name, value in kept.items()}


_KINDS = frozenset({"user", "participant", "focal_point", "visitor", "worker", "operator", "invited", "speaker"})


def _codes(value: Any) -> str:
    """Codes in a row; other kinds of facts say under this name how many there are."""
    return ", ".join(value) if isinstance(value, list) and value else "–"


def _category(names: Mapping[str, str], told: Mapping[str, Any]) -> str:
    code = str(told.get("category", ""))
    return names.get(code, code)


def _list(lang: Lang, told: Mapping[str, Any]) -> str:
    key = f"lists.name.{told.get('of', '')}"
    return text_of(lang, key) if has_text(lang, key) else ""


def _state(lang: Lang, state: str) -> str:
    key = f"desk.state.{state}"
    return text_of(lang, key) if has_text(lang, key) else state


def _changes(lang: Lang, names: Any, personal: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """The fields of a correction with their values, or without them once those were purged."""
    before, after = personal.get("before") or {}, personal.get("after") or {}
    return tuple((_field(lang, name), _shown(before.get(name)), _shown(after.get(name))) for name in names)


def _field(lang: Lang, name: str) -> str:
    question = name.removeprefix("question.")
    if question != name:
        return text_of(lang, "desk.answers.changed", question=question)
    key = f"desk.field.{name}"
    return text_of(lang, key) if has_text(lang, key) else name


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")
