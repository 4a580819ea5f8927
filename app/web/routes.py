"""Every router of the HTML door but the desk's, in the order they are asked, and which of them are asked at all."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import wraps
from threading import Lock

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from app.web import (
    account,
    api_docs,
    calendars,
    changes,
    delegation,
    delegation_list,
    exports,
    health,
    home,
    invitations,
    login,
    materials,
    my,
    my_companions,
    my_data,
    my_letters,
    my_sessions,
    opting_out,
    passkeys,
    photographs,
    pictures,
    printed,
    programme,
    registration,
    second_factor,
    speakers,
    speaking,
    static,
    subscribing,
    themes,
    tokens,
    versions,
)

ROUTERS: tuple[APIRouter, ...] = (
    calendars.own_router,
    static.router,
    health.router,
    account.router,
    api_docs.router,
    tokens.router,
    second_factor.router,  # before the links: none is called "code"
    passkeys.router,  # nor "passkey"
    login.router,  # before the forums: neither /login nor /desk nor /{lang}/my is one
    my.router,
    my_data.router,
    my_sessions.router,
    invitations.router,
    speaking.router,
    my_companions.router,
    my_letters.router,
    opting_out.router,
    delegation_list.router,  # its empty tables before a delegation's page: no secret is called list.csv
    delegation.router,
    exports.router,  # before pages: neither a forum nor a session is called like a file
    printed.router,
    pictures.router,
    photographs.router,
    calendars.router,  # before pages whose last part would take `….ics` for a code
    home.router,
    changes.router,  # before the sessions: none has the code "changes"
    versions.router,
    themes.router,
    materials.router,
    programme.router,
    speakers.router,
    subscribing.router,
    registration.router,
)


class Page(Route):
    """A page at its address: it is given the request and the words of the address, and nothing is worked out for it.

    FastAPI's own routes find out for each request what a page wants of it, which took longer than a page that is ready.
    """

    def __init__(self, path: str, page: Callable[..., Awaitable[Response]], methods: set[str]) -> None:
        @wraps(page)
        async def answered(request: Request) -> Response:
            return await page(request, **request.path_params)

        super().__init__(path, answered, methods=methods)
        self.methods = methods  # without HEAD, which `app.web.published` makes of GET


def _pages(routers: Iterable[APIRouter]) -> tuple[Route, ...]:
    found: list[Route] = []
    for router in routers:
        for each in router.routes:
            assert isinstance(each, Route)  # noqa: S101 - nothing else is in them
            is_page = isinstance(each, APIRoute)
            found.append(Page(each.path, each.endpoint, set(each.methods or ())) if is_page else each)
    return tuple(found)


class Branch(BaseRoute):
    """Routes that are asked in turn where an address begins as `begins` says; every other address is spared that.

    Of those only the ones are asked that have the second and third word of the address: the same ones for all addresses
    in which none of our own words stands there.
    """

    def __init__(self, begins: Callable[[str], bool], routes: Sequence[Route]) -> None:
        self.routes = routes
        self._begins = begins
        self._shapes = [(route, _shape(route.path)) for route in routes]
        self._words = [{shape[place] for _, shape in self._shapes} - {None} for place in (0, 1)]
        self._likely: dict[tuple[str | None, ...], tuple[Route, ...]] = {}

    def _asked(self, path: str) -> tuple[Route, ...]:
        words = zip((*path.split("/", 4)[2:4], "", ""), self._words, strict=False)
        said = tuple(word if word in ours else None for word, ours in words)
        if said not in self._likely:
            fitting = [route for route, shape in self._shapes if _fits(shape, said)]
            self._likely[said] = tuple(fitting)
        return self._likely[said]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As a router does: the first that fits wholly, else the first whose address fits and whose method does not.
        The scope is told which (`route`): by its template a request is counted."""
        nearly: tuple[Match, Scope] = (Match.NONE, {})
        if self._begins(scope["path"][1:].partition("/")[0]):
            for route in self._asked(scope["path"]):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    return match, {**found, "route": route}
                if match is Match.PARTIAL and nearly[0] is Match.NONE:
                    nearly = match, {**found, "route": route}
        return nearly

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the route that was found."""
        await scope["route"].handle(scope, receive, send)


class Desk(BaseRoute):
    """The desk's branch, read when somebody first comes to the desk: its modules are a tenth of a start's time, and a
    site that starts is looked at by the public first. No address of the desk is another branch's."""

    def __init__(self) -> None:
        self._branch: Branch | None = None
        self._reading = Lock()

    def read(self) -> Branch:
        """The branch; the first call takes a fifth of a second, another one meanwhile waits for it."""
        if self._branch is None:
            from app.web.desk_routes import ROUTERS  # noqa: PLC0415 - as the class says

            with self._reading:
                self._branch = self._branch or Branch(_of_the_desk, _pages(ROUTERS))
        return self._branch

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As the branch says; before it is read, every address of the desk."""
        if self._branch is None:
            return (Match.FULL, {}) if _of_the_desk(scope["path"][1:].partition("/")[0]) else (Match.NONE, {})
        return self._branch.matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the route that was found, or is now; not found as by a router. The loop reads nothing itself."""
        if scope.get("route", self) is self:  # Starlette's router names what it found, FastAPI's does not
            branch = await run_in_threadpool(self.read)
            match, found = branch.matches(scope)
            if match is Match.NONE:
                scope.pop("route", None)
                raise HTTPException(404)
            scope.update(found)
        await scope["route"].handle(scope, receive, send)


_Shape = tuple[str | None, ...]


def _shape(path: str) -> _Shape:
    """The second and third word of a route's address, "" where it has none; None where anything may stand."""
    words: list[str | None] = []
    for word in (*path.split("/")[1:4], "", "")[:3]:
        anything = "{" in word or bool(words and words[-1] is None and ":path}" in path)
        words.append(None if anything else word)
    return tuple(words[1:])


def _fits(shape: _Shape, said: _Shape) -> bool:
    return all(mine is None or mine == word for mine, word in zip(shape, said, strict=True))


def _of_the_desk(first: str) -> bool:
    return first == "desk"


def _branches() -> tuple[BaseRoute, ...]:
    """The routes by the first word of their addresses: the desk's, other words of ours, and then what is a language's.

    A hundred routers asked in turn took a tenth of a registration.
    """
    known = [(route, route.path.split("/", 2)[1]) for route in ROUTES]
    words = {"desk", *(first for _, first in known if first != "{lang}")}
    ours = [route for route, first in known if first != "{lang}"]
    rest = [route for route, first in known if first == "{lang}"]
    return (
        DESK,
        Branch(lambda first: first in words, ours),
        Branch(lambda first: first not in words, rest),
    )


ROUTES = _pages(ROUTERS)
"""Those of everybody's pages; the desk's are `DESK.read().routes`."""
DESK = Desk()
BRANCHES = _branches()
