"""One request with its bearer: who calls, what is read, and a deed written once however often it is sent."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Header, Path
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import ParamTypes
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.accounts.actor import Actor
from app.accounts.rules import Permission, Role
from app.api.headers import (
    JSON,
    asks_nothing_else,
    brings_json,
    brings_one_of,
    etag_of,
    knows,
    tag,
    tags,
    taken,
    takes_json,
)
from app.api.limits import Limits
from app.api.problems import (
    KEPT_BY_NOBODY,
    BadRequest,
    Stale,
    Unauthorized,
)
from app.forum.models import Forum
from app.forum.queries import forum_by_slug, forum_id
from app.forum.tokens import Bearer, bearer_of, is_token, note_use
from app.kit import clock
from app.kit.db import Database, Db
from app.kit.errors import Busy, Conflict, Forbidden, NotFound, TooMany
from app.kit.i18n import Lang, wished
from app.kit.pen import SITE, Pen
from app.kit.repeating import Given, answer_given, keep_answer
from app.kit.settings import Settings
from app.kit.throttling import network
from app.kit.turns import Gate
from app.registration.settling import settle_ahead

T = TypeVar("T")
FILES_AT_ONCE = 2
_SPOOLED = 1 << 20
"""Bytes of a file that are kept in memory while it comes."""
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
Deed = Callable[[Db, Forum, datetime], BaseModel]
Query = Callable[[Db], T]


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the door while the program runs."""

    settings: Settings
    database: Database
    pen: Pen
    reading_desk: asyncio.Semaphore
    """What takes a core for a while is done one after the other, together with what the pages were sent."""
    threads: Gate
    """Where readers wait for a thread, those of pages and programs by turns."""
    opening: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FILES_AT_ONCE))
    """Files that were sent and are whole in memory at one time."""
    limits: Limits = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "limits", Limits(self.settings.api_per_minute))

    async def read(self, query: Query[T], *, replica: bool = False) -> T:
        """Run a query on a read-only view: inline on SQLite, where a thread costs more than it gives. With `replica`
        a replica may answer, see `Database.read`."""
        if self.database.is_sqlite:
            return self.database.read(query)
        read = self.database.in_turn(query, replica=replica)
        async with self.threads.turn():
            return await run_in_threadpool(read)

    async def read_long(self, query: Query[T], *, replica: bool = False) -> T:
        """Run a query that reads a long table which was sent, in a thread and after those sent before."""
        async with self.reading_desk:
            return await run_in_threadpool(self.database.read, query, replica=replica)

    async def apart(self, make: Callable[[], T]) -> T:
        """Have a file made, likewise in a thread and after what came before."""
        async with self.reading_desk:
            return await run_in_threadpool(make)

    async def write(self, forum: str, deed: Callable[[Db], T], *, now: datetime) -> T:
        """Have a deed written in a forum's scope, and what is due before it as a deed of its own, in one commit."""

        def due(db: Db) -> Any:
            return settle_ahead(db, forum, now=now)

        before, answer = map(asyncio.wrap_future, self.pen.submit_together(forum, [due, deed]))
        await asyncio.gather(before, return_exceptions=True)
        done: T = await answer
        return done


class FileAnswer(Response):
    """What a route is declared with that answers with a file; `responses` names its media types."""


def file_sent(about: str, *kinds: str) -> dict[str, Any]:
    """How a route is declared (`openapi_extra`) that takes a file as its whole body: what it is, and the media types
    that are taken. The document and the door both read it."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    return {"requestBody": {"required": True, "description": about, "content": content}}


class Door(APIRoute):
    """A route that knows its caller before anything else is read: no token, no answer but 401.

    Names in the address that the operation does not know are refused. A file that is sent is not read before its route
    asks for it (`Call.file`). A route that declares media types for its 200 gives a file of the one that is wished for
    most (`giving.py`), or (FileAnswer) what there is; every other one gives JSON.
    """

    def get_route_handler(self) -> Callable[[Request], Any]:
        """FastAPI's handler behind the bearer, the limit, and the form of question and answer."""
        handle = super().get_route_handler()
        files = (self.openapi_extra or {}).get("requestBody", {}).get("content", {})
        told = self.responses.get(200, {}).get("content", {})
        given = tuple(told) if self.response_class is Response else ()
        gives_json = self.response_class is not FileAnswer
        # what a question's model holds says not where it stands, and is in the address
        elsewhere = {ParamTypes.path, ParamTypes.header, ParamTypes.cookie}
        params = get_flat_params(self.dependant)
        asked = frozenset(one.alias for one in params if getattr(one.field_info, "in_", None) not in elsewhere)

        async def guarded(request: Request) -> Response:
            behind: Behind = request.app.state.behind
            bearer = await _bearer(request, behind)
            kind = JSON
            if given:
                kind = taken(request, given)
            elif gives_json:
                takes_json(request)
            if files:
                brings_one_of(request, files)
            elif await brings_json(request):
                bearer = await _again(request, behind)
            asks_nothing_else(request, asked)
            request.state.call = Call(request, behind, bearer, kind)
            response: Response = await handle(request)
            return response

        return guarded


async def _bearer(request: Request, behind: Behind) -> Bearer:
    """Whose token came. Raises Unauthorized, TooMany, NotFound for another forum than the token's, and Forbidden
    where that forum asks for a second factor that its user has not."""
    now, found = clock.now(), await _found(request, behind)
    caller = f"token:{found.token}" if found else f"from:{network(request.scope.get('client_address', ''))}"
    if seconds := behind.limits.wait(caller, now=now):
        raise TooMany("too_many", seconds=seconds, minutes=1)
    if found is None:
        raise Unauthorized("token_not_good")
    if request.path_params.get("forum", found.forum.slug) != found.forum.slug:
        raise NotFound
    request.scope["signed_in"] = f"token:{found.token}"
    _must_have_its_factor(found)
    _note_use(behind, found, now)
    return found


async def _again(request: Request, behind: Behind) -> Bearer:
    """The same once a body has come, which takes as long as its sender likes: what counts are the roles at the deed.
    Raises Unauthorized, Forbidden."""
    found = await _found(request, behind)
    if found is None:
        raise Unauthorized("token_not_good")
    _must_have_its_factor(found)
    return found


async def _found(request: Request, behind: Behind) -> Bearer | None:
    """Whose token this is at this moment. Raises Unauthorized where none was sent."""
    now, sent = clock.now(), request.headers.getlist("authorization")
    scheme, _, token = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        raise Unauthorized
    text = token.strip()
    return await behind.read(lambda db: bearer_of(db, text, now=now)) if is_token(text) else None


def _must_have_its_factor(found: Bearer) -> None:
    if found.forum.second_factor and not found.actor.second_factor:
        raise Forbidden("second_factor_needed")


def _note_use(behind: Behind, bearer: Bearer, now: datetime) -> None:
    if bearer.is_stale:
        with suppress(Busy):  # where too much waits, the next request notes it
            behind.pen.submit(SITE, lambda db: note_use(db, bearer.token, now=now))


@dataclass(frozen=True, slots=True)
class Call:
    """One request of one bearer."""

    request: Request
    behind: Behind
    bearer: Bearer
    kind: str = JSON
    """The media type that the caller takes, of those the operation gives."""

    @property
    def by(self) -> Actor:
        return self.bearer.actor

    @property
    def forum(self) -> Forum:
        return self.bearer.forum

    @property
    def lang(self) -> Lang:
        """The language that sentences are in for this caller."""
        return wished(self.request.headers.get("accept-language", ""))

    @property
    def secret(self) -> bytes:
        """The key that links are computed with."""
        return self.behind.settings.secret_key

    async def seeing(self, token: str) -> Actor:
        """The caller as one who also sees the desk that a second token of theirs is for: a token knows one forum, and
        copying reads another. Nothing but that counts of it; somebody else's opens nothing, as one that is not good.

        Raises Forbidden("second_factor_needed") as of the first.
        """
        now = clock.now()
        found = await self.behind.read(lambda db: bearer_of(db, token, now=now)) if is_token(token) else None
        if found is None or found.actor.id != self.by.id or found.forum.slug == self.forum.slug:
            return self.by
        if found.forum.second_factor and not found.actor.second_factor:
            raise Forbidden("second_factor_needed")
        _note_use(self.behind, found, now)
        return replace(self.by, roles={**self.by.roles, forum_id(found.forum): frozenset({Role.VIEWER})})

    async def foreseen(self, query: Query[BaseModel], *, long: bool = False) -> Response:
        """What something that was sent would do, as JSON; nothing is written. With `long` read as a long table is."""
        shown = await (self.behind.read_long(query) if long else self.behind.read(query))
        return Response(shown.model_dump_json(), headers=KEPT_BY_NOBODY, media_type=JSON)

    @asynccontextmanager
    async def file(
        self, permission: Permission, present: Callable[[Db, Forum], BaseModel] | None = None
    ) -> AsyncIterator[bytes]:
        """The file that came as the body, for whoever has the permission and where there is what it belongs to: nobody
        else's is read. What comes slowly lies on the disk meanwhile, and few are whole in memory at one time. For a
        PUT or what only looks: no key's digest covers it.

        Raises Forbidden, NotFound; BodyTooLarge comes from whoever counts it.
        """
        self.by.must(permission, forum_id(self.forum))
        if present is not None:
            await self.behind.read(lambda db: present(db, self.forum))
        with SpooledTemporaryFile(max_size=_SPOOLED) as kept:
            async for piece in self.request.stream():
                kept.write(piece)
            (await _again(self.request, self.behind)).actor.must(permission, forum_id(self.forum))
            async with self.behind.opening:
                kept.seek(0)
                yield kept.read()

    async def one(self, query: Query[BaseModel], *, long: bool = False) -> Response:
        """A single thing as JSON with a strong ETag; 304 where the caller has just this. `long` as in `foreseen`."""
        read = self.behind.read_long if long else self.behind.read
        return self._whole(await read(query, replica=True))

    def _whole(self, shown: BaseModel) -> Response:
        body = shown.model_dump_json().encode()
        headers = {**KEPT_BY_NOBODY, "etag": tag(body)}
        if knows(self.request, headers["etag"]):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=JSON)

    def piecewise(
        self, pieces: AsyncIterable[bytes] | Iterable[bytes], *, kind: str, name: str, size: int, of: BaseModel
    ) -> Response:
        """A file as an answer, to be kept and not shown; its ETag is that of the thing it belongs to, so that either
        may be held against an If-Match."""
        headers = {**KEPT_BY_NOBODY, "etag": etag_of(of), "content-disposition": f'attachment; filename="{name}"'}
        headers["content-security-policy"] = "sandbox; default-src 'none'"
        if knows(self.request, headers["etag"]):
            return Response(status_code=304, headers=headers)
        return StreamingResponse(pieces, headers={**headers, "content-length": str(size)}, media_type=kind)

    async def page(
        self, shape: type[BaseModel], query: Query[tuple[Sequence[Any], str]], *, long: bool = False, **asked: Any
    ) -> Response:
        """A list as JSON. `query` gives the rows and the mark of the last, "" where nothing follows; the address of
        what follows stands in the Link header (RFC 8288), with what was asked. `long` as in `foreseen`: a part of it
        takes reading the whole forum."""
        read = self.behind.read_long if long else self.behind.read
        rows, mark = await read(query, replica=True)
        shown = [shape.model_validate(row, from_attributes=True).model_dump(mode="json") for row in rows]
        headers = dict(KEPT_BY_NOBODY)
        if mark:
            kept = {name: value for name, value in asked.items() if value}
            question = urlencode({**kept, "after": mark}, doseq=True)
            address = f"{self.behind.settings.base_url}{self.request.url.path}?{question}"
            headers["link"] = f'<{address}>; rel="next"'
        body = _Listed(items=shown, after=mark or None).model_dump_json()
        return Response(body, headers=headers, media_type=JSON)

    async def write(
        self,
        deed: Deed,
        *,
        status: int = 200,
        made: str = "",
        present: Callable[[Db, Forum], BaseModel] | None = None,
    ) -> Response:
        """Have a deed written, and answer with what it gives.

        A POST carries an Idempotency-Key: the same request with the same key is answered with the same bytes and done
        once, because the answer is kept in the deed's own transaction. A deed that was refused wrote nothing and kept
        no answer. With `present` a change is held against the If-Match that was sent. `made` names the field of the
        answer under which the new thing stands below this address.

        Raises BadRequest("key_missing"), BadRequest("key_odd"), Refused("key_used"), UnseenChange, Stale, and what the
        deed raises.
        """
        given = await self._written(deed, status=status, made=made, present=present)
        headers = {**KEPT_BY_NOBODY, **({"location": given.location} if given.location else {})}
        if present is not None:
            headers["etag"] = tag(given.body)
        return Response(given.body, given.status, headers, media_type=JSON)

    async def piece(self, deed: Deed, *, scope: str, name: str = "") -> bytes:
        """One of several deeds of one POST, each in a transaction of its own in the scope of the forum with this slug;
        what it answers, as JSON. Each but the first has a `name`, and each is done once however often the request is
        sent, so that one that was cut off between them goes on where it stopped. Raises as `write`."""
        return (await self._written(deed, name=name, scope=scope)).body

    async def _written(
        self,
        deed: Deed,
        *,
        status: int = 200,
        made: str = "",
        present: Callable[[Db, Forum], BaseModel] | None = None,
        name: str = "",
        scope: str = "",
    ) -> Given:
        now, slug = clock.now(), self.forum.slug
        key = self._key(name)
        digest = await self._digest() if key else ""
        wanted = tags(self.request, needed=present is not None)

        def once(db: Db) -> Given:
            if key and (given := answer_given(db, self._caller, key, digest)):
                return given
            forum = forum_by_slug(db, slug)
            if present is not None and not wanted & {"*", etag_of(present(db, forum))}:
                raise Stale("stale")
            shown = deed(db, forum, now)
            where = f"{self.request.url.path}/{getattr(shown, made)}" if made else ""
            given = Given(status, shown.model_dump_json().encode(), where)
            if key:
                keep_answer(db, self._caller, key, digest, given, now=now)
            return given

        return await self.behind.write(scope or slug, once, now=now)

    async def note(
        self,
        deed: Callable[[Db, Forum, datetime], Mapping[str, Any]],
        seen: Callable[[Db], str],
    ) -> Mapping[str, Any]:
        """Have it noted that a file leaves, and give what the deed tells of it (JSON values).

        The file is kept nowhere: it holds people, and is made of what there is. `seen` says what it is made of, when
        the deed is done; what the deed told is kept with that under the Idempotency-Key. The same request finds both:
        where the file would be the same, it is given again and no second fact written; where it would not, the request
        is refused, so that nothing leaves but what was noted.

        Raises as `write`; Conflict("file_changed").
        """
        now, slug = clock.now(), self.forum.slug
        key, digest = self._key(), await self._digest()

        def once(db: Db) -> dict[str, Any]:
            forum = forum_by_slug(db, slug)
            if given := answer_given(db, self._caller, key, digest):
                kept: dict[str, Any] = json.loads(given.body)
                if kept.pop("seen") != seen(db):
                    raise Conflict("file_changed")
                return kept
            told = dict(deed(db, forum, now))
            kept = {**told, "seen": seen(db)}
            keep_answer(db, self._caller, key, digest, Given(200, json.dumps(kept).encode()), now=now)
            return told

        return await self.behind.write(slug, once, now=now)

    async def remove(self, deed: Callable[[Db, Forum, datetime], Any], *, present: Any = None) -> Response:
        """Have something taken away (DELETE): 204, or what the deed raises. With `present` as `write`."""
        now, slug = clock.now(), self.forum.slug
        wanted = tags(self.request, needed=present is not None)

        def once(db: Db) -> None:
            forum = forum_by_slug(db, slug)
            if present is not None and not wanted & {"*", etag_of(present(db, forum))}:
                raise Stale("stale")
            deed(db, forum, now)

        await self.behind.write(slug, once, now=now)
        return Response(status_code=204, headers=KEPT_BY_NOBODY)

    @property
    def key(self) -> str:
        """The request's own key, as a form's request key is: for deeds that know one themselves."""
        return hashlib.sha256(f"{self._caller}/{self._key()}".encode()).hexdigest()[:32]

    @property
    def _caller(self) -> str:
        return f"token:{self.bearer.token}"

    def _key(self, piece: str = "") -> str:
        """The key of the request, or that of a piece of it; "" where it takes none."""
        if self.request.method != "POST":
            return ""
        key = self.request.headers.get("idempotency-key", "")
        if not key:
            raise BadRequest("key_missing")
        if not _KEY.fullmatch(key):
            raise BadRequest("key_odd")
        return hashlib.sha256(f"{piece}/{key}".encode()).hexdigest() if piece else key

    async def _digest(self) -> str:
        # a fact says as which kind a list left, so that it is not sent again as another
        kind = "" if self.kind == JSON else f" {self.kind}"
        asked = f"{self.request.method} {self.request.url.path}?{self.request.url.query}{kind}\n".encode()
        return hashlib.sha256(asked + await self.request.body()).hexdigest()


class _Listed(BaseModel):
    items: list[Any]
    after: str | None


def _called(request: Request, forum: Annotated[str, Path(description="The forum's slug.")]) -> Call:
    assert forum  # noqa: S101 - the door has held it against the token's forum
    call: Call = request.state.call
    return call


def _writing(
    call: Annotated[Call, Depends(_called)],
    idempotency_key: Annotated[
        str,
        Header(
            description="Any text of your own, a new one for each thing to be done. The same request with the same key"
            " is done once.",
            examples=["5b0a8f1e-7d0c-4a51-9a55-f3b7a2a2f0b4"],
        ),
    ] = "",
) -> Call:
    assert idempotency_key is not None  # noqa: S101 - the call reads it itself, here it is described
    return call


def _matching(
    call: Annotated[Call, Depends(_called)],
    if_match: Annotated[str, Header(description="The ETag of what you have seen.", examples=['"4f1c…"'])] = "",
) -> Call:
    assert if_match is not None  # noqa: S101 - the call reads it itself, here it is described
    return call


Reading = Annotated[Call, Depends(_called)]
Writing = Annotated[Call, Depends(_writing)]
Matching = Annotated[Call, Depends(_matching)]
