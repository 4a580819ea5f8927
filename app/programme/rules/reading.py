"""What somebody may have written in a table's cell for a day, an hour or several things: whichever way a spreadsheet
shows it. Nothing is guessed: what can be read in two ways is not read."""

import re
from collections.abc import Collection
from datetime import date, time

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_LOCAL = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})")
_HOUR = re.compile(r"(\d{1,2})[:.hH](\d{2})(?::00(?:\.0+)?)?\s*(?:([AaPp])\.?[Mm]\.?)?")
_YEARS = range(1990, 2200)
"""Years in which a forum may be."""
_BETWEEN = re.compile(r"[;,|\n]+")
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
"""The wide forms too: a table as CSV guards them as well, and what it guards is to be read as it was."""


class Unreadable(ValueError):
    """Not a day or hour, or one of several: `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def day_in(text: str, expected: Collection[date] = ()) -> date:
    """A day as year-month-day, or with the day first or the month first.

    Where both can be, it is the one among the `expected` days, if only one is. Raises Unreadable: `not_a_day`,
    `day_two_ways`.
    """
    if found := _ISO.fullmatch(text):
        possible = {_date(int(found[1]), int(found[2]), int(found[3]))}
    elif found := _LOCAL.fullmatch(text):
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        possible = {_date(year, second, first), _date(year, first, second)}
    else:
        raise Unreadable("not_a_day")
    days = {each for each in possible if each}
    if not days:
        raise Unreadable("not_a_day")
    if len(days) > 1:
        days &= set(expected)
    if len(days) != 1:
        raise Unreadable("day_two_ways")
    return days.pop()


def _date(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number) if year in _YEARS else None
    except ValueError:
        return None


def hour_in(text: str) -> time:
    """An hour and minute, of 24 hours or with am and pm. Raises Unreadable `not_an_hour`."""
    found = _HOUR.fullmatch(text)
    if found is None:
        raise Unreadable("not_an_hour")
    hour, half = int(found[1]), (found[3] or "").lower()
    if half and not 1 <= hour <= 12:
        raise Unreadable("not_an_hour")
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return time(hour, int(found[2]))
    except ValueError:
        raise Unreadable("not_an_hour") from None


def several_in(text: str) -> list[str]:
    """What stands between semicolons, commas, bars or line breaks, each once, in their order."""
    return list(dict.fromkeys(part for each in _BETWEEN.split(text) if (part := each.strip())))


def guarded(text: str) -> str:
    """A text as it may stand in a cell: an apostrophe before what a spreadsheet would compute, and before an apostrophe
    that stands before such a thing already."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` made this of; any other cell as it is."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell
