"""The public programme for programs: schedule files, a table, the feed of changes, sitemaps. Published bytes, all."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.forum.queries import forum_id, public_forums
from app.kit.errors import NotFound
from app.kit.i18n import LANGS, text_of
from app.programme.comparing import steps
from app.programme.materials import Shelf
from app.programme.published import PublishedSession
from app.programme.queries import history
from app.programme.rules.visibility import PUBLIC
from app.reports.atom import AtomEntry, AtomFeed, as_atom
from app.reports.schedule import Attached, Source, as_schedule, as_xml, guid, has_days
from app.reports.sitemap import as_index, as_sitemap
from app.reports.tables import as_csv
from app.web import pages
from app.web.cards import card, in_order
from app.web.changes import Entry, Line, entry_of
from app.web.headers import PUBLISHED
from app.web.materials import public_shelf, texts_of
from app.web.public import Public, public, read_if_public
from app.web.published import publish
from app.web.site import site_of
from app.web.speakers import people_of

router = APIRouter()
COLUMNS = ("code", "day", "start", "end", "title", "title_twin", "type", "tracks", "room", "people", "spoken", "state")


@router.get("/{lang}/{forum}/programme.json")
async def schedule_json(request: Request, lang: str, forum: str) -> Response:
    seen = await public(request, lang, forum)
    there = await public_shelf(request, seen)
    said = as_schedule(_source(request, seen, there))
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return _file(request, seen, body, "application/json", "programme.json", there.until)


@router.get("/{lang}/{forum}/programme.xml")
async def schedule_xml(request: Request, lang: str, forum: str) -> Response:
    seen = await public(request, lang, forum)
    there = await public_shelf(request, seen)
    body = as_xml(as_schedule(_source(request, seen, there)))
    return _file(request, seen, body, "application/xml", "programme.xml", there.until)


@router.get("/{lang}/{forum}/programme.csv")
async def table(request: Request, lang: str, forum: str) -> Response:
    """Every public session with its place and people, those without a time last."""
    seen = await public(request, lang, forum)
    headings = [text_of(seen.lang, f"programme.column.{name}") for name in COLUMNS]
    body = as_csv(headings, [_row(seen, session) for session in in_order(seen, seen.programme.sessions)])
    return _file(request, seen, body, "text/csv", "programme.csv")


@router.get("/{lang}/{forum}/programme/changes.atom")
async def changes_feed(request: Request, lang: str, forum: str) -> Response:
    seen = await public(request, lang, forum)
    past = await site_of(request).read(lambda db: history(db, forum_id(seen.forum)))
    base = f"{site_of(request).settings.base_url}{seen.base}"
    entries = [_atom(seen, base, entry_of(seen, step)) for step in steps(past, PUBLIC)]
    title = f"{text_of(seen.lang, 'programme.history.title')} – {seen.forum.short_title.of(seen.lang)}"
    feed = AtomFeed(
        id=_lasting(seen.forum.slug, "changes"),
        title=title,
        author=seen.forum.short_title.of(seen.lang),
        lang=seen.lang,
        page=f"{base}/programme/changes",
        address=f"{base}/programme/changes.atom",
        begun=seen.forum.created_at,
        entries=[entry for entry in entries if entry],
    )
    return _file(request, seen, as_atom(feed), "application/atom+xml", "changes.atom")


@router.get("/sitemaps/{forum}.xml")
async def sitemap(request: Request, forum: str) -> Response:
    """The public pages of a forum in both languages."""
    name, site = pages.slug(forum), site_of(request)
    seen = await site.read(lambda db: read_if_public(db, LANGS[0], name))
    return _file(request, seen, as_sitemap(site.settings.base_url, _tails(seen)), "application/xml", f"{name}.xml")


@router.get("/sitemap.xml")
async def sitemaps(request: Request) -> Response:
    """The sitemaps of all forums."""
    site = site_of(request)
    slugs = await site.read(lambda db: [forum.slug for forum in public_forums(db)])
    addresses = [f"{site.settings.base_url}/sitemaps/{slug}.xml" for slug in slugs]
    return Response(as_index(addresses), headers={"cache-control": PUBLISHED}, media_type="application/xml")


@router.get("/robots.txt")
async def robots(request: Request) -> Response:
    """What search engines leave alone: all that is behind a secret link or a sign-in, and forms."""
    closed = ["/desk", "/account", "/login", "/calendars/"]
    closed += [f"/{lang}/{room}/" for lang in LANGS for room in ("my", "invitations", "delegations", "speaking")]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    lines.append(f"Sitemap: {site_of(request).settings.base_url}/sitemap.xml")
    return PlainTextResponse("\n".join(lines) + "\n", headers={"cache-control": PUBLISHED})


def _source(request: Request, seen: Public, there: Shelf) -> Source:
    """The programme as a schedule's source, with what there is to read. Raises NotFound("no_schedule_yet") while no
    time is announced."""
    base_url = site_of(request).settings.base_url
    attached: dict[str, list[Attached]] = {}
    for one in there.seen:
        if one.session is not None and one.is_there:
            title = one.material.title.of(seen.lang)
            texts = texts_of(seen.lang, one.material, f"{base_url}{seen.base}/materials")
            found = [Attached(f"{title} ({text.words}, {text.about})", text.href, text.leaves) for text in texts]
            attached.setdefault(one.session.uid, []).extend(found)
    source = Source(seen.page, seen.programme, seen.lang, base_url, attached)
    if not has_days(source):
        raise NotFound("no_schedule_yet")
    return source


def _file(request: Request, seen: Public, body: bytes, kind: str, name: str, until: datetime | None = None) -> Response:
    """A file kept by the layer in front until the forum's revision grows or `until` (UTC) comes; with a query it is
    not kept."""
    headers = {"cache-control": PUBLISHED, "content-disposition": f'inline; filename="{seen.forum.slug}-{name}"'}
    response = Response(body, headers=headers, media_type=kind)
    return response if request.url.query else publish(response, seen.forum.slug, seen.revision, until)


def _row(seen: Public, one: PublishedSession) -> list[str]:
    shown = card(seen, one)
    start, end = (at.astimezone(seen.zone) if at else None for at in (one.starts_at, one.ends_at))
    words: Callable[..., str] = partial(text_of, seen.lang)
    roles = {person.role: words(f"programme.role.{person.role}", n=1) for person in one.people}
    people = [f"{roles[person.role]}: {person.shown_as.of(seen.lang)}" for person in one.people]
    twin = one.title.km if seen.lang == "en" else one.title.en
    return [
        one.code,
        start.date().isoformat() if start else "",
        f"{start:%H:%M}" if start else "",
        f"{end:%H:%M}" if end else "",
        shown.title,
        twin,
        shown.kind,
        " / ".join(tag.title for tag in shown.tracks),
        shown.room,
        "; ".join(people),
        ", ".join(words(f"programme.language.{spoken}") for spoken in one.spoken),
        words("programme.cancelled") if one.cancelled else "",
    ]


def _atom(seen: Public, base: str, entry: Entry) -> AtomEntry | None:
    if entry.published_at is None:
        return None
    lines = [_told(line) for line in entry.lines]
    return AtomEntry(
        id=_lasting(seen.forum.slug, "version", str(entry.number)),
        title=text_of(seen.lang, "programme.history.version", number=entry.number),
        published=entry.published_at,
        address=f"{base}/programme/changes#version-{entry.number}",
        summary=" ".join(part for part in (entry.note, entry.summary) if part),
        lines=lines,
    )


def _lasting(*names: str) -> str:
    """An id for a feed or one of its entries that stays whatever the site's address is (RFC 4287 §4.2.6)."""
    return f"urn:uuid:{guid(*names)}"


def _told(line: Line) -> str:
    change = " → ".join(part for part in (line.before, line.after) if part)
    return f"{line.kind}: {line.title}{f' ({change})' if change else ''}"


def _tails(seen: Public) -> list[str]:
    """Every public page of the forum, without language."""
    own = f"/{seen.forum.slug}"
    found = [
        own,
        *(
            f"{own}/{page}"
            for page in ("programme", "programme/changes", "themes", "speakers", "materials", "register", "calendar")
        ),
    ]
    found += [f"{own}/programme/{session.code}" for session in seen.programme.sessions]
    found += [f"{own}/themes/{slug}" for track in seen.page.tracks for slug, _ in track.themes]
    return found + [f"{own}/speakers/{code}" for code in people_of(seen)]
