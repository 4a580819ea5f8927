"""What of the programme exists for whom (rules §4.5)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    code: str
    attribution: str | None


@dataclass(frozen=True, slots=True)
class Viewer:
    admitted_codes: frozenset[str] = frozenset()
    desk: bool = False


PUBLIC = Viewer()


def shown(entry: Entry, viewer: Viewer) -> bool:
    return entry.attribution != "CLO" or viewer.desk or entry.code in viewer.admitted_codes
