"""Turns among those who wait: one of each who asks after the other, however often somebody asks."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from app.kit.errors import Busy
from app.kit.throttling import network

MOST = 4000
"""So many wait at most."""

asking: ContextVar[str] = ContextVar("asking", default="")
"""The address of whoever asked for what is done now; "" for the house itself."""


class Lines:
    """Those who wait, in a line for each subscriber (`network` of an address). Turns go round the lines, so that nobody
    waits for more than one of each other line before their own next.

    Where `most` wait, one more in a line that is shorter than the longest takes the place of the last in that one.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lines: OrderedDict[str, deque[asyncio.Future[bool]]] = OrderedDict()
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def ahead(self, whose: str) -> int:
        """How many turns come before that of one more in this line, as things stand."""
        mine = len(self._lines.get(whose, ()))
        return sum(min(len(line), mine + 1) for line in self._lines.values()) if mine else len(self._lines)

    def join(self, whose: str) -> asyncio.Future[bool]:
        """Stand in this line. Comes true when it is one's turn, and false if too many wait for that."""
        turn = asyncio.get_running_loop().create_future()
        if self._waiting >= self._most and not self._makes_room(whose):
            turn.set_result(False)
            return turn
        self._lines.setdefault(whose, deque()).append(turn)
        self._waiting += 1
        return turn

    def _makes_room(self, whose: str) -> bool:
        longest = max(self._lines, key=lambda each: len(self._lines[each]))
        if len(self._lines[longest]) <= len(self._lines.get(whose, ())) + 1:
            return False
        last = self._lines[longest].pop()
        self._waiting -= 1
        if not last.done():
            last.set_result(False)
        return True

    def call(self) -> bool:
        """Say to the next that it is their turn; whether there was anybody. Who has gone meanwhile is passed over."""
        while self._lines:
            whose, line = self._lines.popitem(last=False)
            turn = line.popleft()
            self._waiting -= 1
            if line:
                self._lines[whose] = line
            if not turn.done():
                turn.set_result(True)
                return True
        return False


class Gate:
    """Lets `at_once` in at one time, and the others in turn (`Lines`)."""

    def __init__(self, at_once: int, *, seconds: float, most: int = MOST) -> None:
        self._free = at_once
        self._seconds = seconds
        self._lines = Lines(most)

    @property
    def waiting(self) -> int:
        """Those outside."""
        return len(self._lines)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Be inside once it is the turn of whoever is `asking`. Raises Busy where too many wait for that."""
        if self._free:
            self._free -= 1
        else:
            mine = self._lines.join(network(asking.get()))
            try:
                called = await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled() and mine.result():
                    self._leave()  # called, and gone at the same moment
                raise
            if not called:
                raise Busy("busy", seconds=int(self._seconds))
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        if not self._lines.call():
            self._free += 1
