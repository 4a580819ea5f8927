"""The only clock. Deeds and rules never read it: doors do, and hand `now` down."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present instant, aware, in UTC, to the microsecond."""
    return _source()


@contextmanager
def reading(source: Callable[[], datetime]) -> Iterator[None]:
    """Take the time from `source` inside the block: for tests, pictures and benchmarks."""
    global _source  # noqa: PLW0603 - the clock is the one thing in the house that is global
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before
