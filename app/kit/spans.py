"""What a span is to those who make one: words for `app.kit.traces` and for what sends them."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

Facts = Mapping[str, str | int | bool]


class Span(Protocol):
    """Something that takes time and is told of."""

    def note(self, facts: Facts) -> None:
        """Say more about it."""

    def call(self, name: str) -> None:
        """Give it its name, where that is known only later."""

    def failed(self, kind: str) -> None:
        """Say that it went wrong, by the kind of fault: its words may hold what somebody typed."""


class _Silent:
    def note(self, facts: Facts) -> None:
        """Nobody is told."""

    def call(self, name: str) -> None:
        """See above."""

    def failed(self, kind: str) -> None:
        """See above."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a trace that is sent to us begins, as W3C's `traceparent` says it."""

    trace: int
    span: int
    sampled: bool


SILENT = _Silent()
NOTHING: AbstractContextManager[Span] = nullcontext(SILENT)
"""What is told of nothing: where no collector is set, or outside of everything that is traced."""
_PARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")


def parent_of(values: list[bytes]) -> Sender | None:
    """What `traceparent` says, if it is there once and can be read. `tracestate` and `baggage` are not looked at."""
    found = _PARENT.fullmatch(values[0]) if len(values) == 1 else None
    if found is None or (values[0].startswith(b"00-") and len(values[0]) != 55):
        return None
    trace, own = int(found[1], 16), int(found[2], 16)
    return Sender(trace, own, bool(int(found[3], 16) & 1)) if trace and own else None


def written(sender: Sender) -> str:
    """The same in words, as `parent_of` reads them."""
    return f"00-{sender.trace:032x}-{sender.span:016x}-{int(sender.sampled):02x}"
