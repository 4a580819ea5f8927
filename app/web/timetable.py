"""A day's sessions as places in a grid: five minutes to a row, rooms that run at once side by side.

Style attributes are not allowed by the site's policy, so a place is two pairs of class names that
`static/programme/grid.css` (written by `stylesheet`) knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

STEP = 5
ROWS = 24 * 60 // STEP
COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, in minutes since the day's midnight; `lane` orders what runs at once; breaks weigh less."""

    start: int
    end: int
    lane: int
    weight: int = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Row and column of the grid (from 1) and how many of each."""

    row: int
    rows: int
    column: int
    columns: int

    @property
    def classes(self) -> str:
        return f"r{self.row} h{self.rows} c{self.column} w{self.columns}"


def first_hour(spans: Sequence[Span]) -> int:
    """The full hour in which the day's first span starts, in minutes since midnight."""
    return min((span.start for span in spans), default=0) // 60 * 60


def hours(spans: Sequence[Span]) -> list[tuple[int, int]]:
    """(row, hour of the day) for each full hour that the spans touch."""
    start, end = first_hour(spans), max((span.end for span in spans), default=0)
    return [(_row(minute, start), minute // 60) for minute in range(start, end + 1, 60)]


def place(spans: Sequence[Span]) -> list[Place]:
    """Where each span stands, in the order given.

    Spans that overlap in time, directly or through others, share the width: one lane per room, in the rooms' order,
    and one more where a room is double-booked. What runs alone has the whole width.
    """
    origin = first_hour(spans)
    places: dict[int, Place] = {}
    for group in _at_once(spans):
        lanes = _lanes(spans, group)
        weights = [max(spans[index].weight for index in lane) for lane in lanes]
        edges = [round(COLUMNS * part / sum(weights)) for part in accumulate(weights, initial=0)]
        for lane, left, right in zip(lanes, edges, edges[1:], strict=False):
            for index in lane:
                row = _row(spans[index].start, origin)
                rows = max(1, min((spans[index].end - origin) // STEP + 1, ROWS + 1) - row)
                places[index] = Place(row, rows, min(left + 1, COLUMNS), max(1, right - left))
    return [places[index] for index in range(len(spans))]


def _row(minute: int, origin: int) -> int:
    return min(ROWS, (minute - origin) // STEP + 1)


def _at_once(spans: Sequence[Span]) -> list[list[int]]:
    """Indexes in groups that overlap in time, each group in order of start."""
    groups: list[list[int]] = []
    until = -1
    for index in sorted(range(len(spans)), key=lambda index: (spans[index].start, spans[index].lane)):
        if spans[index].start >= until:
            groups.append([])
        groups[-1].append(index)
        until = max(until, spans[index].end)
    return groups


def _lanes(spans: Sequence[Span], group: Sequence[int]) -> list[list[int]]:
    lanes: list[list[int]] = []
    for index in sorted(group, key=lambda index: (spans[index].lane, spans[index].start)):
        for lane in lanes:
            last = spans[lane[-1]]
            if last.lane == spans[index].lane and last.end <= spans[index].start:
                lane.append(index)
                break
        else:
            lanes.append([index])
    return lanes


def stylesheet() -> str:
    """The sheet that gives the class names their places on a wide screen."""
    rules = [f".r{n}{{grid-row-start:{n}}}.h{n}{{grid-row-end:span {n}}}" for n in range(1, ROWS + 1)]
    rules += [f".c{n}{{grid-column-start:{n + 1}}}.w{n}{{grid-column-end:span {n}}}" for n in range(1, COLUMNS + 1)]
    inside = "\n".join(rules)
    return (
        "/* Places in the timetable: rows of five minutes, columns of a twenty-fourth. "
        f"Written by app/web/timetable.py. */\n@media screen and (min-width: 62rem) {{\n{inside}\n}}\n"
    )
