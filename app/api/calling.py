"""One request with its bearer: who calls, what is read, and a deed written once however often it is sent."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Header, Path
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.actor import Actor
from app.api.limits import Limits
from app.api.problems import (
    KEPT_BY_NOBODY,
    BadRequest,
    NotAcceptable,
    NotJson,
    Stale,
    Unauthorized,
    UnseenChange,
)
from app.forum.models import Forum
from app.forum.queries import forum_by_slug
from app.forum.tokens import Bearer, bearer_of, is_token, note_use
from app.kit import clock
from app.kit.db import Database, Db
from app.kit.errors import Busy, Forbidden, NotFound, TooMany
from app.kit.pen import SITE, Pen
from app.kit.repeating import Given, answer_given, keep_answer
from app.kit.settings import Settings
from app.kit.throttling import network
from app.registration.settling import settle_ahead

T = TypeVar("T")
JSON = "application/json"
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
Deed = Callable[[Db, Forum, datetime], BaseModel]
Query = Callable[[Db], T]


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the door while the program runs."""

    settings: Settings
    database: Database
    pen: Pen
    limits: Limits = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "limits", Limits(self.settings.api_per_minute))

    async def read(self, query: Query[T], *, replica: bool = False) -> T:
        """Run a query on a read-only view: inline on SQLite, where a thread costs more than it gives. With `replica`
        a replica may answer, see `Database.read`."""
        if self.database.is_sqlite:
            return self.database.read(query)
        return await run_in_threadpool(self.database.read, query, replica=replica)

    async def write(self, forum: str, deed: Callable[[Db], T], *, now: datetime) -> T:
        """Have a deed written in a forum's scope, and what is due before it as a deed of its own, in one commit."""

        def due(db: Db) -> Any:
            return settle_ahead(db, forum_by_slug(db, forum), now=now)

        before, answer = map(asyncio.wrap_future, self.pen.submit_together(forum, [due, deed]))
        await asyncio.gather(before, return_exceptions=True)
        done: T = await answer
        return done


class Door(APIRoute):
    """A route that knows its caller before anything else is read: no token, no answer but 401."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """FastAPI's handler behind the bearer, the limit, and the form of question and answer."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            behind: Behind = request.app.state.behind
            bearer = await _bearer(request, behind)
            _takes_json(request)
            await _brings_json(request)
            request.state.call = Call(request, behind, bearer)
            response: Response = await handle(request)
            return response

        return guarded


async def _bearer(request: Request, behind: Behind) -> Bearer:
    """Whose token came. Raises Unauthorized, TooMany, NotFound for another forum than the token's, and Forbidden
    where that forum asks for a second factor that its user has not."""
    now, sent = clock.now(), request.headers.getlist("authorization")
    scheme, _, token = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        raise Unauthorized
    text = token.strip()
    found = await behind.read(lambda db: bearer_of(db, text, now=now)) if is_token(text) else None
    caller = f"token:{found.token}" if found else f"from:{network(request.scope.get('client_address', ''))}"
    if seconds := behind.limits.wait(caller, now=now):
        raise TooMany("too_many", seconds=seconds, minutes=1)
    if found is None:
        raise Unauthorized("token_not_good")
    if request.path_params.get("forum", found.forum.slug) != found.forum.slug:
        raise NotFound
    if found.forum.second_factor and not found.actor.second_factor:
        raise Forbidden("second_factor_needed")
    if found.is_stale:
        with suppress(Busy):  # where too much waits, the next request notes it
            behind.pen.submit(SITE, lambda db: note_use(db, found.token, now=now))
    return found


def _takes_json(request: Request) -> None:
    """Raises NotAcceptable where the Accept header (RFC 9110 §12.5.1) has no place for JSON."""
    ranges = [part.partition(";") for part in request.headers.get("accept", "*/*").lower().split(",")]
    taken = {name.strip() for name, _, rest in ranges if not re.search(r"\bq=0(\.0*)?(;|$)", rest.replace(" ", ""))}
    if not taken & {JSON, "application/problem+json", "application/*", "*/*", ""}:
        raise NotAcceptable


async def _brings_json(request: Request) -> None:
    """Raises NotJson for a body that is said to be something else; BodyTooLarge comes from whoever counts it."""
    if request.method in {"GET", "HEAD"} or not await request.body():
        return
    kind, _, rest = request.headers.get("content-type", "").lower().partition(";")
    charset = rest.replace(" ", "").removeprefix("charset=").strip('"')
    if kind.strip() != JSON or charset not in {"", "utf-8", "utf8"}:
        raise NotJson


@dataclass(frozen=True, slots=True)
class Call:
    """One request of one bearer."""

    request: Request
    behind: Behind
    bearer: Bearer

    @property
    def by(self) -> Actor:
        return self.bearer.actor

    @property
    def forum(self) -> Forum:
        return self.bearer.forum

    @property
    def secret(self) -> bytes:
        """The key that links are computed with."""
        return self.behind.settings.secret_key

    async def one(self, query: Query[BaseModel]) -> Response:
        """A single thing as JSON with a strong ETag; 304 where the caller has just this."""
        return _one(await self.behind.read(query, replica=True), self.request.headers.get("if-none-match"))

    async def page(self, shape: type[BaseModel], query: Query[tuple[Sequence[Any], str]], **asked: Any) -> Response:
        """A list as JSON. `query` gives the rows and the mark of the last, "" where nothing follows; the address of
        what follows stands in the Link header (RFC 8288), with what was asked."""
        rows, mark = await self.behind.read(query, replica=True)
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
        now, slug = clock.now(), self.forum.slug
        key, digest = self._key(), await self._digest()
        wanted = _tags(self.request, needed=present is not None)

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

        given = await self.behind.write(slug, once, now=now)
        headers = {**KEPT_BY_NOBODY, **({"location": given.location} if given.location else {})}
        if present is not None:
            headers["etag"] = _tag(given.body)
        return Response(given.body, given.status, headers, media_type=JSON)

    async def remove(self, deed: Callable[[Db, Forum, datetime], Any], *, present: Any = None) -> Response:
        """Have something taken away (DELETE): 204, or what the deed raises. With `present` as `write`."""
        now, slug = clock.now(), self.forum.slug
        wanted = _tags(self.request, needed=present is not None)

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

    def _key(self) -> str:
        if self.request.method != "POST":
            return ""
        key = self.request.headers.get("idempotency-key", "")
        if not key:
            raise BadRequest("key_missing")
        if not _KEY.fullmatch(key):
            raise BadRequest("key_odd")
        return key

    async def _digest(self) -> str:
        asked = f"{self.request.method} {self.request.url.path}?{self.request.url.query}\n".encode()
        return hashlib.sha256(asked + await self.request.body()).hexdigest()


class _Listed(BaseModel):
    items: list[Any]
    after: str | None


def etag_of(shown: BaseModel) -> str:
    """The strong ETag of a thing: a digest of how it looks to this caller."""
    return _tag(shown.model_dump_json().encode())


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _one(shown: BaseModel, none_match: str | None) -> Response:
    body = shown.model_dump_json().encode()
    headers = {**KEPT_BY_NOBODY, "etag": _tag(body)}
    known = {tag.strip().removeprefix("W/") for tag in (none_match or "").split(",")}
    if none_match and known & {"*", headers["etag"]}:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=JSON)


def _tags(request: Request, *, needed: bool) -> set[str]:
    """The tags of If-Match (RFC 9110 §13.1.1), compared strongly. Raises UnseenChange where one is needed."""
    if not needed:
        return set()
    sent = request.headers.get("if-match", "")
    if not sent:
        raise UnseenChange("if_match_missing")
    return {tag.strip() for tag in sent.split(",")}


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
