"""More people read than can be answered: who waits too long for their turn is told so; what is ready is answered."""

import asyncio
import http.client
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from app.api.application import PREFIX
from app.cli.serve import SERVING
from app.kit import db as kit_db
from app.kit.db import Database
from app.kit.errors import Busy
from app.kit.i18n import text_of
from app.main import create_app
from app.web.bounding import Bounded
from tests.cast import SLUG
from tests.conftest import settings_for
from tests.web.asgi import Answered, ask

PEOPLE = 80
PATIENCE = 0.1
READY, ASKED = f"/en/{SLUG}/programme", f"/km/{SLUG}/programme?q="
"""A page that is kept, and one that is searched anew for everybody."""


def bounded_in(app: Any) -> Bounded:
    while not isinstance(app, Bounded):
        app = app.app
    return app


@contextmanager
def listening(app: Any, **otherwise: Any) -> Iterator[int]:
    """The site, served as `sala serve` does but for what is to be otherwise; its port."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen(1000)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", **{**SERVING, **otherwise}))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [line]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield line.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def crowd(port: int, paths: list[str]) -> list[tuple[int, dict[str, str], str]]:
    """All ask at one moment, each on a line of their own."""
    lines = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in paths]
    for line in lines:
        line.connect()
    for line, path in zip(lines, paths, strict=True):
        line.request("GET", path)
    return [_answer(line) for line in lines]


def get(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        line.request("GET", path, headers=headers)
    except OSError:
        line.close()
        raise
    return _answer(line)


def _answer(line: http.client.HTTPConnection) -> tuple[int, dict[str, str], str]:
    try:
        answer = line.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        line.close()


def test_of_a_crowd_those_who_waited_too_long_are_told_so_while_ready_pages_and_operators_are_answered(
    sqlite_url: str,
) -> None:
    app = create_app(settings_for(sqlite_url, METRICS_TOKEN="of-the-operators"))
    layer = bounded_in(app)
    layer.patience = PATIENCE
    inner = layer.app

    async def on_a_slow_disk(scope: Any, receive: Any, send: Any) -> None:
        time.sleep(0.01)  # noqa: ASYNC251 - a query on SQLite, which runs in the loop
        await inner(scope, receive, send)

    layer.app = on_a_slow_disk
    with listening(app) as port:
        assert get(port, READY)[0] == 200
        *came, alive, ready, serves = crowd(
            port, [*(f"{ASKED}{n}" for n in range(PEOPLE)), "/healthz", READY, "/readyz"]
        )
        assert (alive[0], ready[0], serves[0]) == (200, 200, 200)
        by_status = Counter(status for status, _, _ in came)
        assert set(by_status) == {200, 503}, by_status
        turned_away = next(each for each in came if each[0] == 503)
        assert layer.turned_away == by_status[503]
        assert f"sala_reads_turned_away_total {by_status[503]:.1f}" in figures(port)
        assert get(port, f"{ASKED}later")[0] == 200, "the crowd is gone"
    _, headers, page = turned_away
    assert headers["retry-after"] == "5"
    assert (headers["cache-control"], headers["content-language"]) == ("private, no-store", "km")
    assert "content-security-policy" in headers
    assert text_of("km", "errors.503.title") in page
    assert SLUG not in page, "it is everybody's"


def figures(port: int) -> str:
    return get(port, "/metrics", authorization="Bearer of-the-operators")[2]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (f"{PREFIX}/forums/{SLUG}/registrations", "application/problem+json"),
        (f"/en/{SLUG}/programme.json", "application/problem+json"),
        (f"/en/{SLUG}/calendar.ics", "text/plain; charset=utf-8"),
        ("/login", "text/html; charset=utf-8"),
    ],
)
def test_each_is_told_in_the_form_they_read(
    path: str, kind: str, sqlite_url: str, in_loop: Callable[[Callable[[], Any]], Any]
) -> None:
    layer = bounded_in(create_app(settings_for(sqlite_url)))
    layer.patience = -1

    async def second() -> Answered:
        _, answer = await asyncio.gather(*(ask(layer, path, headers={"accept-language": "en"}) for _ in range(2)))
        return answer

    for _ in range(2):
        answer = in_loop(second)
        assert (answer.status, answer.headers["content-type"], answer.headers["retry-after"]) == (503, kind, "5")
        assert b"Too much" in answer.body


class Slow:
    """What is behind the layer: it takes its time, and notes in which order what was asked began."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.waited: dict[str, float] = {}

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.begun.append(scope["path"])
        self.waited[scope["path"]] = scope.get("waited", 0.0)
        time.sleep(0.02)  # noqa: ASYNC251 - a query on SQLite, which runs in the loop
        await asyncio.sleep(0.2 if scope["path"] == "/prints" else 0)
        await _say(200, send)


async def _say(status: int, send: Any) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _away(_scope: Any, _receive: Any, send: Any) -> None:
    await _say(503, send)


def test_readers_begin_one_after_the_other_and_what_writes_or_waits_for_something_else_keeps_nobody(
    in_loop: Callable[[Callable[[], Any]], Any],
) -> None:
    slow = Slow()
    layer = Bounded(slow, _away)

    async def come() -> list[Answered]:
        readers = [asyncio.create_task(ask(layer, path)) for path in ("/prints", "/1", "/2", "/3", "/4")]
        left = asyncio.create_task(ask(layer, "/left"))
        await asyncio.sleep(0)
        left.cancel()
        others = [asyncio.create_task(ask(layer, "/sent", method="POST")), asyncio.create_task(ask(layer, "/healthz"))]
        return [*await asyncio.gather(*readers, *others), await ask(layer, "/after")]

    assert [each.status for each in in_loop(come)] == [200] * 8
    assert slow.begun[0] == "/prints"
    assert [each for each in slow.begun if each[1:].isdigit()] == ["/1", "/2", "/3", "/4"]
    assert slow.begun.index("/sent") < slow.begun.index("/3"), "it did not stand in line"
    assert slow.begun.index("/healthz") < slow.begun.index("/3")
    assert "/left" not in slow.begun
    assert slow.waited["/prints"] == slow.waited["/sent"] == 0
    assert slow.waited["/4"] > 0.05
    assert layer.waiting == layer.turned_away == 0


def test_who_would_wait_too_long_is_told_at_once(in_loop: Callable[[Callable[[], Any]], Any]) -> None:
    layer = Bounded(Slow(), _away, patience=0.3)

    async def come() -> tuple[list[int], float]:
        await asyncio.gather(*(ask(layer, f"/{number}") for number in range(10)))  # it learns its pace
        first = [asyncio.create_task(ask(layer, f"/{number}")) for number in range(60)]
        await asyncio.sleep(0)
        began = time.perf_counter()
        last = await ask(layer, "/last")
        seconds = time.perf_counter() - began
        return [last.status, *(each.status for each in await asyncio.gather(*first))], seconds

    (last, *first), seconds = in_loop(come)
    assert last == 503
    assert seconds < 0.2
    assert set(first) == {200, 503}
    assert first == sorted(first), "those who came first were answered"
    assert 5 < first.count(200) < 30


def test_a_read_that_gets_no_thread_in_time_is_given_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert database.in_turn(lambda _db: 7)() == 7
    monkeypatch.setattr(kit_db, "SECONDS_TO_BE_READ", -1)
    with pytest.raises(Busy):
        database.in_turn(lambda _db: 7)()
