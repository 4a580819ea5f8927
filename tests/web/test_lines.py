"""What a line takes, on real sockets: heads and bodies that are too large, too slow or unclear end it, others pass.

Limits are of tenths of a second here; how long anything takes is not looked at, only what came of it.
"""

import asyncio
import gc
import logging
import resource
import socket
import struct
import threading
import time
import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from starlette.responses import PlainTextResponse

from app.cli.serve import FILES, SERVING, lines_beside_files
from app.kit.settings import read
from app.main import create_app
from app.web.lines import Limits, Line, limits_of, lines
from app.web.published import Published, publish
from tests.cast import SLUG
from tests.conftest import settings_for
from tests.web.test_bounding import listening

HOST = b"Host: localhost\r\n"
GET = b"GET /small HTTP/1.1\r\n" + HOST
POST = b"POST /form HTTP/1.1\r\n" + HOST
WINDOW = 0.4
RATE = 1000
SOON = Limits(
    lines=5,
    head_bytes=8 * 1024,
    headers=20,
    head_seconds=0.6,
    body_rate=RATE,
    body_window=WINDOW,
    answer_seconds=0.3,
    linger_seconds=1.0,
    pipelined=4,
)
LARGE = b"x" * (8 << 20)


class Inside:
    """What is served: it reads bodies, but for those sent to /unread…, and remembers how they ended."""

    def __init__(self) -> None:
        self.read: list[int] = []
        self.broken_off = 0
        self.asked: list[str] = []
        self.named: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.asked.append(scope["path"])
        if not scope["path"].startswith("/unread"):
            size, more = 0, True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    self.broken_off += 1
                    return
                size, more = size + len(message["body"]), message["more_body"]
            self.read.append(size)
            self.named += [name for name, _ in scope["headers"]]
        body = LARGE if scope["path"] == "/large" else b"good"
        headers = [(b"content-length", b"%d" % len(body))]
        if scope["path"] == "/unread":
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Client:
    """Somebody with a socket: sends what it is told to, and reads until the line is closed or nothing comes."""

    opened: ClassVar[list[socket.socket]] = []

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.opened.append(self.socket)

    def send(self, *pieces: bytes) -> bool:
        """Whether all of it was taken; what the other end said before it closed is still to be read."""
        try:
            for piece in pieces:
                self.socket.sendall(piece)
        except OSError:
            return False
        return True

    def answer(self) -> bytes:
        """One answer, the line stays open."""
        came = b""
        while not came.endswith(b"good"):
            more = self.socket.recv(65536)
            assert more, came
            came += more
        return came

    def rest(self) -> bytes:
        """Everything that comes until the line is closed; it fails if that does not happen."""
        came = b""
        while True:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return came
            if not more:
                return came
            came += more


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Every socket of a test, at its end."""
    yield
    while Client.opened:
        Client.opened.pop().close()


Served = tuple[int, Inside, type[Line]]


@contextmanager
def served_with(limits: Limits) -> Iterator[Served]:
    inside, kind = Inside(), lines(limits)
    with listening(inside, http=kind) as port:
        yield port, inside, kind


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with served_with(SOON) as found:
        yield found


@pytest.fixture
def client(served: Served) -> Client:
    inside = served[1]
    inside.read.clear()
    inside.asked.clear()
    inside.named.clear()
    inside.broken_off = 0
    return Client(served[0])


def starts(answer: bytes, status: int) -> bool:
    return answer.startswith(b"HTTP/1.1 %d " % status)


# ---- what is ready


class Layer(Published):
    """A bytes layer before pages of an x or many, and what it was called for: not for what was ready."""

    def __init__(self) -> None:
        async def page(scope: Any, receive: Any, send: Any) -> None:
            answer = PlainTextResponse("x" * (4 << 20 if scope["path"] == "/large" else 1) + " good")
            kept = publish(answer, "pages", 1) if scope["path"] != "/slow" else answer
            await asyncio.sleep(0.05)
            await kept(scope, receive, send)

        super().__init__(page, lambda: {"pages": 1})
        self.called: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.called.append(scope["path"])
            await super().__call__(scope, receive, send)


@pytest.fixture
def layer() -> Iterator[tuple[Client, Layer]]:
    """A line to a site where "/" and "/large" were asked for until they were ready."""
    layer = Layer()
    with listening(layer, http=lines(replace(SOON, answer_seconds=20))) as port:
        before = Client(port)
        for path in (b"/", b"/", b"/large", b"/large"):
            before.send(asked(path))
            before.answer()
        layer.called.clear()
        yield Client(port), layer


def asked(path: bytes, more: bytes = b"", *, method: bytes = b"GET") -> bytes:
    return method + b" " + path + b" HTTP/1.1\r\nhost: sala.test\r\n" + more + b"\r\n"


def test_what_is_ready_is_answered_without_calling_for_it_and_the_line_stays(layer: tuple[Client, Layer]) -> None:
    client, called = layer[0], layer[1].called
    for _ in range(3):
        client.send(asked(b"/"))
        assert client.answer().endswith(b"\r\n\r\nx good")
    client.send(asked(b"/slow"))
    assert starts(client.answer(), 200)
    assert called == ["/slow"]
    assert layer[1].kept_answers > 3


def test_what_is_asked_at_once_is_answered_in_its_order_ready_or_not(layer: tuple[Client, Layer]) -> None:
    client, called = layer[0], layer[1].called
    client.send(asked(b"/") + asked(b"/slow") + asked(b"/") + asked(b"/nothing"))
    client.send(asked(b"/", b"connection: close\r\n"))
    answers = client.rest().split(b"HTTP/1.1 ")[1:]
    assert [each[:3] for each in answers] == [b"200"] * 5
    assert [b"etag" in each for each in answers] == [True, False, True, True, True]
    assert all(each.endswith(b"\r\n\r\nx good") for each in answers)
    assert called == ["/slow", "/nothing", "/"], "who leaves is answered by a call"


def test_what_is_ready_is_said_without_its_body_to_whoever_asks_for_its_head(layer: tuple[Client, Layer]) -> None:
    client, called = layer[0], layer[1].called
    client.send(asked(b"/", method=b"HEAD") * 3 + asked(b"/"))
    answers = client.answer().split(b"HTTP/1.1 ")[1:]
    assert [each.endswith(b"\r\n\r\n") for each in answers] == [True, True, True, False]
    assert called == ["/"]


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"content-length: 4\r\n", b"body"),
        (b"content-length: 0\r\n", b""),
        (b"transfer-encoding: chunked\r\n", b"4\r\nbody\r\n0\r\n\r\n"),
    ],
)
def test_whoever_sends_a_body_is_called_for_and_what_stands_behind_it_is_the_next_request(
    layer: tuple[Client, Layer], head: bytes, body: bytes
) -> None:
    client, called = layer[0], layer[1].called
    client.send(asked(b"/", head) + body)
    assert starts(client.answer(), 200)
    assert called == ["/"]
    after = Client(client.socket.getpeername()[1])
    after.send(asked(b"/"))
    assert starts(after.answer(), 200)
    assert called == ["/"]


def test_who_asks_for_no_more_is_answered_and_the_line_closed(layer: tuple[Client, Layer]) -> None:
    client, _ = layer
    client.send(b"GET / HTTP/1.0\r\nhost: sala.test\r\n\r\n" + asked(b"/slow"))
    assert client.rest().count(b"good") == 1
    assert "/slow" not in layer[1].called


def test_a_reader_who_is_slow_to_take_what_is_ready_gets_all_of_it(layer: tuple[Client, Layer]) -> None:
    client, called = layer[0], layer[1].called
    client.send(asked(b"/large") * 3 + asked(b"/", b"connection: close\r\n"))
    time.sleep(0.1)
    whole = client.rest()
    assert whole.count(b"x good") == 4
    assert len(whole) > 3 * (4 << 20)
    assert called == ["/"]


def test_a_line_that_was_cut_leaves_nothing_behind_however_it_ended(layer: tuple[Client, Layer]) -> None:
    """Not even what was asked on it, until its timer would have come: whoever cuts many could fill the memory."""
    _, port = layer[0], layer[0].socket.getpeername()[1]
    there = weakref.WeakSet(each for each in gc.get_objects() if isinstance(each, Line))
    gc.disable()
    try:
        for hard in (True, False) * 10:
            client = Client(port)
            client.send(asked(b"/"))
            client.answer()
            if hard:  # a reset, not an end
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.socket.close()
        deadline = time.monotonic() + 10
        while (left := lines_beside(there)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert left == 0
    finally:
        gc.enable()


def lines_beside(there: Collection[Line]) -> int:
    return sum(isinstance(each, Line) and each not in there for each in gc.get_objects())


def test_nonsense_behind_what_is_ready_is_no_fault_of_ours(
    layer: tuple[Client, Layer], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, said, faults, say = layer[0], [], [], Line._say

    def watched(line: Line, *given: Any) -> None:
        said.append(given)
        try:
            say(line, *given)
        except Exception as fault:
            faults.append(fault)
            raise

    monkeypatch.setattr(Line, "_say", watched)
    client.send(asked(b"/") + asked(b"/", b"transfer-encoding: chunked\r\n", method=b"POST") + b"zz\r\n")
    client.rest()
    assert said
    assert faults == []


# ---- heads


def test_one_head_after_the_other_is_answered_on_the_same_line(client: Client) -> None:
    for _ in range(3):
        client.send(GET + b"\r\n")
        assert starts(client.answer(), 200)


def test_a_head_may_come_in_pieces_and_requests_at_once(client: Client) -> None:
    client.send(*(bytes([byte]) for byte in GET + b"\r\n"))
    assert starts(client.answer(), 200)
    client.send((GET + b"\r\n") * 3)
    came = b""
    while came.count(b"good") < 3:
        came += client.answer()


@pytest.mark.parametrize(
    "head",
    [
        GET + b"X-Long: " + b"a" * 9000 + b"\r\n\r\n",
        GET + b"X-Long: " + b"a" * 9000,
        GET + b"X-Long: " + b"a" * 2_000_000,
        GET + b"A: b\r\n" * 400_000,
        GET + b"A: b\r\n" * 30 + b"\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"POST /form HTTP/1.1\r\n"
        + HOST
        + b"X-Long: "
        + b"a" * 9000
        + b"\r\nContent-Length: 20000\r\n\r\n"
        + b"a" * 20000,
    ],
    ids=["long", "long and unfinished", "very long", "very many", "too many", "a long address", "before a body"],
)
def test_a_head_that_is_too_large_is_refused_and_the_line_closed(client: Client, served: Served, head: bytes) -> None:
    client.send(head)
    answer = client.rest()
    assert starts(answer, 431), answer[:200]
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close" in answer
    assert not served[1].asked


def test_a_head_of_just_the_size_is_taken_with_a_body_beside_it(client: Client, served: Served) -> None:
    rest = b"Content-Length: 100000\r\n\r\n"
    room = SOON.head_bytes - len(POST) - len(rest) - len(b"X: \r\n")
    client.send(POST + b"X: " + b"a" * room + b"\r\n" + rest + b"b" * 100_000)
    assert starts(client.answer(), 200)
    assert served[1].read == [100_000]
    client.send(POST + b"X: " + b"a" * (room + 1) + b"\r\n" + rest)
    assert starts(client.rest(), 431)


def test_the_heads_after_the_first_are_counted_too(client: Client) -> None:
    client.send(GET + b"\r\n")
    client.answer()
    client.send(GET, *[b"X-Long: " + b"a" * 1000 + b"\r\n"] * 9)
    assert starts(client.rest(), 431)


def test_a_line_on_which_nothing_comes_is_closed_without_a_word(client: Client) -> None:
    assert client.rest() == b""


@pytest.mark.parametrize("before", [b"", GET + b"\r\n"], ids=["the first", "a later one"])
def test_a_head_that_drips_is_given_up(client: Client, before: bytes) -> None:
    if before:
        client.send(before)
        client.answer()
    client.send(GET)
    client.socket.settimeout(0.05)
    came = b""
    for _ in range(400):
        client.send(b"X: a\r\n"[:1])
        try:
            came = client.socket.recv(65536)
            break
        except TimeoutError:
            continue
    client.socket.settimeout(20)
    assert starts(came + client.rest(), 408)


def test_a_line_is_closed_some_time_after_its_last_answer() -> None:
    with listening(Inside(), http=lines(SOON), timeout_keep_alive=0.2) as port:
        client = Client(port)
        client.send(GET + b"\r\n")
        assert starts(client.answer(), 200)
        assert client.rest() == b""


# ---- bodies


def test_a_body_slower_than_the_least_rate_is_given_up(client: Client, served: Served) -> None:
    client.send(POST + b"Content-Length: 100000\r\n\r\n", b"a")
    assert starts(client.rest(), 408)
    until = time.monotonic() + 20
    while not served[1].broken_off and time.monotonic() < until:
        time.sleep(0.01)
    assert served[1].broken_off == 1
    assert not served[1].read


def test_a_slow_body_is_taken_however_long_it_takes(client: Client, served: Served) -> None:
    piece, pieces = b"a" * RATE, 12
    client.send(POST + b"Content-Length: %d\r\n\r\n" % (len(piece) * pieces))
    for _ in range(pieces):
        client.send(piece)
        time.sleep(WINDOW / 4)
    assert starts(client.answer(), 200)
    assert served[1].read == [len(piece) * pieces]


def test_what_was_sent_quickly_does_not_buy_time_for_later(client: Client) -> None:
    client.send(POST + b"Content-Length: 1000000\r\n\r\n", b"a" * 900_000)
    assert starts(client.rest(), 408)


def test_who_waits_to_be_told_to_send_is_not_slow() -> None:
    class Late(Inside):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            import asyncio

            await asyncio.sleep(3 * WINDOW if scope["type"] == "http" else 0)
            await super().__call__(scope, receive, send)

    inside = Late()
    with listening(inside, http=lines(SOON)) as port:
        polite = Client(port)
        polite.send(POST + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert polite.socket.recv(100).startswith(b"HTTP/1.1 100 ")
        polite.send(b"body")
        assert starts(polite.answer(), 200)
        held = Client(port)  # all that the server takes before the site reads
        held.send(POST + b"Content-Length: 3000000\r\n\r\n", b"a" * 3_000_000)
        assert starts(held.answer(), 200)
    assert inside.read == [4, 3_000_000]


@pytest.mark.parametrize("path", [b"/unread", b"/unread-open"])
@pytest.mark.parametrize("size", [100, 3_000_000])
def test_an_answer_that_did_not_wait_for_the_body_ends_the_line_but_not_before_the_body_was_let_come(
    client: Client, path: bytes, size: int
) -> None:
    client.send(b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % (size + 1))
    time.sleep(0.05)  # the answer is there before the body
    assert client.send(b"a" * size), "closed at once, the line is reset, and many clients lose the answer then"
    answer = client.rest()
    assert starts(answer, 200)
    assert answer.endswith(b"good")


def test_what_comes_after_an_answer_that_ended_the_line_is_no_request(client: Client, served: Served) -> None:
    client.send(b"POST /unread HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\n")
    time.sleep(0.05)
    client.send(b"0123456789" + GET + b"\r\n")
    client.rest()
    assert served[1].asked == ["/unread"]


def test_the_site_closes_the_line_of_a_body_that_is_too_large(sqlite_url: str) -> None:
    with listening(create_app(settings_for(sqlite_url))) as port:
        for head, body in (
            (b"Content-Length: 3000000\r\n", b"a" * 3_000_000),
            (b"Transfer-Encoding: chunked\r\n", b"10000\r\n" + b"a" * 65536 + b"\r\n"),
        ):
            client = Client(port)
            form = b"Content-Type: application/x-www-form-urlencoded\r\n"
            client.send(
                b"POST /login HTTP/1.1\r\n" + HOST + form + head + b"\r\n", *[body] * (30 if b"T" in head[:1] else 1)
            )
            answer = client.rest()
            assert starts(answer, 413), answer[:100]
            assert b"\r\nconnection: close\r\n" in answer
            assert answer.endswith(b"</html>"), "the whole page"


# ---- what is unclear


CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Content-Length: 3\r\n" + CHUNKED + END + GET + b"\r\n",
        POST + CHUNKED + b"Content-Length: 3\r\n" + END + GET + b"\r\n",
        POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        POST + b"Content-Length: 3, 3\r\n\r\nabc",
        POST + b"Content-Length: +3\r\n\r\nabc",
        POST + b"Content-Length: -3\r\n\r\nabc",
        POST + b"Content-Length: 0x3\r\n\r\nabc",
        POST + b"Content-Length: \r\n\r\nabc",
        POST + b"Content-Length : 3\r\n\r\nabc",
        POST + b"Content-Length: 99999999999999999999\r\n\r\nabc",
        POST + b"Transfer-Encoding : chunked\r\n" + END,
        POST + b"Transfer-Encoding: xchunked\r\n" + END,
        POST + b"Transfer-Encoding: \x0bchunked\r\n" + END,
        POST + b"Transfer-Encoding: identity\r\n" + END,
        POST + b"Transfer-Encoding: chunked, identity\r\n" + END,
        POST + b"Transfer-Encoding: identity, chunked\r\n" + END,
        POST + b"Transfer-Encoding: gzip, chunked\r\n" + END,
        POST + b"Transfer-Encoding: gzip\r\n" + CHUNKED + END,
        POST + CHUNKED + CHUNKED + END,
        POST.replace(b"1.1", b"1.0") + CHUNKED + END,
        POST + b"Transfer-Encoding:\r\n chunked\r\n" + END,
        GET + b"X-A: b\r\n c\r\n\r\n",
        GET + b"X-A: b\nX-B: c\r\n\r\n",
        GET + b"X-A: b\rX-B: c\r\n\r\n",
        GET + b"X-A: b\0c\r\n\r\n",
        GET + b": c\r\n\r\n",
        b"GET /small HTTP/1.1\nHost: localhost\n\n",
        b"GET /small HTTP/1.1\r\n" + b" " + HOST + b"\r\n",
        POST + CHUNKED + b"\r\n3\nabc\r\n0\r\n\r\n",
        POST + CHUNKED + b"\r\n3;a\nabc\r\n0\r\n\r\n",
        POST + CHUNKED + b"\r\n0x3\r\nabc\r\n0\r\n\r\n",
        POST + CHUNKED + b"\r\n+3\r\nabc\r\n0\r\n\r\n",
        POST + CHUNKED + b"\r\n-1\r\nabc\r\n0\r\n\r\n",
        POST + CHUNKED + b"\r\n3 \r\nabc\r\n0\r\n\r\n",
        POST + CHUNKED + b"\r\n3\r\nabcdef\r\n0\r\n\r\n",
        POST + CHUNKED + b"\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        POST + CHUNKED + b"\r\n0\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_what_another_could_read_as_another_length_is_refused_and_the_line_closed(
    client: Client, served: Served, sent: bytes
) -> None:
    client.send(sent)
    answer = client.rest()
    assert starts(answer, 400), answer[:100]
    assert answer.count(b"HTTP/1.1") == 1
    assert "/small" not in served[1].asked


def test_a_body_in_chunks_is_taken(client: Client, served: Served) -> None:
    client.send(POST + CHUNKED + b"\r\n3\r\nabc\r\n4;a=b\r\ndefg\r\n0\r\n\r\n")
    assert starts(client.answer(), 200)
    assert served[1].read == [7]


def test_what_stands_behind_a_body_is_never_taken_for_its_head(client: Client, served: Served) -> None:
    """Else whoever sends it would choose what a proxy sets or takes out."""
    client.send(POST + CHUNKED + b"\r\n3\r\nabc\r\n0\r\nCookie: a=b\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
    assert starts(client.answer(), 200)
    assert served[1].named == [b"host", b"transfer-encoding"]
    client.send(GET + b"Cookie: a=b\r\n\r\n")
    assert starts(client.answer(), 200)
    assert served[1].named[2:] == [b"host", b"cookie"]


@pytest.mark.parametrize(
    ("begun", "more"),
    [(b"0\r\n", b"a: b\r\n"), (b"0\r\na: ", b"bbbbbb"), (b"3", b";a=bcd")],
    ids=["fields", "one field", "words of a chunk"],
)
def test_what_is_none_of_a_body_in_chunks_ends_somewhere(
    client: Client, served: Served, begun: bytes, more: bytes
) -> None:
    client.send(POST + CHUNKED + b"\r\n3\r\nabc\r\n" + begun, more * 4000, more * 4000)
    assert starts(client.rest(), 431)
    assert served[1].read == []


def test_nonsense_behind_a_request_does_not_take_its_answer_away(client: Client) -> None:
    client.send(GET + b"\r\n" + b"nonsense\r\n\r\n")
    answer = client.rest()
    assert starts(answer, 200)
    assert answer.endswith(b"good")


def test_of_requests_sent_at_once_only_so_many_wait(client: Client, served: Served) -> None:
    client.send((GET + b"\r\n") * 2000)
    answers = client.rest().count(b"good")
    assert 1 <= answers <= SOON.pipelined + 1
    assert len(served[1].asked) <= SOON.pipelined + 1


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_another_protocol_is_answered_in_this_one_and_ends_the_line(
    client: Client, served: Served, protocol: bytes
) -> None:
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    client.send(GET + b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n" + key + b"\r\n" + GET + b"\r\n")
    answer = client.rest()
    assert starts(answer, 200)
    assert answer.count(b"HTTP/1.1") == 1
    assert served[1].asked == ["/small"]


# ---- readers, and how many there are


def test_a_reader_who_takes_nothing_of_an_answer_is_given_up(served: Served) -> None:
    client = Client(served[0])
    client.send(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
    assert client.socket.recv(1) == b"H"
    time.sleep(4 * SOON.answer_seconds)
    assert len(client.rest()) < len(LARGE)


def test_no_more_lines_are_held_than_so_many(served: Served) -> None:
    deadline = time.monotonic() + 20
    while True:  # those of the tests before go as they are closed
        kept = [Client(served[0]) for _ in range(SOON.lines)]
        kept[-1].send(GET + b"\r\n")
        one_more = Client(served[0])
        answer = one_more.rest()
        if starts(answer, 503) and starts(kept[-1].answer(), 200):
            break
        assert time.monotonic() < deadline
    assert b"retry-after: 5\r\n" in answer
    for line in kept:
        line.socket.close()
    until = time.monotonic() + 20
    answer = b""
    while not starts(answer, 200) and time.monotonic() < until:
        again = Client(served[0])
        again.send(GET + b"Connection: close\r\n\r\n")
        answer = again.rest()
    assert starts(answer, 200), "there is room again"


@pytest.mark.parametrize(
    ("soft", "hard", "held", "then"),
    [
        (1024, 4096, 1000, 1000 + FILES),
        (4096, 8192, 1000, 4096),
        (256, 512, 512 - FILES, 512),
        (64, 64, 1, 64),
        (1024, resource.RLIM_INFINITY, 1000, 1000 + FILES),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 1000, resource.RLIM_INFINITY),
    ],
)
def test_a_process_holds_no_more_lines_than_its_files_let_it(soft: int, hard: int, held: int, then: int) -> None:
    assert lines_beside_files(1000, soft, hard) == (held, then)


# ---- what is said of it


def test_the_log_has_one_line_for_all_that_is_refused_in_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), served_with(SOON) as (port, _, kind):
        for _ in range(30):
            client = Client(port)
            client.send(b"nonsense\r\n\r\n")
            assert starts(client.rest(), 400)
            client.socket.close()
        client = Client(port)
        client.send(GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        client.rest()
        assert len(caplog.records) == 1, [record.getMessage() for record in caplog.records]
        kind.refusals._told -= SOON.told_seconds
        client = Client(port)
        client.send(GET + b"A: b\r\n" * 30 + b"\r\n")
        client.rest()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "cannot be read. × 29" in said[1]
    assert "another protocol × 1" in said[1]
    assert "too large. × 1" in said[1]


# ---- as the site is served


def test_the_site_is_served_with_these_lines_and_the_limits_of_its_settings() -> None:
    assert SERVING["http"] == f"{Line.__module__}:{Line.__name__}"
    environment = {
        "HEAD_LIMIT_BYTES": "9000",
        "HEAD_SECONDS": "3.5",
        "BODY_BYTES_A_SECOND": "77",
        "CONNECTIONS": "12",
        "SECRET_KEY": "0123456789abcdef0123456789abcdef",
    }
    assert limits_of(read(environment)) == Limits(lines=12, head_bytes=9000, head_seconds=3.5, body_rate=77)
    assert limits_of(read({"SECRET_KEY": environment["SECRET_KEY"]})) == Limits() == Line.limits
    assert lines(SOON).limits is SOON


def test_a_page_that_is_kept_is_refused_on_such_a_line_too(sqlite_url: str) -> None:
    page = b"GET /en/" + SLUG.encode() + b" HTTP/1.1\r\n" + HOST
    with listening(create_app(settings_for(sqlite_url))) as port:
        for _ in range(2):
            client = Client(port)
            client.send(page + b"Connection: close\r\n\r\n")
            assert starts(client.rest(), 200)
        for more, status in (
            (b"Content-Length: 3\r\n" + CHUNKED + END, 400),
            (b"X: " + b"a" * 70_000 + b"\r\n\r\n", 431),
            (b"A: b\r\n" * 200 + b"\r\n", 431),
        ):
            client = Client(port)
            client.send(page + more)
            assert starts(client.rest(), status)


def test_many_who_send_nothing_are_gone_before_a_reader_is_kept_waiting() -> None:
    with served_with(Limits(lines=60, head_seconds=0.5)) as (port, _, _kind):
        idle = [Client(port) for _ in range(50)]
        half = idle[25:]
        for client in half:
            client.send(GET)
        reader = Client(port)
        reader.send(GET + b"\r\n")
        assert starts(reader.answer(), 200)
        done = [threading.Thread(target=client.rest) for client in idle]
        for thread in done:
            thread.start()
        for thread in done:
            thread.join(30)
        assert not any(thread.is_alive() for thread in done)
