"""The programme by theme: every theme of every topic with its sessions, and a page for each."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.forum.queries import TrackView
from app.kit.errors import NotFound
from app.kit.i18n import Bilingual
from app.web import pages
from app.web.cards import Card, card, in_order
from app.web.public import Public, public, show

router = APIRouter()
PAGE = "programme/themes.html"


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme of a topic with the public sessions that treat it, in the programme's order."""

    slug: str
    title: Bilingual
    track: TrackView
    cards: tuple[Card, ...]


@router.get("/{lang}/{forum}/themes")
async def themes(request: Request, lang: str, forum: str) -> Response:
    seen = await public(request, lang, forum)
    return show(request, seen, PAGE, groups=groups_of(seen))


@router.get("/{lang}/{forum}/themes/{slug}")
async def theme(request: Request, lang: str, forum: str, slug: str) -> Response:
    seen = await public(request, lang, forum)
    wanted, found = pages.slug(slug), themes_of(seen)
    one = next((each for each in found if each.slug == wanted), None)
    if one is None:
        raise NotFound
    others = [each for each in found if each.track.code == one.track.code and each.slug != one.slug]
    return show(request, seen, "programme/theme.html", one=one, others=others)


def groups_of(seen: Public) -> list[tuple[TrackView, list[Theme]]]:
    """The topics that have themes, each with its own."""
    found = themes_of(seen)
    groups = [(track, [one for one in found if one.track.code == track.code]) for track in seen.page.tracks]
    return [group for group in groups if group[1]]


def themes_of(seen: Public) -> Sequence[Theme]:
    """Every theme in the forum's order. One that no public session treats is there without any."""
    ordered = in_order(seen, seen.programme.sessions)
    return [
        Theme(slug, title, track, tuple(card(seen, session) for session in ordered if slug in session.themes))
        for track in seen.page.tracks
        for slug, title in track.themes
    ]
