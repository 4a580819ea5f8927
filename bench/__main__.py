"""`python -m bench [ROW …]`: measures the rows and stores the table; one row alone is printed and not stored.

A row is given by its name, or by the beginning of several names with `…*`.
"""

import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from app.kit import clock
from bench import machine
from bench.house import Bench
from bench.report import Figure, as_markdown, number, store
from bench.rows import ROWS

REASONS = tomllib.loads((Path(__file__).parent / "reasons.toml").read_text(encoding="utf-8"))
"""Row → why it misses its target, as a profiler showed it; said only where it does."""


def main(asked: Sequence[str]) -> int:
    """Measure; the exit code is 1 where a row failed or is unknown, not where a target is missed."""
    names = [name for name in ROWS if not asked or any(fnmatch(name, one) for one in asked)]
    if not names:
        print(f"bench: no row is called {' or '.join(asked)}. There are: {', '.join(ROWS)}.")
        return 1
    at, about, began = clock.now(), machine.description(), time.perf_counter()
    figures, failed = [], []
    with tempfile.TemporaryDirectory(prefix="sala-bench-") as folder:
        bench = Bench(Path(folder), Path(folder) / "log", Path(folder) / "var")
        for place, name in enumerate(names, 1):
            print(f"[{place}/{len(names)}] {name} …", flush=True)
            try:
                figures += _shown(ROWS[name](bench))
            except KeyboardInterrupt:
                about["ended early"] = f"in {name}, {len(names) - place + 1} of {len(names)} rows are missing"
                break
            except Exception:  # noqa: BLE001 - the other rows are worth having
                failed.append(name)
                traceback.print_exc()
                print(*_end_of(bench.log), sep="\n")
        bench.close()
    about["took"] = f"{time.perf_counter() - began:.0f} s"
    if failed:
        about["failed"] = ", ".join(failed)
    if asked:
        print(as_markdown(figures, about, REASONS, at))
    else:
        print(f"\n{store(figures, about, REASONS, at).read_text(encoding='utf-8')}")
    return 1 if failed else 0


def _shown(found: Iterator[Figure]) -> Iterator[Figure]:
    for figure in found:
        ratio = "" if figure.ratio is None else f", ratio {figure.ratio:.2f}"
        verdict = {True: " – reached", False: " – missed", None: ""}[figure.reached]
        print(f"      {figure.row}: {number(figure.value)} {figure.unit}{ratio}{verdict}", flush=True)
        yield figure


def _end_of(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:] if log.exists() else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
