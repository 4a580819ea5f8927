"""The first page: what the forum is about, when and where, who comes and whether one may register now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.forum.models import Forum
from app.forum.queries import ends_at, featured_slug, forum_id
from app.kit import clock
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Lang, days, moment, text_of
from app.registration.models import Category, Terms
from app.registration.queries import first_and_last, widest
from app.registration.rules.eligibility import Door, Mode, door_state, valid_until
from app.web.linked import of_forum
from app.web.materials import lines_of, public_shelf
from app.web.pages import preferred
from app.web.public import Public, public, show
from app.web.site import site_of

router = APIRouter()
PAGE = "forum/page.html"
_TONES = {
    Door.NOT_YET: ("wait", "…"),
    Door.OPEN: ("good", "●"),
    Door.BY_INVITATION: ("river", "✉"),
    Door.CLOSED: ("still", "–"),
    Door.OVER: ("still", "–"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """Whether one may register now: the state, its sentence, and until when (UTC) that holds."""

    door: Door
    tone: str
    sign: str
    words: str
    sentence: str
    until: datetime | None


@router.get("/")
async def root(request: Request) -> Response:
    featured = await site_of(request).read(featured_slug)
    if featured is None:
        raise NotFound
    headers = {"vary": "Accept-Language, Cookie", "cache-control": "private, max-age=0"}
    return RedirectResponse(f"/{preferred(request)}/{featured}", 303, headers)


@router.get("/{lang}/{forum}")
async def home(request: Request, lang: str, forum: str) -> Response:
    seen = await public(request, lang, forum)
    terms, categories = await site_of(request).read(lambda db: registration(db, forum_id(seen.forum)))
    values, until = await shown(request, seen, terms, categories)
    return show(request, seen, PAGE, valid_until=until, **values)


async def shown(
    request: Request, seen: Public, terms: Any, categories: Sequence[Any]
) -> tuple[dict[str, Any], datetime | None]:
    """What the first page shows of a forum, and until when (UTC) that holds."""
    call = call_of(seen.lang, seen.forum, terms, categories, clock.now())
    there = await public_shelf(request, seen)
    values: dict[str, Any] = {
        "shared": of_forum(seen, site_of(request).settings.base_url),
        "call": call,
        "categories": categories,
        "dates": dates(seen),
        "about": paragraphs(seen.forum.about.of(seen.lang)),
        "tracks": seen.page.tracks,
        "objectives": seen.page.objectives,
        "map_href": map_href(seen.forum),
        "materials": lines_of(seen.lang, seen.forum, there.of_forum, f"{seen.base}/materials"),
        "more_materials": bool(there.seen),
    }
    return values, min((at for at in (call.until, there.until) if at is not None), default=None)


def registration(db: Db, own: int) -> tuple[Any, Sequence[Any]]:
    """The forum's terms (None where registration is not set up) and its kinds of participants in order. Two queries."""
    terms, categories = table(Terms), table(Category)
    there = db.execute(select(terms).where(terms.c.forum_id == own)).first()
    kinds = select(categories).where(categories.c.forum_id == own, categories.c.in_hall).order_by(categories.c.position)
    return there, db.execute(kinds).all()


def call_of(lang: Lang, forum: Forum, terms: Any, categories: Sequence[Any], now: datetime) -> Call:
    """How registration stands at `now`, in words; each category's own page says the rest."""
    views = _views(forum, terms, categories, now)
    opens_at, closes_at = first_and_last(views)
    door = widest([view.door for view in views])
    name, values = door.value, {}
    if door is Door.NOT_YET and opens_at is not None:
        name, values = "opens", {"when": moment(opens_at, lang, forum.timezone)}
    elif door is Door.OPEN and closes_at is not None:
        name, values = "open_until", {"when": moment(closes_at, lang, forum.timezone)}
    tone, sign = _TONES[door]
    words, sentence = text_of(lang, f"forum.call.{door.value}.name"), text_of(lang, f"forum.sentence.{name}", **values)
    until = [view.until for view in views if view.until is not None]
    return Call(door, tone, sign, words, sentence, min(until, default=None))


@dataclass(frozen=True, slots=True)
class View:
    """How one category's door stands, its times, and until when that holds (UTC)."""

    door: Door
    opens_at: datetime | None
    closes_at: datetime | None
    until: datetime | None


def _views(forum: Forum, terms: Any, categories: Sequence[Any], now: datetime) -> list[View]:
    """The doors of the groups that anybody may ask to join; of those by invitation where there are no others."""
    asked = [row for row in categories if row.mode != Mode.INVITATION.value] or list(categories)
    views = []
    for row in asked:
        opens_at, closes_at = row.opens_at or terms.opens_at, row.closes_at or terms.closes_at
        times = (opens_at, closes_at, ends_at(forum), Mode(row.mode), now)
        views.append(View(door_state(*times), opens_at, closes_at, valid_until(*times)))
    if not views:
        times = (None, None, ends_at(forum), Mode.OPEN, now)
        views.append(View(door_state(*times), None, None, valid_until(*times)))
    return views


def dates(seen: Public) -> str:
    """From which day to which, in words; empty where they are to be announced."""
    return days(seen.forum.starts_on, seen.forum.ends_on, seen.lang)


def paragraphs(text: str) -> list[str]:
    """A long text by its blank lines."""
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def map_href(forum: Forum) -> str:
    """A link to a map of the place; empty without coordinates."""
    if forum.latitude is None or forum.longitude is None:
        return ""
    place = f"{forum.latitude:.5f}/{forum.longitude:.5f}"
    mark = f"mlat={forum.latitude:.5f}&mlon={forum.longitude:.5f}"
    return f"https://www.openstreetmap.org/?{mark}#map=17/{place}"
