"""Placeholders in what organisers write: `{name}`, of a closed list, put in once and never read again."""

import re
from collections.abc import Collection, Iterator, Mapping

_PLACE = re.compile(r"\{([^{}]*)\}")
LONGEST = 60
"""So much of a name that is none is repeated to whoever typed it."""


def named(text: str) -> tuple[str, ...]:
    """The names of the placeholders in a text, each once, in their order."""
    return tuple(dict.fromkeys(found.strip() for found in _PLACE.findall(text)))


def faults(text: str, known: Collection[str], needed: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """What is wrong with a text, as (code, name): `placeholder_unknown`; `placeholder_open`, a brace that belongs to
    none; `placeholder_missing`, one without which the mail would not say what it is for."""
    there = named(text)
    yield from (("placeholder_unknown", name[:LONGEST]) for name in there if name not in known)
    if re.search(r"[{}]", _PLACE.sub("", text)):
        yield "placeholder_open", ""
    yield from (("placeholder_missing", name) for name in sorted(set(needed) - set(there)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled in. What is put in is not looked at again: a name that reads `{link}`
    stays as it was typed; and so does a placeholder there is no value for."""
    return _PLACE.sub(lambda found: values.get(found[1].strip(), found[0]), text)
