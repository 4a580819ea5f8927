"""An ASGI layer between the ready bytes and the guards: gives each request an id, counts it and says what was slow.

What the bytes layer answers by itself never comes here. Routes are named by their templates: an address may hold a
secret link.
"""

import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from app.kit.logs import REQUEST

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("sala.request")
SLOW_SECONDS = 1.0
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_GIVEN = re.compile(rb"[A-Za-z0-9-]{8,64}")


class Measured:
    """The layer; `observe` is told (method, route template, status, seconds) of each request, `trusts` says whether
    the id that a peer gives a request is taken over."""

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = self._id(scope)
        token = REQUEST.set(request)
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
            self._tell(scope, status, time.perf_counter() - began)
            REQUEST.reset(token)
        return None

    def _id(self, scope: Scope) -> str:
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        if _GIVEN.fullmatch(given) and scope.get("client") and self._trusts(scope["client"][0]):
            return str(given, "ascii")
        return uuid.uuid4().hex[:16]

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = str(getattr(scope.get("route"), "path", "")) or "none"
        if self._observe is not None:
            self._observe(method, route, status, seconds)
        slow = seconds >= SLOW_SECONDS
        if slow or self._every:
            values = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000)}
            level = logging.WARNING if slow else logging.INFO
            log.log(level, "%s %s: %s in %s ms", method, route, status, values["ms"], extra=values)
