"""What the desk does beside a speaker's form: asks and asks again, shows or renews the link, keeps the photograph."""

from collections.abc import Callable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, NotFound, Refused
from app.kit.inputs import parse
from app.programme import asking, speaking
from app.programme.asking_queries import speaker_of
from app.programme.portraits import Photograph, portrait_of
from app.registration.inputs import SureInput
from app.web import deps
from app.web.deps import Desk
from app.web.desk_speakers import read_speaker, show_speaker
from app.web.forms import read_form
from app.web.pages import slug
from app.web.photographs import jpeg, read_photo
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
Deed = Callable[[Db, Actor, Forum, str], object]


@router.post("/desk/{forum}/speakers/{code}/asking")
async def ask(request: Request, forum: str, code: str) -> Response:
    """Ask the speaker, or ask again."""
    now, secret = clock.now(), site_of(request).settings.secret_key

    def deed(db: Db, by: Actor, found: Forum, known: str) -> None:
        asking.ask(db, by, found, known, secret, now=now)

    return await _act(request, forum, code, "asked", deed)


@router.post("/desk/{forum}/speakers/{code}/renewal")
async def renew(request: Request, forum: str, code: str) -> Response:
    """End the old link and send a new one."""
    now, secret = clock.now(), site_of(request).settings.secret_key

    def deed(db: Db, by: Actor, found: Forum, known: str) -> None:
        asking.renew(db, by, found, known, secret, now=now)

    return await _act(request, forum, code, "renewed", deed)


@router.post("/desk/{forum}/speakers/{code}/withdrawal")
async def withdraw(request: Request, forum: str, code: str) -> Response:
    """Take the question back; the link is dead."""
    now = clock.now()
    return await _act(request, forum, code, "withdrawn", lambda *what: asking.withdraw(*what, now=now))


@router.post("/desk/{forum}/speakers/{code}/erasure")
async def erase(request: Request, forum: str, code: str) -> Response:
    """Erase what is held about the person, at their own wish."""
    now, sent = clock.now(), await read_form(request)

    def deed(db: Db, by: Actor, found: Forum, known: str) -> None:
        parse(SureInput, {"sure": sent.get("sure", "")})
        speaking.erase_speaker(db, by, found, known, now=now)

    return await _act(request, forum, code, "erased", deed)


@router.post("/desk/{forum}/speakers/{code}/link")
async def show_link(request: Request, forum: str, code: str) -> Response:
    """Show the speaker's link in the answer itself: it stands in no address and in no log."""
    sent, now, site, known = await read_form(request), clock.now(), site_of(request), slug(code)
    desk, _ = await deps.read_at_desk(request, forum, lambda db, desk: _must_show(db, desk, known))
    try:
        lang, token = await deps.write_at_desk(
            request,
            desk,
            sent,
            lambda db, found: asking.show_link(db, desk.actor, found, known, site.settings.secret_key, now=now),
        )
    except (Refused, Expired) as refused:
        return await show_speaker(request, forum, code, refused=refused)
    return await show_speaker(request, forum, code, link=f"{site.settings.base_url}/{lang}/speaking/{token}")


@router.get("/desk/{forum}/speakers/{code}/photo.jpg")
async def photo(request: Request, forum: str, code: str) -> Response:
    """The photograph that the next version shows."""
    known = slug(code)

    def read(db: Db, desk: Desk) -> Photograph | None:
        own = forum_id(desk.forum)
        return portrait_of(db, own, known, speaker_of(db, own, known).photo)

    _, found = await deps.read_at_desk(request, forum, read)
    return jpeg(found)


@router.post("/desk/{forum}/speakers/{code}/photo")
async def put_photo(request: Request, forum: str, code: str) -> Response:
    """Keep a photograph for the speaker, or take it away."""
    sent, now, known = await read_form(request, files=1), clock.now(), slug(code)
    desk, _ = await deps.read_at_desk(request, forum, lambda db, desk: _existing(db, desk, known))
    try:
        picture = await read_photo(request, sent)
        await deps.write_at_desk(
            request, desk, sent, lambda db, found: speaking.put_photo(db, desk.actor, found, known, picture, now=now)
        )
    except (Refused, Expired) as refused:
        return await show_speaker(request, forum, code, refused=refused)
    return deps.back(f"{desk.base}/speakers/{known}?done={'photo' if picture else 'no_photo'}")


async def _act(request: Request, forum: str, code: str, done: str, deed: Deed) -> Response:
    """A button of the page: its deed, and the page again saying what was done or why not."""
    sent, known = await read_form(request), slug(code)
    desk, _ = await deps.read_at_desk(request, forum, lambda db, desk: _existing(db, desk, known))
    try:
        await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk.actor, found, known))
    except (Refused, Expired) as refused:
        return await show_speaker(request, forum, code, refused=refused)
    return deps.back(f"{desk.base}/speakers/{known}?done={done}")


def _existing(db: Db, desk: Desk, known: str) -> None:
    if read_speaker(db, desk, known) is None:
        raise NotFound


def _must_show(db: Db, desk: Desk, known: str) -> None:
    _existing(db, desk, known)
    desk.actor.must(Permission.SHOW_LINKS, forum_id(desk.forum))
