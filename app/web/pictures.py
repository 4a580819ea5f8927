"""The picture that messengers show where an address of the forum is passed on: the forum's, and one of each session."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.kit.errors import NotFound
from app.kit.i18n import days, text_of
from app.programme.published import PublishedSession
from app.web.cards import card
from app.web.headers import PUBLISHED
from app.web.pages import code as code_of
from app.web.public import Public, public
from app.web.published import publish
from app.web.site import site_of

router = APIRouter()
MOST_LETTERS = 180
"""Of a title; what is longer ends in dots, as a picture has one size."""


@router.get("/{lang}/{forum}/picture.png")
async def of_forum(request: Request, lang: str, forum: str) -> Response:
    """The forum's picture: its title, days and place."""
    seen = await public(request, lang, forum)
    return await _drawn(request, seen, forum_values(seen))


@router.get("/{lang}/{forum}/programme/{code}/picture.png")
async def of_session(request: Request, lang: str, forum: str, code: str) -> Response:
    """A session's picture: its title, track, time and room. Not found where not everybody may know of it."""
    seen = await public(request, lang, forum)
    one = seen.programme.session(code_of(code))
    if one is None:
        raise NotFound
    return await _drawn(request, seen, session_values(seen, one))


def forum_values(seen: Public) -> dict[str, Any]:
    """What `templates/print/picture.typ` says of the forum."""
    forum, lang = seen.forum, seen.lang
    return {
        "lang": lang,
        "label": forum.format_label.of(lang),
        "title": _short(forum.title.of(lang)),
        "when": days(forum.starts_on, forum.ends_on, lang) or text_of(lang, "forum.dates_open"),
        "where": forum.venue_name.of(lang) or text_of(lang, "forum.place_open"),
        "tracks": [[track.code, track.colour] for track in seen.page.tracks],
    }


def session_values(seen: Public, one: PublishedSession) -> dict[str, Any]:
    """What `templates/print/picture.typ` says of one session."""
    shown = card(seen, one)
    when = text_of(seen.lang, "programme.is_cancelled") if one.cancelled else ""
    if not when and one.starts_at is not None:
        day_of = seen.local_day(one.starts_at)
        when = " · ".join((days(day_of, day_of, seen.lang), shown.hours))
    return {
        "lang": seen.lang,
        "label": seen.forum.short_title.of(seen.lang),
        "title": _short(shown.title),
        "when": when or text_of(seen.lang, "programme.time_open"),
        "where": shown.room or text_of(seen.lang, "programme.room_open"),
        "tracks": [[tag.code, tag.colour] for tag in shown.tracks],
    }


def _short(title: str) -> str:
    """Cut between words: a space, or the break that Khmer is typed with, never inside a cluster."""
    if len(title) <= MOST_LETTERS:
        return title
    head = title[:MOST_LETTERS]
    at = max(head.rfind(" "), head.rfind("\u200b"))
    return (head[:at] if at > 0 else "").rstrip() + "…"


async def _drawn(request: Request, seen: Public, values: dict[str, Any]) -> Response:
    made = await site_of(request).draw("print/picture.typ", values)
    response = Response(
        made, headers={"cache-control": PUBLISHED, "content-language": seen.lang}, media_type="image/png"
    )
    return response if request.url.query else publish(response, seen.forum.slug, seen.revision)
