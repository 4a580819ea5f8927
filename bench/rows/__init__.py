"""The rows of the table: each name with what measures it. `docs/benchmarks.md` says what each is."""

from collections.abc import Callable, Iterable

from bench.house import Bench
from bench.report import Figure
from bench.rows import desk, letters, process, programme, reading, registering

Row = Callable[[Bench], Iterable[Figure]]
ROWS: dict[str, Row] = {
    **reading.ROWS,
    **registering.ROWS,
    **desk.ROWS,
    **letters.ROWS,
    **programme.ROWS,
    **process.ROWS,
}
"""Name → what measures it, in the order of the table."""
