"""Which code a new session is offered: the next free one of a series, so that closed ones leave no gap (rules §4.5)."""

import re
from collections.abc import Iterable

CLOSED = "C-"
"""The series that closed sessions are offered codes of: in one of their own they are missed by nobody."""


def split(code: str) -> tuple[str, int]:
    """A code as its series and its number; 0 where it ends in none."""
    digits = re.search(r"[0-9]*$", code)
    number = digits.group() if digits else ""
    return code.removesuffix(number), int(number or 0)


def next_code(codes: Iterable[str], series: str) -> str:
    """The code after the highest of this series, written as wide as those there are, at least two digits."""
    numbers = [code.removeprefix(series) for code in codes if split(code)[0] == series and code != series]
    highest = max((int(number) for number in numbers), default=0)
    width = max((len(number) for number in numbers), default=2)
    return f"{series}{highest + 1:0{width}d}"


def series_of(codes: Iterable[str], default: str) -> str:
    """The series that most of these codes are of, the first of several; `default` where there are none."""
    counts: dict[str, int] = {}
    for code in codes:
        series, number = split(code)
        if number and series != CLOSED:
            counts[series] = counts.get(series, 0) + 1
    return max(sorted(counts), key=lambda series: counts[series], default=default)
