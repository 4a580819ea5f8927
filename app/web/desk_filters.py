"""The questions of the desk's list between address, form and words: what is asked, and how each is taken off again."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from starlette.datastructures import QueryParams

from app.kit.errors import NotFound
from app.kit.i18n import Lang, day, latin_digits, text_of
from app.registration.desk_filters import CHOICES, MOST_CHOSEN, UNSAID, Further
from app.web.countries import country_name

NAMES = {"attends_as": "capacity", "codes": "code"}
"""What is called otherwise in the address."""


def name_of(field: str) -> str:
    """A question's name in the address."""
    return NAMES.get(field, field)


def further_of(params: QueryParams) -> Further:
    """What the address asks for beyond standing, group and words. With `whole=1` all who fit are meant, whoever was
    chosen by hand. Raises NotFound for what cannot be asked."""
    values: dict[str, Any] = {
        each.name: params.get(name_of(each.name), "") for each in fields(Further) if each.name != "codes"
    }
    if any(values[name] not in {"", *choices} for name, choices in CHOICES.items()):
        raise NotFound
    for name in ("country", "delegation", "tag"):
        if not (values[name] == "" or (values[name].isascii() and values[name].isalnum() and len(values[name]) <= 16)):
            raise NotFound
    if values["gender"] and not re.fullmatch(r"-|[a-z0-9][a-z0-9-]{0,39}", values["gender"]):
        raise NotFound
    if values["tag"] and not (values["tag"].isdecimal() and len(values["tag"]) <= 9):
        raise NotFound
    values["institution"] = printable(values["institution"])
    for name in ("since", "until"):
        values[name] = _day(values[name])
    codes = [] if params.get("whole") == "1" else params.getlist("code")
    if len(codes) > MOST_CHOSEN or any(not (code.isascii() and code.isalnum() and len(code) <= 16) for code in codes):
        raise NotFound
    return Further(**values, codes=tuple(dict.fromkeys(codes)))


def printable(text: str) -> str:
    """What was typed to be found, without what draws nothing."""
    return "".join(letter for letter in text[:200] if letter.isprintable() or letter == "\u200b").strip()


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(latin_digits(text))
    except ValueError:
        raise NotFound from None
    if not 2000 <= found.year <= 2200:
        raise NotFound
    return found


def pairs_of(further: Further) -> list[tuple[str, str]]:
    """The same as names and values of an address."""
    found: list[tuple[str, str]] = []
    for name in further.asked:
        value = getattr(further, name)
        values = value if isinstance(value, tuple) else (value,)
        found += [(name_of(name), each.isoformat() if isinstance(each, date) else each) for each in values]
    return found


@dataclass(frozen=True, slots=True)
class Chip:
    """One thing that is asked, in words, and the address without it."""

    words: str
    href: str


def chips(lang: Lang, further: Further, tags: Mapping[str, str], without: Callable[[Further], str]) -> Sequence[Chip]:
    """What is asked, each with the address in which it is not; `tags` are names by number."""
    return [
        Chip(_said(lang, name, getattr(further, name), tags), without(_less(further, name))) for name in further.asked
    ]


def _less(further: Further, name: str) -> Further:
    return replace(further, **{name: getattr(Further(), name)})


def _said(lang: Lang, name: str, value: Any, tags: Mapping[str, str]) -> str:
    if name == "codes":
        return text_of(lang, "table.chosen", n=len(value))
    if name in CHOICES:
        value = text_of(lang, f"table.{name}.{value}")
    elif name == "country":
        value = country_name(value, lang)
    elif name == "tag":
        value = tags.get(value, value)
    elif name == "gender":
        value = text_of(lang, "coverage.group.unknown") if value == UNSAID else value
    elif isinstance(value, date):
        value = day(value, lang, "short")
    return text_of(lang, "table.asked", what=text_of(lang, f"table.field.{name}"), value=value)
