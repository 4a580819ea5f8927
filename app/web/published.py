"""The bytes layer: what is published is rendered once and then served from memory, in front of the router.

A page says with `publish(...)` which scope and revision it was rendered from and until when it holds. The layer
keeps its bytes under that revision, looks the present revision up at most once a second, and answers with a strong
ETag, 304 and compressed variants. A page that does not say so is never kept.
"""

import asyncio
import gzip
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import brotli  # type: ignore[import-untyped]
from starlette.responses import Response

from app.kit import clock
from app.web.conditional import unchanged

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("sala.web")
MARK = b"x-published"
SECONDS_TO_RENDER = 10
_COMPRESSIBLE = (
    b"text/",
    b"application/json",
    b"application/calendar+json",
    b"application/atom+xml",
    b"application/xml",
    b"image/svg",
    b"application/javascript",
)


def publish(response: Response, scope: str, revision: int, valid_until: datetime | None = None) -> Response:
    """Say that this answer shows `scope` as of `revision` and holds until `valid_until` (UTC; None: no end)."""
    until = valid_until.timestamp() if valid_until else 0
    response.headers[MARK.decode()] = f"{scope} {revision} {until}"
    return response


Headers = list[tuple[bytes, bytes]]
_NOTHING = {"type": "http.response.body", "body": b""}


@dataclass(frozen=True, slots=True)
class _Variant:
    """An entry in one encoding: its ETag, and the messages of 200 and 304 as they are sent each time."""

    etag: bytes
    start: MutableMapping[str, Any]
    body: MutableMapping[str, Any]
    unchanged: MutableMapping[str, Any]


@dataclass(slots=True)
class _Entry:
    scope: str
    revision: int
    until: float
    headers: list[tuple[bytes, bytes]]
    body: bytes
    etag: str
    modified: float
    compresses: bool
    variants: dict[bytes, _Variant] = field(default_factory=dict)

    def variant(self, encoding: bytes, status: int = 200) -> _Variant:
        """The answer in one encoding; made once."""
        if (made := self.variants.get(encoding)) is not None:
            return made
        body, etag = self.body, self.etag
        extra: Headers = [(b"vary", b"accept-encoding")]
        if encoding == b"br":
            body, etag = brotli.compress(self.body, quality=7), f"{self.etag}-br"
        elif encoding == b"gzip":
            body, etag = gzip.compress(self.body, 7, mtime=0), f"{self.etag}-gz"
        if encoding:
            extra.append((b"content-encoding", encoding))
        quoted = f'"{etag}"'.encode()
        short = [(b"etag", quoted), (b"vary", b"accept-encoding")]
        short += [(k, v) for k, v in self.headers if k in {b"cache-control", b"last-modified"}]
        whole = [*self.headers, *extra, (b"etag", quoted), (b"content-length", str(len(body)).encode())]
        made = self.variants[encoding] = _Variant(
            etag=quoted,
            start={"type": "http.response.start", "status": status, "headers": whole},
            body={"type": "http.response.body", "body": body},
            unchanged={"type": "http.response.start", "status": 304, "headers": short},
        )
        return made


class Published:
    """The layer itself; `revisions` reads the present revision of every scope, in a thread of its own if `apart`.

    `serves` says of a request's headers whether they name this site. What does not is passed on, and refused behind.
    """

    def __init__(
        self,
        app: App,
        revisions: Callable[[], dict[str, int]],
        *,
        apart: bool = False,
        serves: Callable[[Headers], bool] = lambda _headers: True,
        entries: int = 4000,
        size: int = 48 << 20,
    ) -> None:
        self.app = app
        self._apart = apart
        self._serves = serves
        self._revisions = revisions
        self._limit = entries
        self._size_limit = size
        self._size = 0
        self._kept: OrderedDict[tuple[str, bytes], _Entry] = OrderedDict()
        self._rendering: dict[tuple[str, bytes], asyncio.Future[None]] = {}
        self._ready: dict[tuple[Any, ...], tuple[float, Message, Message]] = {}
        """Until when what may be answered to whoever asks in these words: address, method, and all headers that an
        answer depends on."""
        self._known: dict[str, int] = {}
        self._looked = self._known_at = float("-inf")
        self.kept_answers = 0
        """Answers given from memory, whole or as 304."""
        self.renders = 0
        """Answers that were rendered to be kept."""

    @property
    def size(self) -> int:
        """Bytes reckoned for what is kept."""
        return self._size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if (ready := self.ready(scope)) is not None:
            begun, ended = ready
            await send(begun)
            return await send(ended)
        path, query, method, headers = scope["path"], scope["query_string"], scope["method"], scope["headers"]
        if method not in {"GET", "HEAD"} or not self._serves(headers):  # before `Guards`, which stand behind
            return await self.app(scope, receive, send)
        key = (path, query)
        if key in self._kept and time.monotonic() - self._looked >= 1.0:
            await self._look()
        kept = self._fresh(key)
        if kept is None:
            waiting = self._rendering.get(key)
            if waiting is not None:
                await asyncio.wait([waiting], timeout=SECONDS_TO_RENDER)
                if time.monotonic() - self._looked >= 1.0:  # it may have begun long before whoever waited for it came
                    await self._look()
                kept = self._fresh(key)
            if kept is None:
                return await self._through(key, scope, receive, send)
        self.kept_answers += 1
        begun, ended = _answer(kept, scope)
        given = dict(headers)
        asked = _asked(scope, given)
        # `given` has of a header that came twice the last alone; and nobody fills the memory with words
        if len(given) == len(headers) and sum(len(words or b"") for words in asked) <= _MOST_WORDS:
            if len(self._ready) >= self._limit:
                self._ready.clear()
            self._ready[asked] = kept.until, begun, ended
        await send(begun)
        return await send(ended)

    def ready(self, scope: Scope) -> tuple[Message, Message] | None:
        """The two messages of an answer to whoever asks without a body in the very words that were answered before;
        None where it has to be found out, by calling the layer.

        Nearly everything that is asked of a site is answered by these lines, so nothing is found out twice: the host
        was looked at when the answer was first given.
        """
        headers = scope["headers"]
        given = dict(headers)
        found = self._ready.get(_asked(scope, given))
        if found is None or len(given) != len(headers) or not _WITH_A_BODY.isdisjoint(given):
            return None
        until, begun, ended = found
        if time.monotonic() - self._looked >= 1.0 or (until and until <= clock.seconds()):
            return None
        self.kept_answers += 1
        return begun, ended

    async def _look(self) -> None:
        """Learn the present revisions, at most once a second. While the database does not answer, what was known
        stands: nothing can have been published meanwhile. Of two looks at once the one that began later counts,
        whichever ends first."""
        self._looked = began = time.monotonic()
        try:
            known = await asyncio.to_thread(self._revisions) if self._apart else self._revisions()
        except Exception:
            log.exception("the present revisions could not be read")
        else:
            if began >= self._known_at:
                self._known_at = began
                if known != self._known:
                    self._known = known
                    self._ready.clear()

    def _fresh(self, key: tuple[str, bytes]) -> _Entry | None:
        entry = self._kept.get(key)
        if entry is None:
            return None
        if entry.revision < self._known.get(entry.scope, 0) or (entry.until and entry.until <= clock.seconds()):
            self._drop(key)
            return None
        return entry

    def _keep(self, key: tuple[str, bytes], entry: _Entry) -> None:
        """Keep within both bounds, the oldest going first. Compressed variants are smaller than the body they
        stand beside, so twice the body is counted for an entry."""
        self._drop(key)
        self._kept[key] = entry
        self._size += _weight(key, entry)
        while len(self._kept) > self._limit or self._size > self._size_limit:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, bytes]) -> None:
        if (entry := self._kept.pop(key, None)) is not None:
            self._size -= _weight(key, entry)
            self._ready.clear()

    async def _through(self, key: tuple[str, bytes], scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the router, and keep the answer if it says that it is published."""
        done = asyncio.get_running_loop().create_future()
        self._rendering.setdefault(key, done)
        parts: list[bytes] = []
        start: MutableMapping[str, Any] = {}
        mark = b""
        is_head = scope["method"] == "HEAD"

        def rendered() -> None:
            if self._rendering.get(key) is done:
                del self._rendering[key]
            if not done.done():
                done.set_result(None)

        async def capture(message: MutableMapping[str, Any]) -> None:
            nonlocal start, mark
            if message["type"] == "http.response.start":
                start = message
                mark = next((v for k, v in message["headers"] if k == MARK), b"")
                if not mark:
                    rendered()  # nobody is to wait for an answer that will not be kept, nor for its reader
            if not mark:
                if is_head and message["type"] == "http.response.body":
                    message = {**message, "body": b""}
                return await send(message)
            if message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
            return None

        try:
            # routes know GET alone; HEAD is the same answer without its body, which a long file need not even read
            await self.app({**scope, "method": "GET", "bodiless": is_head}, receive, capture)
            if mark:
                entry = _entry(start, mark, b"".join(parts))
                self.renders += 1
                if start["status"] == 200:
                    self._keep(key, entry)
                rendered()
                for message in _answer(entry, scope, status=start["status"]):
                    await send(message)
        finally:
            rendered()


def _entry(start: MutableMapping[str, Any], mark: bytes, body: bytes) -> _Entry:
    name, revision, until = mark.decode().split()
    headers = [(k, v) for k, v in start["headers"] if k not in _OF_ONE_ANSWER]
    modified = next((v for k, v in headers if k == b"last-modified"), b"")
    kind = next((v for k, v in headers if k == b"content-type"), b"")
    return _Entry(
        scope=name,
        revision=int(revision),
        until=float(until),
        headers=headers,
        body=body,
        etag=hashlib.sha256(body).hexdigest()[:24],
        modified=parsedate_to_datetime(modified.decode()).timestamp() if modified else 0.0,
        compresses=len(body) > 512 and kind.startswith(_COMPRESSIBLE),
    )


def _answer(entry: _Entry, scope: Scope, status: int = 200) -> tuple[Message, Message]:
    accepts, condition = b"", b""
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            accepts = accepts or value
        elif name in _CONDITIONS:
            condition = value
    made = entry.variant(_encoding(accepts) if entry.compresses else b"", status)
    # most readers send just the tag they were given
    if (
        condition
        and status == 200
        and (condition == made.etag or unchanged(made.etag, entry.modified, scope["headers"]))
    ):
        return made.unchanged, _NOTHING
    return made.start, _NOTHING if scope["method"] == "HEAD" else made.body


def _weight(key: tuple[str, bytes], entry: _Entry) -> int:
    return 2 * len(entry.body) + len(key[0]) + len(key[1])


def _asked(scope: Scope, given: dict[bytes, bytes]) -> tuple[Any, ...]:
    told = given.get
    where = scope["path"], scope["query_string"], scope["method"]
    return *where, told(b"host"), told(b"accept-encoding"), told(_TAG), told(_SINCE)


_WITH_A_BODY = frozenset({b"content-length", b"transfer-encoding", b"expect"})
"""What may say that more comes of a request, which is not answered then before it was read or thrown away."""
_OF_ONE_ANSWER = frozenset({MARK, b"content-length", b"etag", b"vary", b"x-request-id"})
"""What an answer had for itself alone, and an entry has not."""
_MOST_WORDS = 500
"""Bytes of an address and headers with which an answer is remembered; browsers send a third of it."""
_CONDITIONS = _TAG, _SINCE = (b"if-none-match", b"if-modified-since")


@lru_cache(maxsize=256)
def _encoding(accepts: bytes) -> bytes:
    """The best of br and gzip that an Accept-Encoding value takes; b"" for neither."""
    taken = set()
    for part in accepts.decode("latin-1").lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            taken.add(name.strip())
    return b"br" if "br" in taken else b"gzip" if "gzip" in taken else b""
