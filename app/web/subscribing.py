"""How to take the forum along: subscribe in Google, Apple or Outlook, or fetch a file, and how late each may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.kit.i18n import day, text_of
from app.web.cards import Tag, days_of, tag
from app.web.public import Public, public, show
from app.web.site import site_of

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Feed:
    """One calendar and the ways to it. `file` is an address on this site; the others open a program or a service."""

    name: str
    tag: Tag | None
    file: str
    webcal: str
    google: str
    outlook: str
    office: str


@router.get("/{lang}/{forum}/calendar")
async def subscribe(request: Request, lang: str, forum: str) -> Response:
    seen = await public(request, lang, forum)
    base_url = site_of(request).settings.base_url
    known = any(session.starts_at for session in seen.programme.sessions)
    return show(
        request,
        seen,
        "calendars/page.html",
        whole=feed(seen, base_url, seen.forum.short_title.of(seen.lang), "calendar.ics"),
        parts=parts(seen, base_url),
        dates_known=known and seen.forum.starts_on is not None,
    )


def parts(seen: Public, base_url: str) -> Sequence[Feed]:
    """A calendar for each day and each track."""
    days = [feed(seen, base_url, day(on, seen.lang, "full"), f"days/{on.isoformat()}.ics") for on in days_of(seen)]
    tracks = [
        feed(seen, base_url, track.title.of(seen.lang), f"tracks/{track.slug}.ics", tag(seen, track))
        for track in seen.page.tracks
    ]
    return [*days, *tracks]


def feed(seen: Public, base_url: str, name: str, tail: str, tag: Tag | None = None) -> Feed:
    """The ways to the public calendar at `tail`."""
    return ways(base_url, f"{seen.base}/{tail}", name, f"{text_of(seen.lang, 'calendars.feed_name')} {name}", tag)


def ways(base_url: str, file: str, name: str, title: str, tag: Tag | None = None) -> Feed:
    """The ways to the calendar at the path `file`; `title` is what a service calls it.

    Google and Microsoft fetch it themselves, so their links hold the full address: whoever follows one tells it them.
    """
    webcal = f"webcal://{urlsplit(base_url).netloc}{file}"
    full = quote(f"{base_url}{file}")
    microsoft = f"/calendar/0/addfromweb?url={full}&name={quote(title)}"
    return Feed(
        name=name,
        tag=tag,
        file=file,
        webcal=webcal,
        google=f"https://calendar.google.com/calendar/render?cid={quote(webcal, safe='')}",
        outlook=f"https://outlook.live.com{microsoft}",
        office=f"https://outlook.office.com{microsoft}",
    )
