"""The programme on paper: an A5 booklet of the whole forum, a poster of each day; set by Typst from what is public."""

import re
from datetime import date
from functools import partial
from typing import Any

import segno
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.kit.errors import NotFound
from app.kit.i18n import clock_time, day, days, text_of
from app.kit.printing import as_set
from app.programme.published import PublishedPerson, PublishedSession
from app.web.cards import Card, card, days_of, in_order
from app.web.headers import PUBLISHED
from app.web.home import paragraphs
from app.web.programme import by_role, languages
from app.web.public import Public, public
from app.web.published import publish
from app.web.site import site_of
from app.web.speakers import Person, people_of

router = APIRouter()


@router.get("/{lang}/{forum}/programme.pdf")
async def booklet(request: Request, lang: str, forum: str) -> Response:
    """The whole programme, to be printed as a booklet or read on a telephone."""
    seen = await public(request, lang, forum)
    return await _printed(request, seen, "print/programme.typ", booklet_values(request, seen), "programme")


@router.get("/{lang}/{forum}/days/{on}.pdf")
async def poster(request: Request, lang: str, forum: str, on: str) -> Response:
    """One day on one page, to be hung up."""
    seen = await public(request, lang, forum)
    found = next((each for each in days_of(seen) if each.isoformat() == on), None)
    if found is None:
        raise NotFound
    return await _printed(request, seen, "print/day.typ", poster_values(request, seen, found), found.isoformat())


def booklet_values(request: Request, seen: Public) -> dict[str, Any]:
    """What `templates/print/programme.typ` says, every text as it is printed."""
    ordered = in_order(seen, seen.programme.sessions)
    timed = [(on, [each for each in ordered if _is_on(seen, each, on)]) for on in days_of(seen)]
    open_ones = [each for each in ordered if each.starts_at is None]
    groups = [(day(on, seen.lang, "full"), sessions) for on, sessions in timed]
    if open_ones:
        groups.append((text_of(seen.lang, "programme.time_open"), open_ones))
    t = partial(text_of, seen.lang)
    return {
        **_common(request, seen, f"{seen.base}/programme"),
        "about": paragraphs(seen.forum.about.of(seen.lang)),
        "question": seen.forum.central_question.of(seen.lang),
        "days": [{"name": name, "sessions": [_session(seen, each) for each in sessions]} for name, sessions in groups],
        "people": [_index_line(seen, person) for person in people_of(seen).values()],
        "rules": [
            [t(f"programme.attribution.{name}.name"), t(f"programme.attribution.{name}.text")]
            for name in ("REC", "CHR")
        ],
        "words": {
            name: t(f"programme.print.{name}")
            for name in ("contents", "speakers", "about", "rules", "question", "tracks")
        },
        "tracks": _tracks(seen),
    }


def poster_values(request: Request, seen: Public, on: date) -> dict[str, Any]:
    """What `templates/print/day.typ` says of one day."""
    sessions = [each for each in in_order(seen, seen.programme.sessions) if _is_on(seen, each, on)]
    return {
        **_common(request, seen, f"{seen.base}/programme?day={on.isoformat()}"),
        "day": day(on, seen.lang, "full"),
        "sessions": [_session(seen, each) for each in sessions],
        "tracks": _tracks(seen),
    }


def _common(request: Request, seen: Public, live: str) -> dict[str, Any]:
    forum, lang = seen.forum, seen.lang
    address = f"{site_of(request).settings.base_url}{live}"
    place = ", ".join(part for part in (forum.venue_name.of(lang), forum.venue_address.of(lang)) if part)
    return {
        "lang": lang,
        "label": forum.format_label.of(lang),
        "title": forum.title.of(lang),
        "short": forum.short_title.of(lang),
        "when": days(forum.starts_on, forum.ends_on, lang) or text_of(lang, "forum.dates_open"),
        "where": place or text_of(lang, "forum.place_open"),
        "programme": text_of(lang, "web.nav.programme"),
        "live": text_of(lang, "programme.print.live"),
        "address": address,
        "code": _qr(address),
        "version": _version(seen),
    }


def _version(seen: Public) -> str:
    known = seen.programme
    if known.public_at is None:
        return ""
    at = known.public_at.astimezone(seen.zone)
    when = f"{day(at.date(), seen.lang, 'full')}, {clock_time(at, seen.lang, seen.forum.timezone)}"
    return text_of(seen.lang, "programme.version", number=known.public_number, when=when)


def _session(seen: Public, one: PublishedSession) -> dict[str, Any]:
    shown: Card = card(seen, one)
    twin = one.title.of("en" if seen.lang == "km" else "km")
    spoken, interpreted = languages(seen, one)
    return {
        "code": one.code,
        "hours": shown.hours,
        "title": shown.title,
        "twin": twin if twin != shown.title else "",
        "kind": shown.kind,
        "room": shown.room or text_of(seen.lang, "programme.room_open"),
        "tracks": [[tag.code, tag.colour] for tag in shown.tracks],
        "quiet": shown.quiet,
        "cancelled": text_of(seen.lang, "programme.cancelled") if one.cancelled else "",
        "abstract": paragraphs(one.abstract.of(seen.lang)) if one.abstract else [],
        "question": one.guiding_question.of(seen.lang) if one.guiding_question else "",
        "people": [
            [text_of(seen.lang, f"programme.role.{role}", n=len(persons)), [_named(seen, each) for each in persons]]
            for role, persons in by_role(one.people)
        ],
        "rule": shown.attribution,
        "languages": " · ".join(part for part in (spoken, interpreted if interpreted != spoken else "") if part),
    }


def _named(seen: Public, person: PublishedPerson) -> str:
    parts = [person.shown_as.of(seen.lang)]
    if person.name:
        parts.append(person.function.of(seen.lang))
    if person.institution:
        parts.append(person.institution.of(seen.lang))
    return ", ".join(part for part in parts if part)


def _index_line(seen: Public, one: Person) -> dict[str, Any]:
    return {"name": _named(seen, one.person), "codes": [part.card.code for part in one.parts]}


def _tracks(seen: Public) -> list[list[str]]:
    return [[track.code, track.colour, track.title.of(seen.lang)] for track in seen.page.tracks]


def _is_on(seen: Public, one: PublishedSession, on: date) -> bool:
    return one.starts_at is not None and seen.local_day(one.starts_at) == on


def _qr(address: str) -> str:
    """The address as a QR code (ISO/IEC 18004, level M): an SVG picture without an edge."""
    return segno.make(address, error="m", micro=False).svg_inline(border=0, svgclass=None, lineclass=None)


def _as_set(value: Any) -> Any:
    """Every text within, so that it can be set: one letter that no typeface has must not take the paper from all."""
    if isinstance(value, dict):
        return {name: _as_set(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_as_set(each) for each in value]
    return as_set(value) if isinstance(value, str) else value


async def _printed(request: Request, seen: Public, template: str, values: dict[str, Any], name: str) -> Response:
    """The PDF, kept as bytes until the forum's revision grows; its own time is the version's."""
    site = site_of(request)
    at = seen.programme.public_at or seen.forum.created_at
    made = await site.print(template, _as_set(values), at=at)
    file_name = re.sub(r"[^a-z0-9-]", "", f"{seen.forum.slug}-{name}-{seen.lang}")
    headers = {
        "cache-control": PUBLISHED,
        "content-disposition": f'inline; filename="{file_name}.pdf"',
        "content-language": seen.lang,
    }
    response = Response(made, headers=headers, media_type="application/pdf")
    return response if request.url.query else publish(response, seen.forum.slug, seen.revision)
