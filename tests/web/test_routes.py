"""Which route answers: the same one as if all of them were asked in turn."""

import asyncio
import re
from asyncio import gather
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from inspect import iscoroutinefunction, signature
from random import Random
from threading import current_thread

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Match

from app.web import desk_routes, routes
from app.web.routes import DESK, Desk, Page
from tests.breadth import SOAK

ROUTES = (*DESK.read().routes, *routes.ROUTES)
BRANCHES = routes.BRANCHES
DOORS = [(route.path, method) for route in ROUTES for method in route.methods or ()]
FILLED = {"lang": "km", "kind": "csv", "rest:path": "base/layout.css"}


def found(routes, method: str, path: str):
    """The match, and the template of the path that fits."""
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": [], "query_string": b""}
    nearly = (Match.NONE, "")
    for route in routes:
        match, child = route.matches(dict(scope))
        if match is not Match.NONE and nearly[0] is not Match.FULL and (match is Match.FULL or nearly[0] is Match.NONE):
            nearly = match, str(child.get("path_params"))
        if match is Match.FULL:
            break
    return nearly


def address_of(path: str) -> str:
    return re.sub(r"{([a-z:]+)}", lambda part: FILLED.get(part[1], "abcdefg"), path)


def test_every_address_of_every_router_is_there_in_their_order_with_its_methods() -> None:
    theirs = [
        (each.path, set(each.methods)) for router in (*desk_routes.ROUTERS, *routes.ROUTERS) for each in router.routes
    ]
    assert [(each.path, each.methods) for each in ROUTES] == theirs


def test_a_page_asks_for_the_request_and_the_words_of_its_address_alone() -> None:
    """Nothing else is given to it: no form, no question of the address, no dependency that would be solved."""
    pages = [each for each in ROUTES if isinstance(each, Page)]
    assert len(pages) > 200
    for page in pages:
        asks = signature(page.endpoint, eval_str=True).parameters
        first, *words = asks
        assert asks[first].annotation is Request, page
        assert set(words) == set(page.param_convertors), page
        assert {asks[word].annotation for word in words} <= {str}, page
        assert iscoroutinefunction(page.endpoint), page


def test_every_door_is_found_as_if_all_were_asked() -> None:
    for path, method in DOORS:
        assert found(BRANCHES, method, address_of(path)) == found(ROUTES, method, address_of(path)), path


def test_a_method_that_a_door_does_not_know_is_told_from_an_address_that_is_none() -> None:
    for path in sorted({path for path, _ in DOORS}):
        assert found(BRANCHES, "DELETE", address_of(path))[0] is Match.PARTIAL, path
    assert found(BRANCHES, "GET", "/desk/abcdefg/programme/reasons")[0] is Match.PARTIAL, "and is no page in a language"


@pytest.mark.parametrize("path", ["", "*", "/", "//", "/xx", "/desk", "/desk/", "/nothing/at/all/of/this/length", "x"])
def test_an_odd_address_is_no_fault(path: str) -> None:
    assert found(BRANCHES, "GET", path)[0] in set(Match)


WORDS = sorted({word for path, _ in DOORS for word in path.split("/")[1:] if "{" not in word})
ODD = (
    "",
    ".",
    "..",
    "en",
    "km",
    "ចុះឈ្មោះ",
    "x" * 70,
    "list.csv",
    "a.ics",
    "a.pdf",
    "new",
    "a b",
    "é",
    "A",
    "1",
    "\n",
    "%2F",
    ":path",
)
OURS = {path.split("/")[1] for path, _ in DOORS} - {"{lang}"}
OF_OURS = [route for route in ROUTES if route.path.split("/")[1] in OURS]
ADDRESSES = 100 * SOAK or 400


def whose(routes, method: str, path: str):
    """What answers: how well it fits, the route itself, and what it reads out of the address."""
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": [], "query_string": b""}
    best = (Match.NONE, None, "")
    for route in routes:
        match, child = route.matches(dict(scope))
        if match.value > best[0].value:
            best = match, child.get("route", route), str(child.get("path_params"))
        if match is Match.FULL:
            break
    return best


def test_an_address_of_any_words_is_answered_as_if_all_were_asked() -> None:
    """Words of ours where none of them stands, doors cut short or gone on, and what nobody has (a slash that was
    encoded is one like any other by now)."""
    chance, doors = Random(7), sorted({path for path, _ in DOORS})
    fits = dict.fromkeys(Match, 0)
    for _ in range(ADDRESSES):
        parts = chance.choice(doors).split("/")[1:]
        for place, part in enumerate(parts):
            if "{" in part and chance.random() < 0.7:
                parts[place] = address_of(part)
            elif "{" in part or chance.random() < 0.15:
                parts[place] = chance.choice((*WORDS, *ODD))
        parts = chance.choice([parts, parts, parts[:-1], [*parts, chance.choice(ODD)], ["", *parts]])
        method, path = chance.choice(["GET", "GET", "HEAD", "POST", "PUT", "OPTIONS"]), "/" + "/".join(parts)
        # no word of ours is a language, whatever a page in one would make of it
        answer = whose(BRANCHES, method, path)
        assert answer == whose(OF_OURS if path.split("/")[1] in OURS else ROUTES, method, path), (method, path)
        fits[answer[0]] += 1
    assert min(fits.values()) > ADDRESSES // 20, fits


def test_every_address_of_the_desk_begins_with_its_word_and_no_other_does() -> None:
    assert {each.path.split("/")[1] for each in DESK.read().routes} == {"desk"}
    assert "desk" not in {each.path.split("/")[1] for each in routes.ROUTES}


THE_LOOP = "the site's loop"


@pytest.fixture(params=[FastAPI, Starlette])
def unread(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[Callable[..., list[httpx2.Response]], list[str]]:
    """A site whose desk nobody came to, to be asked for several addresses at once; and which threads read its pages."""
    router, readers = APIRouter(), []

    @router.get("/desk/{forum}")
    async def at_the_desk(request: Request, forum: str) -> PlainTextResponse:
        return PlainTextResponse(f"{forum} {request.scope['route'].path}")

    class Readers(tuple):
        def __iter__(self):
            readers.append(current_thread().name)
            return super().__iter__()

    monkeypatch.setattr(desk_routes, "ROUTERS", Readers((router,)))
    site = request.param()
    site.router.routes.append(Desk())

    async def answers(method: str, addresses: tuple[str, ...]) -> list[httpx2.Response]:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(site), base_url="http://sala.test") as client:
            return await gather(*(client.request(method, each) for each in addresses))

    def ask(*addresses: str, method: str = "GET") -> list[httpx2.Response]:
        with ThreadPoolExecutor(1, THE_LOOP) as aside:  # a browser's tests have a loop in this thread
            return aside.submit(lambda: asyncio.run(answers(method, addresses))).result()

    return ask, readers


def test_the_first_who_comes_to_the_desk_is_answered_like_everybody_after(unread) -> None:
    ask, readers = unread
    for _ in range(2):
        (answer,) = ask("/desk/abc")
        assert (answer.status_code, answer.text) == (200, "abc /desk/{forum}")
    assert len(readers) == 1
    assert not readers[0].startswith(THE_LOOP), "it answers others meanwhile"


def test_many_who_come_first_at_once_are_all_answered_and_the_desk_is_read_once(unread) -> None:
    ask, readers = unread
    answers = ask(*(f"/desk/of-{each}" for each in range(20)))
    assert [each.text.split()[0] for each in answers] == [f"of-{each}" for each in range(20)]
    assert len(readers) == 1


def test_what_the_desk_does_not_have_is_told_to_the_first_who_comes_too(unread) -> None:
    ask, readers = unread
    assert ask("/desks/abc")[0].status_code == 404
    assert not readers, "and nobody came to the desk"
    assert [ask("/desk/abc/nothing")[0].status_code for _ in range(2)] == [404, 404]


def test_a_method_that_the_desk_does_not_know_is_told_to_the_first_who_comes_too(unread) -> None:
    ask, _ = unread
    (answer,) = ask("/desk/abc", method="POST")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
