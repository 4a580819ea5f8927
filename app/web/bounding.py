"""An ASGI layer that lets readers in one after the other, those of one address and of others by turns, and tells those
who would wait too long, from ready bytes.

On SQLite a request runs to its end once it has begun. If all that came at one moment began at once, whoever came after
them, for a page that is ready or to see whether the process is alive, would wait until the last of them is over. So one
begins after the other, and between two of them whoever has come is taken in and what is ready is answered. What writes
is bounded by the pen, and reads in threads by `Database.in_turn` and `Site.threads`.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from statistics import median
from typing import Any

from app.kit import traces
from app.kit.db import SECONDS_TO_BE_READ
from app.kit.throttling import network
from app.kit.turns import Lines, asking

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ALWAYS = ("/healthz", "/readyz", "/metrics", "/static/")
"""What is answered however many wait: operators', and what a page needs that was answered."""
_PACES = 9
"""Of so many last turns the middle one is reckoned with: the first page of a process takes a hundred times as long as
the next, and says nothing about the others."""
_QUIET = 8
"""Rounds of the loop in which nobody came, before the next begins: uvloop takes in one new line in each, and a crowd
would wait outside, unseen."""


class Bounded:
    """The layer; `away` answers those who waited `patience` seconds, or would as far as can be known."""

    def __init__(self, app: App, away: App, *, patience: float = SECONDS_TO_BE_READ) -> None:
        self.app = app
        self.patience = patience
        self._away = away
        self._lines = Lines()
        self._begun = False
        self._turned = 0.0
        self._paces: deque[float] = deque([0.0], maxlen=_PACES)
        self._pace = 0.0
        self._came = 0
        self.turned_away = 0
        """Requests that were told to come again."""

    @property
    def waiting(self) -> int:
        """Requests that have no turn yet."""
        return len(self._lines)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._came += 1
        asking.set(scope.get("client_address", ""))
        reads = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        if not reads or scope["path"].startswith(ALWAYS) or await self._turn(scope):
            return await self.app(scope, receive, send)
        self.turned_away += 1
        return await self._away(scope, receive, send)

    async def _turn(self, scope: Scope) -> bool:
        """Wait for a turn; whether there was one in time. The scope is told how many seconds that took."""
        loop = asyncio.get_running_loop()
        if not self._begun:
            self._begun, self._turned = True, time.perf_counter()
            loop.call_soon(self._over, loop)
            return True
        whose = network(asking.get())
        if self._lines.ahead(whose) * self._pace > self.patience:
            return False
        came, turn = time.perf_counter(), self._lines.join(whose)
        with traces.span("turn"):
            called = await turn
        scope["waited"] = time.perf_counter() - came
        return bool(called and scope["waited"] <= self.patience)

    def _over(self, loop: asyncio.AbstractEventLoop) -> None:
        """The one who began has run as far as it could. Others are taken in, for as long as that took at most; also
        where nobody waits in here: outside there may be many, and who comes alone would always begin at once."""
        now = time.perf_counter()
        self._look(loop, now + (now - self._turned), self._came, _QUIET)

    def _look(self, loop: asyncio.AbstractEventLoop, until: float, came: int, rounds: int) -> None:
        if rounds and time.perf_counter() < until:
            left = rounds - 1 if self._came == came else _QUIET
            loop.call_soon(self._look, loop, until, self._came, left)
        else:
            self._next(loop)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.perf_counter()
        self._paces.append(now - self._turned)
        self._pace = median(self._paces)
        self._turned = now
        if self._lines.call():
            loop.call_soon(self._over, loop)
        else:
            self._begun = False
