"""The attribution rule of a session (rules §4.5) and the one function that says who may know of it.

Every door, list, count and calendar asks `shown`; nothing else decides.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar


class Attribution(StrEnum):
    """What may be told of a session afterwards."""

    REC = "REC"
    """On the record."""
    CHR = "CHR"
    """Chatham House: what was said may be used, who said it may not."""
    CLO = "CLO"
    """Closed: for those not admitted it does not exist."""


class Entry(Protocol):
    """What this rule looks at, whatever carries it: a session, a published slot, a search hit."""

    @property
    def code(self) -> str:
        """The session's code, unique in its forum."""

    @property
    def attribution(self) -> Attribution | None:
        """The session's rule; None for what has none, such as a break or a meal."""


SomeEntry = TypeVar("SomeEntry", bound=Entry)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at one forum's programme; without values, the public."""

    admitted_codes: frozenset[str] = frozenset()
    """Codes of the sessions the person is admitted to."""
    desk: bool = False
    """An organiser, for whom every session exists."""


PUBLIC = Viewer()


def shown(entry: Entry, viewer: Viewer) -> bool:
    """Whether the entry exists for this viewer. An attribution rule not known here counts as closed."""
    if entry.attribution in {None, Attribution.REC, Attribution.CHR}:
        return True
    return viewer.desk or entry.code in viewer.admitted_codes


def visible(entries: Iterable[SomeEntry], viewer: Viewer) -> list[SomeEntry]:
    """The entries that exist for this viewer, in their order."""
    return [entry for entry in entries if shown(entry, viewer)]


def counted(entries: Iterable[Entry], viewer: Viewer) -> int:
    """How many entries exist for this viewer: the only number of sessions to print."""
    return len(visible(entries, viewer))


def withholds_attendance(attribution: Attribution | None) -> bool:
    """Whether attendance, sign-ups and who said what stay inside.

    The announced chair and speakers are no part of it: where the session is shown, so are they.
    """
    return attribution not in {None, Attribution.REC}


def may_record(attribution: Attribution | None) -> bool:
    """Whether the session may be recorded and the recording leave the house: only on the record."""
    return attribution is Attribution.REC


def betrayed_by_gap(entries: Sequence[Entry]) -> list[str]:
    """The codes the public can infer, because a higher number of the same series is shown to it.

    "D1-12" is missed between "D1-11" and "D1-13", but not after the last shown "D1-…": closed sessions belong
    at the end of a series or into one of their own.
    """
    highest: dict[str, int] = {}
    for series, number in (_numbered(entry.code) for entry in visible(entries, PUBLIC)):
        highest[series] = max(number, highest.get(series, 0))
    betrayed = []
    for entry in entries:
        series, number = _numbered(entry.code)
        if not shown(entry, PUBLIC) and number < highest.get(series, 0):
            betrayed.append(entry.code)
    return betrayed


def _numbered(code: str) -> tuple[str, int]:
    """A code as its series and its number; 0 where it ends in none."""
    digits = re.search(r"[0-9]*$", code)
    number = digits.group() if digits else ""
    return code.removesuffix(number), int(number or 0)
