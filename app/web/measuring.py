"""An ASGI layer between the ready bytes and the guards: gives each request an id, counts it and says what was slow
and what was refused.

What the bytes layer answers by itself never comes here. Routes are named by their templates: an address may hold a
secret link. Of whom was refused the number is said, of a user or a token, which the desk knows the name to.
"""

import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from random import Random
from typing import Any

from app.kit import traces
from app.kit.logs import REQUEST
from app.kit.spans import Sender, Span, parent_of
from app.web.refusals import Refusals

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("sala.request")
security = logging.getLogger("sala.security")
REFUSED = frozenset({401, 403, 429})
"""Answers that say: not you, not this, not so often (ASVS 5.0, 16.3.1 and 16.3.2)."""
NOT_LET_IN = frozenset({410, 422})
"""Answers to a link that is none any more, a wrong code, a passkey that is not known."""
SECONDS_OF_STRANGERS = 60.0
"""Of whoever is not known what is refused is told once in this time, counted."""
SLOW_SECONDS = 1.0
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_CHANCE = Random()  # an id is no secret, and at the system's chance the pen's thread would go first
_GIVEN = re.compile(rb"[A-Za-z0-9-]{8,64}")


class Measured:
    """The layer; `observe` is told (method, route template, status, seconds) of each request, `trusts` says whether
    the id that a peer gives a request is taken over, and the trace it says that it is part of."""

    def __init__(
        self,
        app: App,
        observe: Callable[[str, str, int, float], None] | None = None,
        *,
        trusts: Callable[[str], bool] = lambda _peer: False,
        every: bool = False,
    ) -> None:
        self.app = app
        self._observe = observe
        self._trusts = trusts
        self._every = every
        self._strangers = Refusals(security, SECONDS_OF_STRANGERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        token = REQUEST.set(request := self._id(scope))
        try:
            with traces.request(self._parent(scope)) as span:
                await self._measure(scope, receive, send, request, span)
        finally:
            REQUEST.reset(token)
        return None

    async def _measure(self, scope: Scope, receive: Receive, send: Send, request: str, span: Span) -> None:
        began, status = time.perf_counter(), 500

        async def answer(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (b"x-request-id", request.encode())]}
            await send(message)

        try:
            await self.app(scope, receive, answer)
        finally:
            waited = scope.get("waited", 0.0)  # for others (`app.web.bounding`): no route is slow by that
            self._tell(scope, status, max(0.0, time.perf_counter() - began - waited), span)

    def _id(self, scope: Scope) -> str:
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        if _GIVEN.fullmatch(given) and self._trusted(scope):
            return str(given, "ascii")
        return f"{_CHANCE.getrandbits(64):016x}"

    def _parent(self, scope: Scope) -> Sender | None:
        """The trace that a trusted proxy says this request is part of; anybody else's word is nothing."""
        given = [value for name, value in scope["headers"] if name == b"traceparent"]
        return parent_of(given) if given and self._trusted(scope) else None

    def _trusted(self, scope: Scope) -> bool:
        return bool(scope.get("client")) and self._trusts(scope["client"][0])

    def _tell(self, scope: Scope, status: int, seconds: float, span: Span) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = str(getattr(scope.get("route"), "path", "")) or "none"
        if self._observe is not None:
            self._observe(method, route, status, seconds)
        span.call(f"{method} {route}")
        span.note({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        if status >= 500:
            span.failed(str(status))
        if status in REFUSED or (status in NOT_LET_IN and route.startswith("/login")):
            if who := scope.get("signed_in"):
                values = {"method": method, "route": route, "status": status, "by": who}
                security.warning("refused: %s %s: %s to %s", method, route, status, who, extra=values)
            else:
                self._strangers.add(f"{method} {route}: {status} to nobody known")
        slow = seconds >= SLOW_SECONDS
        if slow or self._every:
            values = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000)}
            level = logging.WARNING if slow else logging.INFO
            log.log(level, "%s %s: %s in %s ms", method, route, status, values["ms"], extra=values)
