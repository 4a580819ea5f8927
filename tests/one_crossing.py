"""The test client asks with one crossing to the application's thread and back, where Starlette's takes eight.

Each crossing waits for the other thread to wake, which was most of the time of a request. What the application is sent
and what comes back are the same; an answer is read whole, which is how every test reads one.
"""

import asyncio
from typing import Any
from urllib.parse import unquote

import httpx2
from starlette.testclient import _TestClientTransport


def handle_request(self: Any, request: httpx2.Request) -> httpx2.Response:
    """One HTTP request to the application, in place of the transport's own."""
    body, told = request.read(), list[Any]()

    async def whole() -> None:
        sent, gone = iter([{"type": "http.request", "body": body}]), asyncio.Event()

        async def receive() -> Any:
            for message in sent:
                return message
            await gone.wait()  # whoever asks waits for the answer and does not go
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            told.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                gone.set()

        await self.app(_scope(self, request), receive, send)

    with self.portal_factory() as portal:
        try:
            portal.call(whole)
        except Exception:
            if self.raise_server_exceptions:
                raise
    kinds = [message["type"] for message in told]
    if not told and not self.raise_server_exceptions:
        return httpx2.Response(500, request=request)
    assert kinds[:1] == ["http.response.start"], "an answer begins once, before its body"
    assert kinds[1:] == ["http.response.body"] * len(kinds[1:]), kinds
    headers = [(name.decode(), value.decode()) for name, value in told[0].get("headers", [])]
    content = b"" if request.method == "HEAD" else b"".join(message.get("body", b"") for message in told[1:])
    stream = httpx2.ByteStream(content)
    return httpx2.Response(told[0]["status"], headers=headers, stream=stream, request=request)


def _scope(transport: Any, request: httpx2.Request) -> dict[str, Any]:
    url = request.url
    path, _, query = url.raw_path.partition(b"?")
    given = [(name.lower().encode(), value.encode()) for name, value in request.headers.multi_items()]
    return {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": unquote(url.path),
        "raw_path": path,
        "root_path": transport.root_path,
        "scheme": url.scheme,
        "query_string": query,
        "headers": given if "host" in request.headers else [(b"host", url.netloc), *given],
        "client": transport.client,
        "server": [url.host, url.port or {"http": 80, "https": 443}[url.scheme]],
        "extensions": {},
        "state": transport.app_state.copy(),
    }


def install() -> None:
    """From now on every test client of this process asks so."""
    _TestClientTransport.handle_request = handle_request
