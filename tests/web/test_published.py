import asyncio
import gzip
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import brotli
import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from app.kit.pen import republish
from app.web import published
from app.web.published import Published, publish
from tests.cast import NOW, SLUG
from tests.conftest import Clock, site_behind
from tests.web.asgi import ask

TEXT = "The Mekong rises. " * 100


class Pages:
    """A router behind the layer: it counts what it is asked and answers a page of one scope."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.looked = 0
        self.revision = 1
        self.valid_until: datetime | None = None
        self.text = TEXT
        self.going: asyncio.Event | None = None
        self.behind: tuple[str, int] | None = None
        """What the next answer is made of that was read before a change: a text and its revision."""
        self.layer = Published(self, self.look, entries=3, size=1 << 20)

    def look(self) -> dict[str, int]:
        self.looked += 1
        return {"forum": self.revision, "other": 1}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        assert scope["method"] != "HEAD", "routes know GET alone"
        if self.going:
            await self.going.wait()
        text, revision = self.behind or (self.text, self.revision)
        self.behind = None
        response = PlainTextResponse(text, headers={"last-modified": "Tue, 01 Dec 2026 02:00:00 GMT"})
        if scope["path"].startswith("/secret"):
            response.headers["cache-control"] = "private, no-store"
        elif not scope["path"].startswith("/plain"):
            name = "other" if scope["path"].startswith("/other") else "forum"
            publish(response, name, 1 if name == "other" else revision, self.valid_until)
        await response(scope, receive, send)

    def a_second_passes(self) -> None:
        self.layer._looked -= 1.0


@pytest.fixture
def pages() -> Pages:
    return Pages()


Run = Callable[[Callable[[], Any]], Any]


def test_a_published_page_is_rendered_once(pages: Pages, in_loop: Run):
    async def work() -> list[bytes]:
        return [(await ask(pages.layer, "/page")).body for _ in range(3)]

    assert in_loop(work) == [TEXT.encode()] * 3
    assert pages.asked == ["/page"]


def test_a_hundred_simultaneous_first_requests_render_once(pages: Pages, in_loop: Run):
    async def work() -> list[Any]:
        pages.going = asyncio.Event()
        waiting = [asyncio.create_task(ask(pages.layer, "/page")) for _ in range(100)]
        await asyncio.sleep(0)
        pages.going.set()
        return await asyncio.gather(*waiting)

    answers = in_loop(work)
    assert pages.asked == ["/page"]
    assert {(answer.status, answer.body) for answer in answers} == {(200, TEXT.encode())}


def test_who_waits_for_a_page_that_is_not_kept_asks_alone(pages: Pages, in_loop: Run):
    async def work() -> list[Any]:
        return await asyncio.gather(*(ask(pages.layer, "/plain") for _ in range(3)))

    assert [answer.status for answer in in_loop(work)] == [200, 200, 200]
    assert len(pages.asked) == 3


def test_who_waited_for_a_rendering_that_failed_gets_an_own_one(in_loop: Run):
    class FirstFails(Pages):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if not self.asked:
                self.asked.append("failed")
                await asyncio.sleep(0)
                raise RuntimeError("the first one broke")
            await super().__call__(scope, receive, send)

    pages = FirstFails()

    async def work() -> list[Any]:
        return await asyncio.gather(*(ask(pages.layer, "/page") for _ in range(3)), return_exceptions=True)

    first, second, third = in_loop(work)
    assert isinstance(first, RuntimeError)
    assert (second.status, third.status) == (200, 200)


def test_the_address_and_its_query_tell_pages_apart(pages: Pages, in_loop: Run):
    async def work() -> None:
        for query in ("", "day=1", "day=2", "day=1"):
            await ask(pages.layer, "/page", query=query)

    in_loop(work)
    assert len(pages.asked) == 3


def test_only_so_many_pages_are_kept_and_the_oldest_goes_first(pages: Pages, in_loop: Run):
    async def work() -> None:
        for number in (1, 2, 3, 4, 4, 1):
            await ask(pages.layer, f"/page{number}")

    in_loop(work)
    assert pages.asked == ["/page1", "/page2", "/page3", "/page4", "/page1"]


def test_a_look_that_took_long_does_not_undo_what_a_later_one_saw(pages: Pages, in_loop: Run):
    """On PostgreSQL, where revisions are read in a thread: the first look hangs, and answers what was true before."""
    hangs, begun, let_go = (threading.Event() for _ in range(3))

    def look() -> dict[str, int]:
        seen = pages.look()
        if hangs.is_set():
            hangs.clear()
            begun.set()
            let_go.wait(10)
        return seen

    pages.layer = Published(pages, look, apart=True)

    async def work() -> None:
        for path in ("/page", "/page2"):
            await ask(pages.layer, path)
        pages.a_second_passes()
        hangs.set()
        slow = asyncio.create_task(ask(pages.layer, "/page"))
        assert await asyncio.to_thread(begun.wait, 10)
        pages.revision, pages.text = 2, "what is new"
        pages.a_second_passes()
        await ask(pages.layer, "/page")
        let_go.set()
        await slow
        assert (await ask(pages.layer, "/page2")).body == b"what is new"

    in_loop(work)
    assert pages.looked == 2


def test_only_so_many_bytes_are_kept(in_loop: Run):
    pages = Pages()
    pages.layer = Published(pages, pages.look, entries=100, size=3 * (2 * len(TEXT) + 20))

    async def work() -> None:
        for number in (1, 2, 3, 4, 1):
            await ask(pages.layer, f"/page{number}")
        pages.text = "x" * 10 * len(TEXT)
        for _ in range(2):
            assert (await ask(pages.layer, "/large")).status == 200

    in_loop(work)
    assert pages.asked == ["/page1", "/page2", "/page3", "/page4", "/page1", "/large", "/large"]


def test_a_page_is_stale_a_second_after_its_revision(pages: Pages, in_loop: Run, monkeypatch: pytest.MonkeyPatch):
    now = 0.0
    monkeypatch.setattr(published, "time", SimpleNamespace(monotonic=lambda: now))

    async def work() -> list[tuple[bytes, int]]:
        nonlocal now
        await ask(pages.layer, "/page")
        await ask(pages.layer, "/page")  # kept, and its revision looked up
        pages.text, pages.revision = "new", 2
        found = []
        for each in (0.0, 0.0, 0.9, 1.0, 1.9, 2.0):
            now = each
            found.append(((await ask(pages.layer, "/page")).body, pages.looked))
        return found

    old, new = TEXT.encode(), b"new"
    assert in_loop(work) == [(old, 1), (old, 1), (old, 1), (new, 2), (new, 2), (new, 3)]


def test_who_waited_for_a_rendering_that_began_long_before_gets_what_is_published_since(pages: Pages, in_loop: Run):
    async def work() -> tuple[bytes, bytes]:
        pages.going, old = asyncio.Event(), pages.text
        first = asyncio.create_task(ask(pages.layer, "/page"))
        await asyncio.sleep(0)
        pages.text, pages.revision, pages.behind = "new", 2, (old, 1)
        waits = asyncio.create_task(ask(pages.layer, "/page"))
        await asyncio.sleep(0)
        pages.going.set()
        return (await first).body, (await waits).body

    assert in_loop(work) == (TEXT.encode(), b"new")
    assert pages.asked == ["/page", "/page"]


def test_the_revision_is_looked_up_once_a_second_at_most(pages: Pages, in_loop: Run):
    async def work() -> None:
        for _ in range(50):
            await ask(pages.layer, "/page")

    in_loop(work)
    assert pages.looked == 1


def test_a_page_rendered_before_a_change_that_was_seen_meanwhile_is_not_kept_for_long(pages: Pages, in_loop: Run):
    async def work() -> bytes:
        await ask(pages.layer, "/page")
        pages.revision = 2
        pages.a_second_passes()
        await ask(pages.layer, "/page")  # the layer knows of revision 2 now
        pages.revision = 1
        await ask(pages.layer, "/late")  # rendered from what was read before the change
        pages.text, pages.revision = "new", 2
        return (await ask(pages.layer, "/late")).body

    assert in_loop(work) == b"new"


def test_a_page_leaves_at_the_instant_it_says(pages: Pages, clock: Clock, in_loop: Run):
    pages.valid_until = NOW + timedelta(minutes=5)

    async def work() -> None:
        await ask(pages.layer, "/page")
        clock.move(seconds=299)
        await ask(pages.layer, "/page")
        clock.move(seconds=1)
        pages.valid_until = None
        await ask(pages.layer, "/page")

    in_loop(work)
    assert len(pages.asked) == 2


def test_a_page_that_does_not_say_so_is_never_kept(pages: Pages, in_loop: Run):
    async def work() -> list[Any]:
        return [await ask(pages.layer, "/secret/my-token") for _ in range(2)]

    answers = in_loop(work)
    assert len(pages.asked) == 2
    assert not pages.layer._kept
    assert all("etag" not in answer.headers for answer in answers)


def test_no_answer_shows_how_it_was_marked(pages: Pages, in_loop: Run):
    assert "x-published" not in in_loop(lambda: ask(pages.layer, "/page")).headers


# ---- conditional requests, HEAD, encodings


def test_the_tag_is_strong_and_answers_304(pages: Pages, in_loop: Run):
    async def work() -> tuple[Any, Any]:
        first = await ask(pages.layer, "/page")
        return first, await ask(pages.layer, "/page", headers={"if-none-match": first.headers["etag"]})

    first, again = in_loop(work)
    assert first.headers["etag"].startswith('"')
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert "content-length" not in again.headers


def test_the_first_request_may_be_conditional_too(pages: Pages, in_loop: Run):
    async def work() -> int:
        return (await ask(pages.layer, "/page", headers={"if-none-match": "*"})).status

    assert in_loop(work) == 304


def test_other_bytes_have_another_tag(pages: Pages, in_loop: Run):
    async def work() -> set[str]:
        tags = {(await ask(pages.layer, "/a")).headers["etag"]}
        pages.text += "!"
        return tags | {(await ask(pages.layer, "/b")).headers["etag"]}

    assert len(in_loop(work)) == 2


def test_the_date_answers_304_only_without_a_tag(pages: Pages, in_loop: Run):
    later = "Tue, 01 Dec 2026 03:00:00 GMT"

    async def work() -> list[int]:
        sent = [{"if-modified-since": later}, {"if-modified-since": later, "if-none-match": '"other"'}]
        sent += [{"if-modified-since": "Mon, 30 Nov 2026 00:00:00 GMT"}, {"if-modified-since": "no date"}]
        return [(await ask(pages.layer, "/page", headers=headers)).status for headers in sent]

    assert in_loop(work) == [304, 200, 200, 200]


@pytest.mark.parametrize("path", ["/page", "/plain"])
def test_head_is_the_same_answer_without_its_body(pages: Pages, in_loop: Run, path: str):
    async def work() -> tuple[Any, Any]:
        return await ask(pages.layer, path, method="HEAD"), await ask(pages.layer, path)

    head, get = in_loop(work)
    assert (head.status, head.body) == (200, b"")
    assert head.headers == get.headers
    assert head.headers["content-length"] == str(len(TEXT))


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [
        ("br", "br"),
        ("gzip, deflate, br;q=0.9", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("GZIP", "gzip"),
        ("identity", ""),
        ("br;q=0.0", ""),
        ("", ""),
    ],
)
def test_the_bytes_come_as_the_client_takes_them(pages: Pages, in_loop: Run, accepts: str, encoding: str):
    answer = in_loop(lambda: ask(pages.layer, "/page", headers={"accept-encoding": accepts}))
    unpacked = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}[encoding](answer.body)
    assert unpacked == TEXT.encode()
    assert answer.headers.get("content-encoding", "") == encoding
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["vary"] == "accept-encoding"


def test_each_encoding_has_a_tag_of_its_own(pages: Pages, in_loop: Run):
    async def work() -> set[str]:
        return {
            (await ask(pages.layer, "/page", headers={"accept-encoding": accepts})).headers["etag"]
            for accepts in ("br", "gzip", "")
        }

    assert len(in_loop(work)) == 3


def test_what_is_short_is_not_compressed(pages: Pages, in_loop: Run):
    pages.text = "short"
    answer = in_loop(lambda: ask(pages.layer, "/page", headers={"accept-encoding": "br"}))
    assert "content-encoding" not in answer.headers


def test_what_is_sent_is_never_kept(pages: Pages, in_loop: Run):
    async def work() -> None:
        for _ in range(2):
            await ask(pages.layer, "/page", method="POST")

    in_loop(work)
    assert len(pages.asked) == 2


# ---- what was answered before in the same words


def test_the_words_of_one_who_was_answered_open_nothing_to_a_name_that_is_not_the_sites(in_loop: Run):
    pages = Pages()
    ours = (b"host", b"localhost")
    pages.layer._serves = lambda headers: [each for each in headers if each[0] == b"host"] == [ours]
    foreign = ([("host", "elsewhere.example")], [("host", "elsewhere.example"), ("host", "localhost")], [])

    async def work() -> list[int]:
        for _ in range(2):
            await ask(pages.layer, "/page")
        before = len(pages.asked)
        for raw in foreign:
            await ask(pages.layer, "/page", raw_headers=raw)
        return [before, len(pages.asked)]

    assert in_loop(work) == [1, 4], "what is not the site's is passed on to whoever refuses it"


def test_whoever_asks_in_the_same_words_gets_the_same_and_other_words_their_own(pages: Pages, in_loop: Run):
    async def work() -> None:
        whole = await ask(pages.layer, "/page", headers={"accept-encoding": "br"})
        tag = whole.headers["etag"]
        for _ in range(2):
            again = await ask(pages.layer, "/page", headers={"accept-encoding": "br"})
            assert (again.status, again.body, again.headers["etag"]) == (200, whole.body, tag)
            same = await ask(pages.layer, "/page", headers={"accept-encoding": "br", "if-none-match": tag})
            assert (same.status, same.body) == (304, b"")
            head = await ask(pages.layer, "/page", method="HEAD", headers={"accept-encoding": "br"})
            assert (head.status, head.body, head.headers["etag"]) == (200, b"", tag)
            plain = await ask(pages.layer, "/page")
            assert (plain.status, plain.body) == (200, TEXT.encode())
            assert plain.headers["etag"] != tag
            twice = [("host", "localhost"), ("if-none-match", '"another"'), ("if-none-match", plain.headers["etag"])]
            assert (await ask(pages.layer, "/page", raw_headers=twice)).status == 304
            last = [("host", "localhost"), ("if-none-match", plain.headers["etag"])]
            assert (await ask(pages.layer, "/page", raw_headers=last)).status == 304

    in_loop(work)
    assert pages.asked == ["/page"]


def test_a_page_that_changed_is_not_given_in_words_that_were_answered_before(pages: Pages, in_loop: Run):
    async def work() -> list[bytes]:
        for _ in range(2):
            await ask(pages.layer, "/page")
        pages.text, pages.revision = "Other words", 2
        pages.a_second_passes()
        return [(await ask(pages.layer, "/page")).body for _ in range(2)]

    assert in_loop(work) == [b"Other words"] * 2


def test_nor_where_somebody_elses_page_had_the_revisions_looked_up(pages: Pages, in_loop: Run):
    async def work() -> bytes:
        for path in ("/page", "/other", "/page", "/other"):
            await ask(pages.layer, path)
        pages.text, pages.revision = "Other words", 2
        pages.a_second_passes()
        await ask(pages.layer, "/other")
        return (await ask(pages.layer, "/page")).body

    assert in_loop(work) == b"Other words"


def test_nobody_fills_the_memory_with_words(pages: Pages, in_loop: Run):
    async def work() -> None:
        for number in range(20):
            await ask(pages.layer, "/page", headers={"if-none-match": f'"{number}{"x" * 1000}"'})
            await ask(pages.layer, "/page", headers={"if-none-match": f'"{number}"'})

    in_loop(work)
    held = [asked for asked in pages.layer._ready if asked[0] == "/page"]
    assert 0 < len(held) <= pages.layer._limit
    assert max(len(word or "") for asked in held for word in asked) < 300


# ---- the layer before the real site


def test_a_forums_page_is_new_a_second_after_the_forum_changed(client: TestClient):
    path = f"/en/{SLUG}"
    layer: Any = client.app
    first = client.get(path)
    assert client.get(path, headers={"if-none-match": first.headers["etag"]}).status_code == 304
    site_behind(client).pen.write_now(SLUG, lambda db: republish(db, SLUG))
    assert (path, b"") in layer._kept
    kept = layer._kept[(path, b"")]
    layer._looked = float("-inf")
    assert client.get(path).status_code == 200
    assert layer._kept[(path, b"")] is not kept


def test_a_persons_own_page_is_never_kept(client: TestClient):
    from app.registration.applying import manage_token
    from tests.cast import SECRET, make_application

    row = site_behind(client).pen.write_now(SLUG, make_application)
    path = f"/en/my/{manage_token(SECRET, row.id, 1)}"
    answer = client.get(path)
    layer: Any = client.app
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
    assert "etag" not in answer.headers
    assert not [key for key in layer._kept if "/my/" in key[0]]


def test_the_clock_of_a_page_is_utc():
    response = publish(PlainTextResponse(""), "forum", 3, datetime(2026, 12, 1, tzinfo=UTC))
    assert response.headers["x-published"] == "forum 3 1796083200.0"


@pytest.mark.parametrize("path", ["/page", "/plain"])
def test_a_reader_who_does_not_read_holds_nobody_up(pages: Pages, in_loop: Run, path: str):
    async def work() -> Any:
        never = asyncio.Event()

        async def blocked(_message: Any) -> None:
            await never.wait()

        async def nothing() -> Any:
            return {"type": "http.request", "body": b""}

        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
        stuck = asyncio.create_task(pages.layer(scope, nothing, blocked))
        await asyncio.sleep(0)
        answer = await asyncio.wait_for(ask(pages.layer, path), 5)
        stuck.cancel()
        return answer

    assert in_loop(work).body == TEXT.encode()


def test_what_is_published_is_still_served_while_the_database_does_not_answer(
    pages: Pages, in_loop: Run, caplog: pytest.LogCaptureFixture
):
    async def work() -> Any:
        await ask(pages.layer, "/page")
        pages.layer._revisions = lost
        pages.a_second_passes()
        return await ask(pages.layer, "/page")

    def lost() -> dict[str, int]:
        raise OSError("the database is away")

    assert in_loop(work).body == TEXT.encode()
    assert "could not be read" in caplog.text


def test_a_file_of_the_look_is_kept_once_and_not_for_each_query_that_anybody_adds(
    client: TestClient, site: Any
) -> None:
    address, layer = site.assets.url("base/layout.css"), client.app
    client.get(address)
    kept = layer.size
    for number in range(3):
        assert client.get(f"{address}?{number}").status_code == 200
    assert layer.size == kept > 0
