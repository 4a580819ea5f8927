"""What more machines would hold, reckoned from a stored run: `python -m bench.capacity` writes it into docs/scaling.md.

A model and no measurement. It has three numbers of the run, each in processor time, because that is what other work on
the machine disturbs least: of a published answer, of a registration from opening the form to its answer, and of the
part of it that is done behind the others of the same forum. What cores can do grows with them; what is done one behind
the other does not.
"""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import RESULTS, number

PAGE = Path(__file__).parent.parent / "docs" / "scaling.md"
BEGIN, END = "<!-- reckoned by bench/capacity.py -->", "<!-- end -->"
CORES = (1, 2, 8, 32, 128)
FORUMS = (1, 10, 1000)


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor seconds of the site: of a published answer, of a whole registration, and of its part behind others."""

    answer: float
    registration: float
    behind: float

    def answers(self, cores: int) -> float:
        """Published answers in a second; each core has a process and bytes of its own."""
        return cores / self.answer

    def registrations(self, cores: int, writers: int) -> float:
        """Registrations in a second where `writers` can write at one time: what the cores do or what the writers do,
        whichever is less."""
        return min(cores / self.registration, writers / self.behind)

    def enough(self, writers: int) -> int:
        """With so many cores the writers are busy all the time: more cores register nobody more."""
        return max(1, round(writers * self.registration / self.behind))


PENS_SHARE = {"sqlite": 0.6, "postgres": 0.6}
"""How much of a registration's processor time its forum's other registrations wait for: the pen's thread, by a profile
of each thread (decision 36). To be measured anew where the pen or the way to it is changed."""


def costs(run: Mapping[str, Any], database: str) -> Costs:
    """The numbers of a stored run, for "sqlite" or "postgres". Raises KeyError where a row is missing.

    On PostgreSQL the walk was not measured by itself: the form costs there what it costs on SQLite.
    """
    rows = {figure["row"]: figure for figure in run["figures"]}
    page = rows["programme-24"]
    answer = _first(rows["generator"]["more"]["processor time of the server"]) / 1e6
    answer /= float(page["more"]["by processor time"])
    walks = [_first(figure["more"]["processor time"]) for name, figure in rows.items() if _WALK.fullmatch(name)]
    sent = _first(rows["registration-sent"]["more"]["processor time"])
    behind = PENS_SHARE[database]
    here = sent if database == "sqlite" else _first(rows["registration-sent-postgres"]["more"]["processor time"])
    return Costs(answer, (median(walks) - sent + here) / 1000, here * behind / 1000)


_WALK = re.compile(r"registration-\d+")


def _first(words: str) -> float:
    found = re.match(r"[\d.]+", words)
    if found is None:
        raise KeyError(words)
    return float(found[0])


def table(sqlite: Costs, postgres: Costs) -> str:
    """The model as Markdown."""
    forums = [f"{one:,} forum{'s' if one > 1 else ''}" for one in FORUMS]
    head = ["cores of the web processes", "published answers", "SQLite", *(f"PostgreSQL, {words}" for words in forums)]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for cores in CORES:
        cells = [number(sqlite.answers(cores)), _rate(sqlite, cores, 1)]
        cells += [_rate(postgres, cores, writers) for writers in FORUMS]
        lines.append(f"| {cores} | {' | '.join(cells)} |")
    ends = [f"{postgres.enough(writers):,}" for writers in FORUMS]
    last = ["more cores help no more beyond", "", f"{sqlite.enough(1)}", *ends]
    lines.append(f"| {' | '.join(last)} |")
    return "\n".join(lines)


def _rate(known: Costs, cores: int, writers: int) -> str:
    rate = known.registrations(cores, writers)
    return f"**{number(rate)}**" if rate < cores / known.registration else number(rate)


def section(path: Path) -> str:
    """What stands between the marks of the page, of the run stored at `path`."""
    run = json.loads(path.read_text())
    sqlite, postgres = costs(run, "sqlite"), costs(run, "postgres")
    told = (
        f"Of `bench/results/{path.name}`: {sqlite.answer * 1e6:.0f} µs a published answer; a registration from opening "
        f"the form to its answer {sqlite.registration * 1e3:.1f} ms on SQLite and {postgres.registration * 1e3:.1f} ms "
        f"on PostgreSQL, of it {sqlite.behind * 1e3:.1f} and {postgres.behind * 1e3:.1f} ms behind the others of the "
        "forum (on SQLite: of the machine)."
    )
    return f"{BEGIN}\n{told}\n\n{table(sqlite, postgres)}\n{END}"


def written(page: str, new: str) -> str:
    """The page with a new section between its marks."""
    before, _, rest = page.partition(BEGIN)
    return before + new + rest.partition(END)[2]


def newest() -> Path:
    """The latest stored run."""
    return max(RESULTS.glob("*.json"))


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else newest()
    PAGE.write_text(written(PAGE.read_text(), section(chosen)))
