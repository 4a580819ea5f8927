"""A line from a client to the server: how much may be sent on it, how slowly, and when it is closed.

uvicorn's protocol for httptools with the bounds that it has not: for h11 alone it knows how large a head may be, and
for neither how slowly anything may come. What a reader with a browser sends costs a few attributes more than without;
timers are set for a new line, and where a head or body did not come in one piece.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.kit.settings import Settings
from app.web.refusals import Refusals

log = logging.getLogger("sala.lines")
TOO_MANY, TOO_LARGE, TOO_SLOW, UNREADABLE = 503, 431, 408, 400
_WORDS = {
    TOO_MANY: "Too many lines are open. Please come again.",
    TOO_LARGE: "The head of the request is too large.",
    TOO_SLOW: "The request came too slowly.",
    UNREADABLE: "The request cannot be read.",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What is taken on a line; times in seconds, sizes in bytes."""

    lines: int = 1000
    """Lines open at one time, those of a proxy among them."""
    head_bytes: int = 64 * 1024
    """The request line and all headers."""
    headers: int = 128
    head_seconds: float = 15.0
    """From the opening of a line, or the first byte of a later head, until that head is whole."""
    body_rate: int = 1024
    """Bytes of a body that come at least in a second, in each window; 0: no such bound. A least rate and no whole: 25
    MiB from a slow telephone take an hour, and are let in."""
    body_window: float = 10.0
    answer_seconds: float = 120.0
    """For so long an answer waits for a reader who takes nothing of it."""
    linger_seconds: float = 5.0
    """For so long what still comes is thrown away after an answer that ends the line: closed at once, it would be
    reset, and the answer be lost on the way."""
    pipelined: int = 16
    """Requests that wait on a line for the answer to the one before."""
    told_seconds: float = 60.0
    """The log has at most one line in this time about all that was refused."""


class _TooMuch(Exception):
    """Of a head: it is refused as too large."""


class _Unclear(Exception):
    """Of a message: where it ends could be read in another way."""


class _Trailers(list[Any]):
    """Where the fields behind a body go: nowhere. Whoever reads the head of a request would take them for its own."""

    def append(self, _field: Any) -> None:
        """Forget it."""


class Line(HttpToolsProtocol):
    """One line. A head is being read while `_head` counts its bytes, a body while `_in_body`; between them neither.
    Once it is `_deaf` nothing more is taken from it, once it has `_ended` nothing more is said."""

    limits = Limits()
    refusals = Refusals(log, Limits().told_seconds)

    _head = 0
    _in_body = False
    _came = 0
    _beside = 0
    """Bytes that came behind the head, or since the last of the body, and are none of it."""
    _held = False
    _deaf = False
    _ended = False
    _due: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._ready: Callable[[Any], tuple[Any, Any] | None] = getattr(self.app, "ready", _nothing)

    # ---- what comes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.limits.lines:
            self.refusals.add("one line too many")
            self._deaf = True
            transport.write(_answer(TOO_MANY, "retry-after: 5\r\n"))
            transport.close()  # at once: those who are too many are not waited for
        else:
            self._wait(self.limits.head_seconds, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        if self._unread is not None:
            self._unread.cancel()
        super().connection_lost(exc)
        # nothing holds a line that is gone, nor what was asked on it: no timer, and no answer that would tell it so
        self._unset_keepalive_if_required()
        self.pipeline.clear()
        if self.cycle is not None:
            self.cycle.on_response = _told_nobody

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        try:
            if self._in_body:
                self._came += len(data)
                self._feed_body(data)
            elif (size := self._head + len(data)) <= self.limits.head_bytes:
                self._head = size
                self.parser.feed_data(data)
            else:
                self._feed_in_pieces(memoryview(data))
        except httptools.HttpParserUpgrade:
            self._stay()
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _TooMuch):
                self._refuse(TOO_LARGE)
            else:
                self._refuse(UNREADABLE)
        if (self._head or self._in_body) and self._due is None and not self._deaf:
            self._watch()

    def _feed_in_pieces(self, data: memoryview) -> None:
        """More than a head may be: it is a body that came along, or a head that ends here."""
        while data and not self._deaf:
            room = len(data) if self._in_body else self.limits.head_bytes - self._head
            if room <= 0:
                return self._refuse(TOO_LARGE)
            piece, data = data[:room], data[room:]
            if self._in_body:
                self._feed_body(piece)
            else:
                self._head += len(piece)
                self.parser.feed_data(piece)
        return None

    def _feed_body(self, data: bytes | memoryview) -> None:
        self._beside += len(data)
        self.parser.feed_data(data)
        if self._beside > self.limits.head_bytes and self._in_body:
            self._refuse(TOO_LARGE)  # words of a chunk, or fields behind the last one, without end

    def on_headers_complete(self) -> None:
        """The head is whole; a body may follow."""
        if self._due is not None:
            self._rest()
        if len(self.headers) > self.limits.headers or (self.pipeline and len(self.pipeline) >= self.limits.pipelined):
            raise _TooMuch
        HttpToolsProtocol.on_headers_complete(self)  # three times for each answer: `super` took a fiftieth of it
        self._head = self._beside = 0
        self._in_body = True

    def on_chunk_header(self) -> None:
        """A body in chunks is one whose coding is that and nothing else, in the version that knows it: what stands
        between us and the client may take anything else for another length."""
        said = [value.lower() for name, value in self.scope["headers"] if name == b"transfer-encoding"]
        if said != [b"chunked"] or self.scope["http_version"] != "1.1":
            raise _Unclear
        self.headers = _Trailers()

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._beside = 0
        HttpToolsProtocol.on_body(self, body)

    def on_message_complete(self) -> None:
        """The message is whole."""
        self._head = 0
        self._in_body = False
        if self._due is not None:
            self._rest()
        HttpToolsProtocol.on_message_complete(self)

    # ---- what is ready

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin an answer. What the bytes layer has ready is said when it is this request's turn, as a task would, but
        without one: that took a tenth of such an answer. (Said at once, while others' requests are still being read,
        it wakes each reader alone, which takes longer than the task.)"""
        if cycle.keep_alive and app is self.app and (ready := self._ready(cycle.scope)) is not None:
            self.loop.call_soon(self._say, cycle, *ready)
        else:
            super()._start_asgi_task(cycle, app)

    def _say(self, cycle: RequestResponseCycle, begun: Any, ended: Any) -> None:
        for message in begun, ended:
            if self._ended:  # it was refused in the meantime
                return None
            if self.flow.write_paused:  # the rest waits, like any other answer, until its reader takes what was said
                rest = [begun, ended] if message is begun else [ended]
                task = self.loop.create_task(self._say_slowly(cycle, rest))
                self.tasks.add(task)
                return task.add_done_callback(self.tasks.discard)
            with suppress(StopIteration):
                cycle.send(message).send(None)  # it waits for nothing, so that is all of it
        return None

    async def _say_slowly(self, cycle: RequestResponseCycle, messages: list[Any]) -> None:
        for message in messages:
            if not self._ended:
                await cycle.send(message)

    def _stay(self) -> None:
        """Another protocol was asked for. It is answered in this one, and the line ends: what came behind is lost."""
        self.refusals.add("another protocol")
        if self.cycle.response_complete:
            self._leave()
        else:
            self.cycle.keep_alive = False
            self._deaf = True

    # ---- what takes too long

    def _wait(self, seconds: float, late: Callable[[], Any]) -> None:
        self._rest()
        self._due = self.loop.call_later(seconds, late)

    def _rest(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _watch(self) -> None:
        if not self._in_body:
            self._wait(self.limits.head_seconds, self._head_is_late)
        elif self.limits.body_rate:
            self._came, self._held = 0, self._waits_for_us
            self._wait(self.limits.body_window, self._body_is_late)
            if self.cycle.transport is self.transport:
                self.cycle.transport = _Lingering(self)  # type: ignore[assignment]

    @property
    def _waits_for_us(self) -> bool:
        """Does the client wait until what it sent is read, or until it is told to send?"""
        return self.flow.read_paused or self.cycle.waiting_for_100_continue

    def _head_is_late(self) -> None:
        self._due = None
        if self.cycle is not None and not self.cycle.response_complete:
            self._watch()  # it is we who are slow
        elif self._head:
            self._refuse(TOO_SLOW)
        else:
            self.transport.close()

    def _body_is_late(self) -> None:
        self._due = None
        if self._held or self._waits_for_us or self._came >= self.limits.body_rate * self.limits.body_window:
            self._watch()
        else:
            self._refuse(TOO_SLOW)

    def pause_writing(self) -> None:
        """The reader takes less than is answered."""
        super().pause_writing()
        self._abort_in(self.limits.answer_seconds)

    def resume_writing(self) -> None:
        """The reader has taken some of it."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def timeout_keep_alive_handler(self) -> None:
        """Nobody asks for more."""
        super().timeout_keep_alive_handler()
        self._abort_if_unread()

    def _abort_in(self, seconds: float) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(seconds, self.transport.abort)

    def _abort_if_unread(self) -> None:
        """A line that is closed goes only when its last answer is taken."""
        if self.transport.get_write_buffer_size():
            self._abort_in(self.limits.answer_seconds)

    # ---- how it ends

    def on_response_complete(self) -> None:
        """An answer is out. If it did not wait for the whole request, the rest of that is nobody's."""
        if self._ended:
            return
        HttpToolsProtocol.on_response_complete(self)
        if self._in_body and self.cycle.response_complete:
            self._leave()
        elif self.transport.is_closing():
            self._abort_if_unread()

    def _refuse(self, status: int) -> None:
        """Say why, where nothing else is being said on this line, and end it. Who came before is still answered."""
        self.refusals.add(_WORDS[status])
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return self._leave(_answer(status))
        if not self._in_body:
            cycle.keep_alive = False
            self._deaf = True
            return None
        if cycle.response_started or self.pipeline:
            return self._leave()
        cycle.disconnected = True
        cycle.message_event.set()
        return self._leave(_answer(status))

    def _leave(self, last: bytes = b"") -> None:
        self._deaf = self._ended = True
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        if last:
            self.transport.write(last)
        self.transport.write_eof()
        self.flow.resume_reading()
        self._wait(self.limits.linger_seconds, self._left)

    def _left(self) -> None:
        self.transport.close()
        self._abort_if_unread()


def _nothing(_scope: object) -> None:
    """What an application without a bytes layer has ready."""


def _told_nobody() -> None:
    """What an answer calls at its end where its line is gone."""


class _Lingering:
    """What an answer is written to while its request still comes (see `Limits.linger_seconds`)."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def write(self, data: bytes) -> None:
        """As the line does."""
        self._line.transport.write(data)

    def is_closing(self) -> bool:
        """As the line."""
        return self._line.transport.is_closing()

    def close(self) -> None:
        """Not before the request was let come for a while."""
        if self._line._in_body:  # noqa: SLF001 - two halves of one thing
            self._line._leave()  # noqa: SLF001 - see above
        else:
            self._line.transport.close()


def _answer(status: int, more: str = "") -> bytes:
    text = f"{_WORDS[status]}\n"
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
    return f"{head}content-length: {len(text)}\r\n{more}connection: close\r\n\r\n{text}".encode("ascii")


def lines(limits: Limits) -> type[Line]:
    """The protocol with these limits, for one server."""
    return type("Line", (Line,), {"limits": limits, "refusals": Refusals(log, limits.told_seconds)})


def limits_of(settings: Settings) -> Limits:
    """The limits that an operator sets, and the others as they are."""
    return Limits(
        lines=settings.connections,
        head_bytes=settings.head_limit_bytes,
        head_seconds=settings.head_seconds,
        body_rate=settings.body_bytes_a_second,
    )
