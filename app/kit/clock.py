"""The only clock. Deeds and rules never read it: doors do, and hand `now` down."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present instant, aware, in UTC, to the microsecond."""
    return _source()


def seconds() -> float:
    """The same in seconds since 1970, for what is asked at every request: a tenth of what `now` takes."""
    return time.time() if _source is _system else _source().timestamp()


@contextmanager
def reading(source: Callable[[], datetime]) -> Iterator[None]:
    """Take the time from `source` inside the block: for tests, pictures and benchmarks."""
    global _source  # noqa: PLW0603 - the clock is the one thing in the house that is global
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before
