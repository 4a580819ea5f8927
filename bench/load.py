"""The load generator: keep-alive connections that ask as fast as answers come, and people who go through a form.

It speaks only as much HTTP as the site answers with (a length, or 304): what it does not understand it does not time.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar
from urllib.parse import urlencode

import uvloop

T = TypeVar("T")
HOST, TIMEOUT = "127.0.0.1", 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status, its head as it came, its body."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """A header's value, or ""."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.decode().lower() == name:
                return value.strip().decode()
        return ""


@dataclass(slots=True)
class Tally:
    """What came of a load: answers by status, the seconds it took, and each one's time in milliseconds."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.statuses.total()

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return self.done / self.seconds if self.seconds else 0.0

    def slowest(self, share: float) -> float:
        """The time (ms) that this share of the answers did not take longer than; 0.5 is the median."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def request(method: str, path: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"", port: int = 0) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {HOST}:{port}", *(f"{name}: {value}" for name, value in headers)]
    if body or method == "POST":
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection(asyncio.Protocol):
    """One keep-alive connection with one question on its way at a time; `heard` gets each answer."""

    def __init__(self) -> None:
        self.heard: Callable[[Answer], None] = lambda _: None
        self.lost: Callable[[], None] = lambda: None
        self._held = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as it is called
        self.lost()

    def send(self, question: bytes) -> None:
        self._transport.write(question)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        held = self._held + data if self._held else data
        end = held.find(b"\r\n\r\n")
        if end < 0:
            self._held = held
            return
        status, length = int(held[9:12]), 0
        if status != 304:
            at = held.find(b"content-length: ", 0, end)
            if at < 0:
                raise ValueError(f"an answer without a length: {held[:end]!r}")
            length = int(held[at + 16 : held.find(b"\r\n", at)])
        if len(held) < end + 4 + length:
            self._held = held
            return
        self._held = b""
        self.heard(Answer(status, held[:end], held[end + 4 :]))


async def hammer(port: int, questions: Sequence[bytes], clients: int, seconds: float, most: int = 0) -> Tally:
    """Have `clients` connections ask the questions in turn, as fast as answers come, for some seconds or `most`
    answers. Raises ConnectionError where one breaks."""
    loop, tally, over = asyncio.get_running_loop(), Tally(), asyncio.get_running_loop().create_future()
    order, running = count(), [clients]
    ends = time.perf_counter() + seconds

    def drive(connection: Connection) -> None:
        began = 0.0

        def ask() -> None:
            nonlocal began
            began = time.perf_counter()
            connection.send(questions[next(order) % len(questions)])

        def heard(answer: Answer) -> None:
            now = time.perf_counter()
            tally.times.append((now - began) * 1000)
            tally.statuses[answer.status] += 1
            if now < ends and not (most and len(tally.times) >= most):
                return ask()
            running[0] -= 1
            if not running[0] and not over.done():
                over.set_result(None)
            return None

        def lost() -> None:
            if not over.done():
                over.set_exception(ConnectionError("a connection broke"))

        connection.heard, connection.lost = heard, lost
        ask()

    connections = [(await loop.create_connection(Connection, HOST, port))[1] for _ in range(clients)]
    began = time.perf_counter()
    try:
        for connection in connections:
            drive(connection)
        await asyncio.wait_for(over, seconds + TIMEOUT)
        tally.seconds = time.perf_counter() - began
    finally:
        for connection in connections:
            connection.lost = lambda: None
            connection.close()
    return tally


class Visitor:
    """Somebody who reads a page before answering it, with cookies of their own; `address` is their network address,
    as a proxy before the site would say it."""

    def __init__(self, port: int, address: str = "") -> None:
        self.port, self.address, self.cookies = port, address, {}
        self._connection: Connection | None = None

    async def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        """Send one request and wait for its answer."""
        loop = asyncio.get_running_loop()
        if self._connection is None:
            self._connection = (await loop.create_connection(Connection, HOST, self.port))[1]
        headers = [("x-forwarded-for", self.address)] if self.address else []
        if self.cookies:
            headers.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        if form is not None:
            headers.append(("content-type", "application/x-www-form-urlencoded"))
        heard: asyncio.Future[Answer] = loop.create_future()
        self._connection.heard = heard.set_result
        self._connection.lost = lambda: heard.done() or heard.set_exception(ConnectionError("a connection broke"))
        self._connection.send(request(method, path, headers, urlencode(form or {}).encode(), self.port))
        answer = await asyncio.wait_for(heard, TIMEOUT)
        if cookie := answer.header("set-cookie"):
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def leave(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.lost = lambda: None
            self._connection.close()


Walk = Callable[[Visitor, int], Awaitable[int]]
"""What a person does: given themselves and their number, the status of the last answer."""


async def walks(port: int, walk: Walk, people: Iterator[int], clients: int, seconds: float) -> Tally:
    """Have `clients` connections take one person after the other through `walk`, for some seconds or until there are no
    more people. Each person's time is the whole walk's."""
    tally, ends = Tally(), time.perf_counter() + seconds

    async def one_after_the_other() -> None:
        visitor = Visitor(port)
        try:
            for person in people:
                visitor.address = f"10.{person >> 16 & 255}.{person >> 8 & 255}.{person & 255}"
                began = time.perf_counter()
                status = await walk(visitor, person)
                tally.times.append((time.perf_counter() - began) * 1000)
                tally.statuses[status] += 1
                if time.perf_counter() >= ends:
                    return
        finally:
            visitor.leave()

    began = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(clients)))
    tally.seconds = time.perf_counter() - began
    return tally


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to its end, in the quick loop."""

    return uvloop.run(work)


def ask(port: int, question: bytes) -> Answer:
    """One request on a connection of its own."""

    async def asked() -> Answer:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, HOST, port)
        heard: asyncio.Future[Answer] = loop.create_future()
        connection.heard = heard.set_result
        connection.send(question)
        answer = await asyncio.wait_for(heard, TIMEOUT)
        connection.close()
        return answer

    return run(asked())
