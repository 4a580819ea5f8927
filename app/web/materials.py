"""Materials for readers: the forum's list, what stands with a session, and the files, whole or in part."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.i18n import Lang, moment, number, text_of
from app.programme.materials import PIECE, FileView, MaterialView, Seen, Shelf, file_name, media_type, piece_of, shelf
from app.programme.published import PublishedSession
from app.programme.queries import published
from app.programme.rules.visibility import PUBLIC, Viewer
from app.registration.pick_queries import own_picks
from app.registration.queries import Own, own_registration
from app.web import pages
from app.web.cards import card
from app.web.conditional import http_date, unchanged
from app.web.headers import PUBLISHED, SECRET
from app.web.public import Public, public, read_as_public, show
from app.web.ranges import NotSatisfiable, range_of, still_holds
from app.web.site import Site, site_of

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Text:
    """A file or an address elsewhere, ready to follow; `about` says its kind and size, or its host."""

    href: str
    words: str
    about: str
    language: str = ""
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A material in a list, in words; `when` says from when it may be read, where it may not yet."""

    title: str
    twin: str
    kind: str
    note: str
    when: str
    against_delivery: bool
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A session with its materials; without a session those of the forum as a whole."""

    title: str
    href: str
    code: str
    hours: str
    lines: tuple[Line, ...]


@router.get("/{lang}/{forum}/materials")
async def materials(request: Request, lang: str, forum: str) -> Response:
    """Everything there is to read, of the forum as a whole and session by session."""
    seen = await public(request, lang, forum)
    there = await public_shelf(request, seen)
    groups = groups_of(seen, there, f"{seen.base}/materials")
    return show(request, seen, "programme/materials.html", valid_until=there.until, groups=groups)


@router.get("/{lang}/{forum}/materials/{material}/{language}")
async def file(request: Request, lang: str, forum: str, material: str, language: str) -> Response:
    """A file of a material that everybody may read now."""
    seen = await public(request, lang, forum)
    there = await public_shelf(request, seen)
    return await _file(request, seen.forum, there, material, language, PUBLISHED)


@router.get("/{lang}/my/{secret}/materials", include_in_schema=False)
async def own_materials(request: Request, lang: str, secret: str) -> Response:
    """What there is to read for one participant: with the sessions that only those admitted know of."""
    words, found = pages.language(lang), pages.token(secret)
    own, seen, there = await site_of(request).read(lambda db: _own(db, words, found))
    path = f"/{words}/my/{secret}"
    groups = groups_of(seen, there, f"{path}/materials")
    values: dict[str, Any] = {"forum": own.forum, "own": own, "secret_path": path, "groups": groups}
    return pages.page(request, words, "registration/materials.html", secret=True, **values)


@router.get("/{lang}/my/{secret}/materials/{material}/{language}", include_in_schema=False)
async def own_file(request: Request, lang: str, secret: str, material: str, language: str) -> Response:
    """A file for one participant."""
    words, found = pages.language(lang), pages.token(secret)
    own, _, there = await site_of(request).read(lambda db: _own(db, words, found))
    return await _file(request, own.forum, there, material, language, SECRET)


async def public_shelf(request: Request, seen: Public) -> Shelf:
    """What everybody may see of the forum's materials now."""
    now = clock.now()
    return await site_of(request).read(lambda db: shelf(db, forum_id(seen.forum), seen.programme, PUBLIC, now=now))


def _own(db: Db, lang: Lang, secret: str) -> tuple[Own, Public, Shelf]:
    """A registration, the forum as everybody sees it, and what is there to read for this person. Raises NotFound."""
    own = own_registration(db, secret)
    seen = read_as_public(db, lang, own.forum.slug)
    whole = published(db, forum_id(own.forum))
    admitted = own_picks(db, own.row.id).admitted if own.row.ended_at is None else frozenset()
    viewer = Viewer(frozenset(one.code for one in whole.sessions if one.uid in admitted))
    return own, seen, shelf(db, forum_id(own.forum), whole, viewer, now=clock.now())


def groups_of(seen: Public, there: Shelf, address: str) -> list[Group]:
    """Everything there is, those of the forum as a whole first; files stand under `address`."""
    sessions: dict[str, PublishedSession] = {one.session.uid: one.session for one in there.seen if one.session}
    found = []
    if there.of_forum:
        lines = lines_of(seen.lang, seen.forum, there.of_forum, address)
        found.append(Group(text_of(seen.lang, "materials.of_forum"), "", "", "", lines))
    public_codes = {one.code for one in seen.programme.sessions}
    for uid, session in sessions.items():
        lines = lines_of(seen.lang, seen.forum, there.of_session(uid), address)
        one = card(seen, session)
        hours = f"{one.weekday} {one.hours}".strip()
        # whoever was admitted to a closed session finds it among their own, and no page of it
        found.append(Group(one.title, one.href if one.code in public_codes else "", one.code, hours, lines))
    return found


def lines_of(lang: Lang, forum: Forum, seen: Sequence[Seen], address: str) -> tuple[Line, ...]:
    """Materials in the reader's language; of what may not be read yet there is no file."""
    return tuple(_line(lang, forum, one, address) for one in seen)


def _line(lang: Lang, forum: Forum, one: Seen, address: str) -> Line:
    material = one.material
    when = ""
    if not one.is_there:
        at = one.opens_at
        when = text_of(lang, "materials.later")
        if at is not None:
            when = text_of(lang, "materials.from", when=moment(at, lang, forum.timezone))
    title = material.title.of(lang)
    twin = material.title.km if lang == "en" else material.title.en
    return Line(
        title=title,
        twin=twin if twin != title else "",
        kind=text_of(lang, f"materials.kind.{material.kind.value}"),
        note=material.note.of(lang) if material.note else "",
        when=when,
        against_delivery=material.against_delivery,
        texts=texts_of(lang, material, address) if one.is_there else (),
    )


def texts_of(lang: Lang, material: MaterialView, address: str) -> tuple[Text, ...]:
    """The files of a material under `address`, the reader's language first, and its address elsewhere."""
    found = [
        Text(
            f"{address}/{material.code}/{one.language}",
            text_of(lang, f"programme.language.{one.language}"),
            f"{text_of(lang, f'materials.format.{one.kind.ending}')}, {size_of(lang, one.size)}",
            one.language,
        )
        for one in sorted(material.files, key=lambda one: one.language != lang)
    ]
    if material.link:
        host = material.link.removeprefix("https://").partition("/")[0]
        found.append(Text(material.link, text_of(lang, "materials.elsewhere"), host, leaves=True))
    return tuple(found)


def size_of(lang: Lang, size: int) -> str:
    """A size in bytes, in the next larger kilobyte or a tenth of a megabyte."""
    if size < 1_000_000:
        return text_of(lang, "materials.kilobytes", size=number(max(1, -(-size // 1000)), lang))
    whole, tenth = divmod(-(-size // 100_000), 10)
    return text_of(lang, "materials.megabytes", size=f"{number(whole, lang)}.{number(tenth, lang)}")


async def _file(request: Request, forum: Forum, there: Shelf, material: str, language: str, cache: str) -> Response:
    """One file of what is there. Raises NotFound."""
    found = there.there(pages.code(material))
    session = next((one.session for one in there.seen if one.material is found), None)
    name = file_name(forum.slug, session.code if session else "", found, language)
    return answer(request, found.file(language), name, cache)


def answer(request: Request, one: FileView, name: str, cache: str) -> Response:
    """A file to save, never shown within the site; a range of it where one is asked for. Piece by piece, so that no
    request holds more than one in memory."""
    etag, headers = f'"{one.digest[:32]}"', request.headers
    told = {
        "etag": etag,
        "last-modified": http_date(one.sent_at),
        "cache-control": cache,
        "accept-ranges": "bytes",
        "content-disposition": f'attachment; filename="{name}"',
        "content-security-policy": "sandbox; default-src 'none'",
        "content-language": one.language,
        **({"x-robots-tag": "noindex"} if cache == SECRET else {}),
    }
    modified = one.sent_at.replace(microsecond=0).timestamp()
    if unchanged(etag.encode(), modified, request.scope["headers"]):
        return Response(status_code=304, headers=told)
    try:
        part = range_of(headers.get("range"), one.size) if _may_be_in_part(request, etag, one) else None
    except NotSatisfiable:
        return Response(status_code=416, headers={**told, "content-range": f"bytes */{one.size}"})
    first, last = part or (0, one.size - 1)
    told["content-length"] = str(last - first + 1)
    if part:
        told["content-range"] = f"bytes {first}-{last}/{one.size}"
    body = _pieces(site_of(request), one, first, last, bodiless=bool(request.scope.get("bodiless")))
    return StreamingResponse(body, 206 if part else 200, headers=told, media_type=media_type(one))


def _may_be_in_part(request: Request, etag: str, one: FileView) -> bool:
    return not request.scope.get("bodiless") and still_holds(request.headers.get("if-range"), etag, one.sent_at)


async def _pieces(site: Site, file: FileView, first: int, last: int, *, bodiless: bool) -> AsyncIterator[bytes]:
    """The bytes from the first to the last one, both included."""
    if bodiless:
        return
    for number_of in range(first // PIECE, last // PIECE + 1):
        start = number_of * PIECE
        body = await site.read(lambda db, number_of=number_of: piece_of(db, file, number_of))  # type: ignore[misc]
        yield body[max(0, first - start) : last + 1 - start]
