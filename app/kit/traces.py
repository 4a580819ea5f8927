"""Traces: what each request, deed, statement, mail and webhook took, as spans for a collector where one is set.

Where none is set nothing of OpenTelemetry's is read and a span costs a look at one name. Who makes a span says what is
done by a name of the house's own: a route template, a deed, a table; never a value that somebody typed, never an
address (`app.kit.collector` cleans the text of statements).
"""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from app.kit.db import Database
from app.kit.settings import Settings
from app.kit.spans import NOTHING, Facts, Sender, Span

if TYPE_CHECKING:
    from app.kit.collector import Collector

_collector: "Collector | None" = None


def begin(settings: Settings, database: Database, *, program: str = "sala") -> None:
    """Send this process's traces, and those of the database's statements, to the collector of the settings, if any."""
    global _collector  # noqa: PLW0603 - one for a process, as logging is
    if not settings.traces_url:
        return
    from app.kit.collector import Collector  # noqa: PLC0415 - modules that most sites do not need

    if _collector is None:
        _collector = Collector(settings.traces_url, program)
    for engine in database.engines:
        _collector.watch(engine)


def end() -> None:
    """Send what is still there, within seconds, and no more after it."""
    global _collector  # noqa: PLW0603 - see `begin`
    if _collector is not None:
        _collector.close()
        _collector = None


def here() -> Any:
    """The span at hand, for work that is handed to another thread; None where there is none."""
    return _collector.here() if _collector is not None else None


def place() -> str | None:
    """Where in a trace we are, as W3C's `traceparent` writes it, for what goes on later in another process; None where
    nothing is told."""
    return _collector.place() if _collector is not None else None


def span(
    name: str, facts: Facts | None = None, *, out: bool = False, after: str | None = None
) -> AbstractContextManager[Span]:
    """A span within the one at hand; nothing outside of all. `out`: it waits for another machine. It is linked to
    `after`, the `place` in another trace where it was brought about."""
    return _collector.within(name, facts or {}, out=out, after=after) if _collector is not None else NOTHING


def request(parent: Sender | None) -> AbstractContextManager[Span]:
    """The span of a request that came, in somebody else's trace if `parent` is one."""
    return _collector.request(parent) if _collector is not None else NOTHING


def duty(name: str) -> AbstractContextManager[Span]:
    """The span of a duty; it is told only if `found` is noted in it and true, or if it failed."""
    return _collector.duty(name) if _collector is not None else NOTHING


def batch(within: list[Any]) -> AbstractContextManager[Span]:
    """The span of what is written in one commit for those who gave what `here` said; nothing if all gave None."""
    asked = [each for each in within if each is not None]
    return _collector.batch(asked, len(within)) if _collector is not None and asked else NOTHING


def deed(what: Any, within: Any) -> AbstractContextManager[Span]:
    """The span of a deed that the pen writes, for whoever gave it."""
    return _collector.deed(what, within) if _collector is not None and within is not None else NOTHING
