"""Talking to an ASGI layer without a server: what a layer answers to exactly these bytes."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

App = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


async def ask(
    app: App,
    path: str = "/",
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    query: str = "",
    body: Iterable[bytes] = (),
    peer: str = "192.0.2.9",
    raw_headers: Iterable[tuple[str, str]] | None = None,
    breaks_off: bool = False,
) -> Answered:
    """One request; `body` comes in these pieces, after which who `breaks_off` is gone. `raw_headers` are all there are,
    a name as often as it stands."""
    pieces = [*body]
    sent = {"host": "localhost", **(headers or {})}.items() if raw_headers is None else raw_headers
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent],
        "client": (peer, 50000),
        "server": ("localhost", 80),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
    }
    told: list[Any] = []

    async def receive() -> dict[str, Any]:
        if breaks_off and not pieces:
            return {"type": "http.disconnect"}
        piece = pieces.pop(0) if pieces else b""
        return {"type": "http.request", "body": piece, "more_body": breaks_off or bool(pieces)}

    async def send(message: Any) -> None:
        told.append(message)

    await app(scope, receive, send)
    start = told[0]
    kept = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return Answered(start["status"], kept, b"".join(message.get("body", b"") for message in told[1:]))
