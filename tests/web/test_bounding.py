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
from sqlalchemy import text

from app.api.application import PREFIX
from app.cli.serve import SERVING
from app.kit import db as kit_db
from app.kit.db import Database, Db
from app.kit.errors import Busy
from app.kit.i18n import text_of
from app.kit.turns import Gate, asking
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


class Noting:
    """What is behind the layer: it notes in which order searches begin, and holds the loop at the first of them until
    `go`, as one long query on SQLite does."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.begun: list[str] = []
        self.holds, self.go = threading.Event(), threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if query := scope.get("query_string"):
            self.begun.append(query.decode())
            self.holds.set()
            assert self.go.wait(30)
        await self.app(scope, receive, send)


def asks(port: int, word: str, *, at: str = "127.0.0.1", **headers: str) -> http.client.HTTPConnection:
    """Somebody at this address of the machine asks for a search; the answer is not waited for."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(at, 0))
    line.request(
        "GET", f"/en/{SLUG}/programme?q={word}", headers={name.replace("_", "-"): headers[name] for name in headers}
    )
    return line


CROWD = 25


@pytest.mark.parametrize("by", ["line", "proxy", "claims"])
def test_those_of_one_address_do_not_take_the_turns_of_others(by: str, sqlite_url: str) -> None:
    """`by` lines of their own; by a proxy that is believed, behind which the crowd has addresses of one network; or by
    lines on which each of the crowd claims to be somebody else."""
    app = create_app(settings_for(sqlite_url, TRUSTED_PROXIES="127.0.0.1" if by == "proxy" else ""))
    layer = bounded_in(app)
    layer.patience = 60
    layer.app = noting = Noting(layer.app)
    crowd_says = {"line": "", "proxy": "2001:db8:0:1::{0:x}", "claims": "203.0.113.{0}"}[by]
    other: dict[str, str] = {"x_forwarded_for": "2001:db8:0:2::1"} if by == "proxy" else {"at": "127.0.0.2"}
    with listening(app) as port:
        said = [{"x_forwarded_for": crowd_says.format(number)} if crowd_says else {} for number in range(CROWD)]
        lines = [asks(port, "crowd0", **said[0])]
        assert noting.holds.wait(30)
        lines += [asks(port, f"crowd{number}", **said[number]) for number in range(1, CROWD)]
        lines += [asks(port, f"other{number}", **other) for number in range(2)]
        time.sleep(0.2)  # the loop takes in whoever has come for as long as the last turn took
        noting.go.set()
        assert {_answer(line)[0] for line in lines} == {200}
    words = [query.removeprefix("q=") for query in noting.begun]
    assert words[:5] == ["crowd0", "crowd1", "other0", "crowd2", "other1"]
    assert words[5:] == [f"crowd{number}" for number in range(3, CROWD)]


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


def test_one_slow_page_such_as_the_first_of_a_process_turns_nobody_away(
    in_loop: Callable[[Callable[[], Any]], Any],
) -> None:
    async def first_slow(scope: Any, _receive: Any, send: Any) -> None:
        if scope["path"] == "/first":
            time.sleep(0.3)  # noqa: ASYNC251 - as rendering does
        await _say(200, send)

    layer = Bounded(first_slow, _away, patience=1.0)

    async def come() -> list[int]:
        for number in range(3):
            await ask(layer, f"/{number}")
        await ask(layer, "/first")
        await asyncio.sleep(0.05)  # its turn is reckoned with only now
        crowd = await asyncio.gather(*(ask(layer, f"/{number}") for number in range(100)))
        return [each.status for each in crowd]

    assert set(in_loop(come)) == {200}


def test_who_comes_from_elsewhere_is_answered_while_a_crowd_is_told_to_wait(
    in_loop: Callable[[Callable[[], Any]], Any],
) -> None:
    layer = Bounded(Slow(), _away, patience=0.3)

    async def known(scope: Any, receive: Any, send: Any) -> None:
        await layer({**scope, "client_address": scope["client"][0]}, receive, send)

    async def come() -> tuple[int, int]:
        await asyncio.gather(*(ask(known, f"/{number}") for number in range(10)))  # it learns its pace
        of_crowd = [asyncio.create_task(ask(known, f"/{number}")) for number in range(60)]
        await asyncio.sleep(0)
        more = await ask(known, "/more")
        other = await ask(known, "/other", peer="192.0.2.7")
        await asyncio.gather(*of_crowd)
        return more.status, other.status

    assert in_loop(come) == (503, 200)


@pytest.mark.postgres
def test_where_reads_run_in_threads_those_of_one_address_do_not_take_all_of_them(
    postgres_url: str, in_loop: Callable[[Callable[[], Any]], Any]
) -> None:
    site = bounded_in(create_app(settings_for(postgres_url))).app.state.site
    site.threads = Gate(1, seconds=5)
    go, begun = threading.Event(), []

    async def reads(who: str) -> None:
        asking.set(who[:-1])

        def query(db: Db) -> None:
            begun.append(who)
            assert go.wait(30)
            db.execute(text("SELECT 1"))

        await site.read(query)

    async def come() -> None:
        tasks = [asyncio.create_task(reads(who)) for who in ("crowd1", "crowd2", "crowd3", "other1")]
        await asyncio.sleep(0)
        assert site.threads.waiting == 3
        go.set()
        await asyncio.gather(*tasks)

    in_loop(come)
    assert begun == ["crowd1", "crowd2", "other1", "crowd3"]
    site.database.close()


def test_a_read_that_gets_no_thread_in_time_is_given_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert database.in_turn(lambda _db: 7)() == 7
    monkeypatch.setattr(kit_db, "SECONDS_TO_BE_READ", -1)
    with pytest.raises(Busy):
        database.in_turn(lambda _db: 7)()
