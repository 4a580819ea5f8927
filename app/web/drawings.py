"""Two small drawings for the desk, worked out here and set down as SVG by the templates: the hall's seats as a waffle,
and registrations by day. Lengths are in the drawing's own units."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from app.kit.i18n import Bilingual
from app.registration.desk_queries import Overview

ACROSS = 25
STEP = 10.0
SQUARE = 9.0


@dataclass(frozen=True, slots=True)
class Patch:
    """Seats of one category and kind: one path for the squares, one run of letters with their places."""

    code: str
    name: Bilingual
    letter: str
    band: str
    kind: str
    """`confirmed`: filled; `held`: an outline, since the seat is not final."""
    count: int
    squares: str
    xs: str
    ys: str
    letters: str


@dataclass(frozen=True, slots=True)
class Waffle:
    """The hall as squares in rows: taken seats by category, then the free ones, and a line after the target."""

    width: float
    height: float
    patches: tuple[Patch, ...]
    free: str
    target_line: str
    taken: int
    capacity: int
    target: int


def waffle(seen: Overview) -> Waffle:
    """One square per place; where more seats are taken than there are places, the squares go on."""
    taken = seen.total("taken")
    squares = max(seen.capacity, taken)
    numbers = iter(range(squares))
    patches = [
        _patch(row.tally.code, row.tally.name, row.tally.letter, row.tally.band, kind, list(islice(numbers, count)))
        for row in seen.seats
        if row.in_hall
        for kind, count in (("confirmed", row.confirmed), ("held", row.unconfirmed + row.held))
        if count
    ]
    rows = -(-squares // ACROSS)
    return Waffle(
        width=ACROSS * STEP,
        height=rows * STEP,
        patches=tuple(patches),
        free=_squares(numbers),
        target_line=_line_after(min(seen.target, squares)),
        taken=taken,
        capacity=seen.capacity,
        target=seen.target,
    )


def _patch(code: str, name: Bilingual, letter: str, band: str, kind: str, numbers: Sequence[int]) -> Patch:
    corners = [_corner(number) for number in numbers]
    return Patch(
        code=code,
        name=name,
        letter=letter,
        band=band,
        kind=kind,
        count=len(numbers),
        squares=_squares(numbers),
        xs=" ".join(_short(x + SQUARE / 2) for x, _ in corners),
        ys=" ".join(_short(y + 7.1) for _, y in corners),
        letters=letter * len(numbers),
    )


def _corner(number: int) -> tuple[float, float]:
    down, along = divmod(number, ACROSS)
    return along * STEP + (STEP - SQUARE) / 2, down * STEP + (STEP - SQUARE) / 2


def _squares(numbers: Iterator[int] | Sequence[int]) -> str:
    return "".join(
        f"M{_short(x)} {_short(y)}h{_short(SQUARE)}v{_short(SQUARE)}h-{_short(SQUARE)}z"
        for x, y in (_corner(number) for number in numbers)
    )


def _line_after(number: int) -> str:
    """A stair between the first `number` squares and the rest; "" where there is nothing on one of its sides."""
    if not number:
        return ""
    down, along = divmod(number, ACROSS)
    wide, high, low = _short(ACROSS * STEP), _short(down * STEP), _short((down + 1) * STEP)
    if not along:
        return f"M-1 {high}H{wide}"
    return f"M-1 {low}H{_short(along * STEP)}V{high}H{wide}"


def _short(length: float) -> str:
    return f"{length:g}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's registrations."""

    day: date
    count: int
    x: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Days:
    """Registrations by day as bars from left to right; `most` is the highest day's count."""

    width: float
    height: float
    bar: str
    ground: str
    bars: tuple[Bar, ...]
    most: int
    total: int
    so_far: int
    """How many of the days have come."""
    closes: str = ""
    """Where the line stands behind the day on which registration closes; "" where that is not in sight."""


def days(asked: Mapping[date, int], first: date, last: date, *, ahead: int = 0, closes: date | None = None) -> Days:
    """The days from `first` to `last`, both drawn, the last `ahead` of them to come; how many asked on each, and the
    last on which one may."""
    counts = {day: asked.get(day, 0) for n in range((last - first).days + 1) for day in (first + timedelta(days=n),)}
    height, step = 60.0, 8.0
    most = max(counts.values(), default=0)
    bars = tuple(
        Bar(day, count, _short(n * step + 1), _short(round(height - tall, 2)), _short(round(tall, 2)))
        for n, (day, count) in enumerate(counts.items())
        for tall in (height * count / most if most else 0.0,)
    )
    width, ground = len(counts) * step, f"M0 {_short(height + 0.5)}H{_short(len(counts) * step)}"
    line = f"M{_short(((closes - first).days + 1) * step)} 0V{_short(height)}" if closes in counts and closes else ""
    return Days(width, height, _short(step - 2), ground, bars, most, sum(counts.values()), len(counts) - ahead, line)
