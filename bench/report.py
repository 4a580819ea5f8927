"""What a row measured, held against its target, and the table of a run as JSON and Markdown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    `value` in `unit` is the site's own figure, `limit` the one measured beside it. `ratios` has one for each pair of
    slices: the median counts, the least and the most say how steady it was. Without a limit the value itself is held
    against the target. `faults` is what came out wrong: a figure with faults has missed its target.
    """

    row: str
    what: str
    value: float
    unit: str
    ratios: tuple[float, ...] = ()
    limit: float | None = None
    against: str = ""
    target: float | None = None
    at_most: bool = False
    more: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    @property
    def ratio(self) -> float | None:
        """The median of the ratios, or None."""
        return median(self.ratios) if self.ratios else None

    @property
    def reached(self) -> bool | None:
        """Is the target reached? None where there is none to reach."""
        if self.faults:
            return False
        if self.target is None:
            return None
        held = self.value if self.ratio is None else self.ratio
        return held <= self.target if self.at_most else held >= self.target


def paired(site: Sequence[float], limit: Sequence[float]) -> tuple[float, ...]:
    """The ratio of each slice to the slice of its limit beside it. Raises ValueError for unequal numbers."""
    return tuple(one / other for one, other in zip(site, limit, strict=True) if other)


def number(value: float) -> str:
    """A figure as one reads it: three digits that count, thousands apart."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def as_markdown(figures: Sequence[Figure], about: Mapping[str, str], reasons: Mapping[str, str], at: datetime) -> str:
    """The run as a page."""
    lines = [f"# Benchmark of {at:%Y-%m-%d %H:%M} UTC", ""]
    lines += ["Made by `make bench`; what each row is and how to read it stands in `docs/benchmarks.md`.", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    lines += ["", "| row | figure | its limit | ratio (least–most) | target | |", "|---|---|---|---|---|---|"]
    lines += [_line(figure) for figure in figures]
    missed = [figure for figure in figures if figure.reached is False]
    if missed:
        lines += ["", "## What was missed, and why", ""]
        lines += [f"- **{figure.row}**: {_why(figure, reasons)}" for figure in missed]
    return "\n".join([*lines, ""])


def _line(one: Figure) -> str:
    figure = " · ".join([f"{number(one.value)} {one.unit}", *(f"{name} {said}" for name, said in one.more.items())])
    limit = f"{number(one.limit)} ({one.against})" if one.limit is not None else ""
    ratio = "" if one.ratio is None else f"{one.ratio:.2f} ({min(one.ratios):.2f}–{max(one.ratios):.2f})"
    sign = "≤" if one.at_most else "≥"
    target = "" if one.target is None else f"{sign} {one.target:g}{'' if one.ratio is not None else ' ' + one.unit}"
    verdict = {True: "reached", False: "**missed**", None: ""}[one.reached]
    return f"| {one.row} | {figure} | {limit} | {ratio} | {target} | {verdict} |"


def _why(one: Figure, reasons: Mapping[str, str]) -> str:
    return " ".join([*one.faults, reasons.get(one.row, "" if one.faults else "not looked into yet")]).strip()


def store(
    figures: Sequence[Figure],
    about: Mapping[str, str],
    reasons: Mapping[str, str],
    at: datetime,
    folder: Path = RESULTS,
) -> Path:
    """Write both files, named by the day and time; the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{at:%Y-%m-%d-%H%M}.md"
    page.write_text(as_markdown(figures, about, reasons, at), encoding="utf-8")
    kept: dict[str, Any] = {"at": at.isoformat(timespec="seconds"), "machine": dict(about)}
    kept["figures"] = [
        {**asdict(one), "ratio": one.ratio, "reached": one.reached, "reason": reasons.get(one.row, "")}
        if one.reached is False
        else {**asdict(one), "ratio": one.ratio, "reached": one.reached}
        for one in figures
    ]
    page.with_suffix(".json").write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return page
