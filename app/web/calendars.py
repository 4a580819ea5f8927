"""Calendar files: the public ones kept by the bytes layer, the personal ones joined for each request.

Each public one is there as jCal (RFC 7265) too, at the same address with `.json`.
"""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.calendars import delegations, desk, feeds, personal, speaking
from app.calendars.feeds import Feed, as_jcal
from app.calendars.shelves import Shelf
from app.forum.queries import for_everybody
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import NotFound
from app.web import pages
from app.web.conditional import http_date, unchanged
from app.web.headers import FEED, OWN_FEED
from app.web.published import publish
from app.web.site import Site, site_of

router = APIRouter()
own_router = APIRouter()
"""The personal calendars: asked before all others, because applications ask for them all day and each router in front
costs a look at its addresses."""


@router.get("/{lang}/{forum}/calendar.ics")
@router.get("/{lang}/{forum}/calendar.json")
async def whole_forum(request: Request, lang: str, forum: str) -> Response:
    return await _public(request, lang, forum, lambda shelf: feeds.whole_forum(shelf, now=clock.now()))


@router.get("/{lang}/{forum}/days/{on}.ics")
@router.get("/{lang}/{forum}/days/{on}.json")
async def day(request: Request, lang: str, forum: str, on: str) -> Response:
    known = _day(on)
    return await _public(request, lang, forum, lambda shelf: feeds.of_day(shelf, known, now=clock.now()))


@router.get("/{lang}/{forum}/tracks/{slug}.ics")
@router.get("/{lang}/{forum}/tracks/{slug}.json")
async def track(request: Request, lang: str, forum: str, slug: str) -> Response:
    known = pages.slug(slug)
    return await _public(request, lang, forum, lambda shelf: feeds.of_track(shelf, known, now=clock.now()))


@router.get("/{lang}/{forum}/sessions/{code}.ics")
@router.get("/{lang}/{forum}/sessions/{code}.json")
async def session(request: Request, lang: str, forum: str, code: str) -> Response:
    known = pages.code(code)
    return await _public(request, lang, forum, lambda shelf: feeds.of_session(shelf, known, now=clock.now()))


@router.get("/{lang}/{forum}/speakers/{code}.ics")
@router.get("/{lang}/{forum}/speakers/{code}.json")
async def speaker(request: Request, lang: str, forum: str, code: str) -> Response:
    known = pages.slug(code)
    return await _public(request, lang, forum, lambda shelf: feeds.of_speaker(shelf, known, now=clock.now()))


async def own(request: Request) -> Response:
    """A private calendar, whoever asks with its token; unknown ones are not found, without a way to sign in."""
    site, token, moment = site_of(request), pages.token(request.path_params["token"]), time.monotonic()
    feed = site.recent.get(token, moment)
    if feed is None:
        feed = await site.read(lambda db: _own(db, site, token), replica=True)
        site.recent.keep(token, moment, feed)
    return _conditional(request, feed, OWN_FEED)


# a plain route, because FastAPI's own cost more than the whole answer
own_router.add_route("/calendars/{token}.ics", own, methods=["GET"])


def _own(db: Db, site: Site, token: str) -> Feed:
    for holder_of, make in _KINDS:
        holder = holder_of(db, token)
        if holder is not None:
            shelf = site.shelves.at(db, holder.forum, holder.lang, site.settings.base_url)
            return make(shelf, holder, token, now=clock.now())
    raise NotFound


_KINDS: tuple[tuple[Callable[[Db, str], Any], Callable[..., Feed]], ...] = (
    (personal.holder_of, personal.personal),
    (delegations.delegation_holder, delegations.of_delegation),
    (speaking.speaker_holder, speaking.of_own_sessions),
    (desk.desk_holder, desk.of_desk),
)
"""Who may hold a private calendar, the most frequent first, and how theirs is made."""


async def _public(request: Request, lang: str, forum: str, make: Callable[[Shelf], Feed]) -> Response:
    """A public feed, kept by the layer until the forum's revision grows or a cancelled session's time is over."""
    known, name, site = pages.language(lang), pages.slug(forum), site_of(request)

    def read(db: Db) -> Feed:
        shelf = site.shelves.at(db, name, known, site.settings.base_url)
        for_everybody(shelf.forum)
        return make(shelf)

    feed = await site.read(read)
    if request.url.path.endswith(".json"):
        feed = as_jcal(feed)
    if request.url.query:  # not kept: anybody could fill the memory with addresses of their own making
        return _conditional(request, feed, FEED)
    return publish(_file(feed, FEED), feed.forum, feed.revision, feed.valid_until)


def _conditional(request: Request, feed: Feed, cache_control: str) -> Response:
    """The feed, or 304 where the reader has it: for what the layer in front, which else sees to it, does not keep."""
    response = _file(feed, cache_control)
    response.headers["etag"] = feed.etag
    if not unchanged(feed.etag.encode(), feed.last_modified.timestamp(), request.headers.raw):
        return response
    kept = {name: response.headers[name] for name in ("etag", "last-modified", "cache-control")}
    return Response(status_code=304, headers=kept)


def _file(feed: Feed, cache_control: str) -> Response:
    headers = {
        "last-modified": http_date(feed.last_modified),
        "cache-control": cache_control,
        "content-disposition": f'inline; filename="{feed.file_name}"',
    }
    return Response(feed.body, headers=headers, media_type=feed.media_type)


def _day(text: str) -> date:
    """A day as addresses write it, 2027-03-23. Raises NotFound for any other form, so that it has one address."""
    try:
        on = date.fromisoformat(text)
    except ValueError:
        raise NotFound from None
    if on.isoformat() != text:
        raise NotFound
    return on
