"""Registering: choosing a category, its form, and the answer, which is the same for everybody."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.forum.models import Forum
from app.forum.queries import for_everybody, forum_by_slug, forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, NotFound, Refused, TooMany
from app.kit.i18n import Lang, worded
from app.registration.queries import Registration, registration_of
from app.registration.question_queries import questions_of
from app.registration.rules.wording import wording_of
from app.web.blanks import TOKEN, Asked, Blank, Moment
from app.web.forms import Form
from app.web.headers import PUBLISHED, SECRET
from app.web.invitation_codes import code_in, try_typed_code
from app.web.pages import form_token, language, page, sentence, slug, twin
from app.web.sheets import Sheet, Way, read_sheet, send, show_again, show_sent, show_sheet
from app.web.site import site_of

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Doors:
    """What the page with the groups is made of."""

    forum: Forum
    registration: Registration


@router.get("/{lang}/{forum}/register")
async def choose(request: Request, lang: str, forum: str) -> Response:
    """The categories, and which of them one may apply in now; a code in `?code=` leads on to its own."""
    typed = code_in(request.query_params)
    if not typed:

        async def make() -> tuple[Doors, Response]:
            words, found, standing = await _standing(request, lang, forum)
            return Doors(found, standing), choosing(request, words, found, standing, Form())

        kept = await _ready(request, make)
        return HTMLResponse(kept.body, headers={"cache-control": PUBLISHED, "content-language": kept.language})
    words, found, standing = await _standing(request, lang, forum)
    try:
        return await _led_by(request, words, found, typed)
    except (Refused, TooMany) as refused:
        return _code_refused(request, words, found, standing, typed, refused)


@router.get("/{lang}/{forum}/register/{category}")
async def form(request: Request, lang: str, forum: str, category: str) -> Response:
    """A category's form, or the sentence that says why there is none now. A code in `?code=` opens its door."""
    if not request.scope["query_string"]:
        return await _blank(request, lang, forum, category)
    typed = code_in(request.query_params)
    sheet = await _sheet(request, lang, forum, category, Way(code=typed))
    if typed:
        try:
            leads = await _led_by(request, sheet.lang, sheet.forum, typed)
        except (Refused, TooMany) as refused:
            return _code_refused(request, sheet.lang, sheet.forum, sheet.registration, typed, refused)
        if not leads.headers["location"].startswith(f"{request.url.path}?"):
            return leads
    return await show_sheet(request, sheet, Form(EMPTY))


EMPTY = {"for_whom": "self", "attends_as": "official"}


async def _blank(request: Request, lang: str, forum: str, category: str) -> Response:
    """The empty form by the open door, with a token of its own."""

    async def make() -> tuple[Sheet, Response]:
        sheet = await _sheet(request, lang, forum, category, Way())
        return sheet, await show_sheet(request, sheet, Form(EMPTY), token=TOKEN)

    kept = await _ready(request, make)
    body = kept.body.replace(TOKEN.encode(), form_token(request, kept.sheet.purpose).encode())
    return HTMLResponse(body, headers={"cache-control": SECRET, "content-language": kept.language})


async def _ready(request: Request, make: Callable[[], Awaitable[tuple[Doors | Sheet, Response]]]) -> Blank:
    """A page that says how doors and seats stand, kept for a moment or made now: in a storm as many are opened as forms
    are sent."""
    site, path = site_of(request), request.scope["path"]
    found, look = site.blanks.find(path, site.pen)
    if (found is None or look) and await site.blanks.waited(path):
        found, look = site.blanks.find(path, site.pen)
    if found is not None and not look:
        return found
    with site.blanks.reading(path):
        since = Moment.now(site.pen)
        if found is not None and await _stands(request, found.sheet):
            site.blanks.looked_at(path, found, since.commits)
            return found
        since = Moment.now(site.pen)
        sheet, shown = await make()
        return site.blanks.keep(path, sheet, shown, since)


@router.post("/{lang}/{forum}/register/{category}")
async def register(request: Request, lang: str, forum: str, category: str) -> Response:
    """Take a registration. Known and unknown addresses get one and the same page (rules §2)."""
    known = await _asked(request, lang, forum, category)
    sheet: Sheet = known.sheet
    sent, answers = await read_sheet(request, sheet)
    code = code_in(sent)
    own = replace(sheet, way=Way(code=code)) if code else sheet
    try:
        asked, read = await send(request, own, sent, answers)
    except (Refused, Expired, TooMany) as refused:
        now = await _sheet(request, lang, forum, category, own.way)  # which may be the very reason
        return await show_again(request, now, sent, answers, refused)
    return await show_sent(request, sheet, read, asked, known.answers)


async def _asked(request: Request, lang: str, forum: str, category: str) -> Asked:
    """What the form asks, known for a moment or read now."""
    site, path = site_of(request), request.scope["path"]
    what = f"asked by {path}"
    known = site.blanks.asked(path, site.pen)
    if known is None and await site.blanks.waited(what):
        known = site.blanks.asked(path, site.pen)
    if known is not None:
        return known
    with site.blanks.reading(what):
        since = Moment.now(site.pen)
        return site.blanks.keep_asked(path, await _sheet(request, lang, forum, category, Way()), since)


async def _stands(request: Request, sheet: Doors | Sheet) -> bool:
    """Do doors and seats stand as they did when the page was rendered?"""
    now = clock.now()
    return bool(await site_of(request).read(lambda db: registration_of(db, sheet.forum, now=now)) == sheet.registration)


async def _led_by(request: Request, lang: Lang, forum: Forum, typed: str) -> Response:
    """On to the form that a code opens. Raises Refused for one that opens none, TooMany."""
    tried = await try_typed_code(request, forum.slug, typed)
    if tried.refusal:
        raise Refused(tried.refusal)
    asked = urlencode({"code": typed})
    return RedirectResponse(f"/{lang}/{forum.slug}/register/{tried.category.lower()}?{asked}", 303)


def choosing(
    request: Request, lang: Lang, forum: Forum, standing: Registration, typed: Form, status: int = 200
) -> Response:
    """The page with the groups among which one chooses."""
    base = f"/{lang}/{forum.slug}/register"
    values: dict[str, Any] = {
        "forum": forum,
        "registration": standing,
        "form": typed,
        "base": base,
        "twin": twin(base, lang),
    }
    values["t_of_badges"] = partial(worded, lang, wording_of(in_hall=False))
    return page(request, lang, "registration/choose.html", status=status, secret="code" in typed.kept, **values)


def _code_refused(
    request: Request, lang: Lang, forum: Forum, standing: Registration, typed: str, refused: Answer
) -> Response:
    faulty = Form({"code": typed}, {"code": sentence(lang, refused)})
    response = choosing(request, lang, forum, standing, faulty, refused.status)
    if isinstance(refused, TooMany):
        response.headers["retry-after"] = str(refused.values["seconds"])
    return response


async def _standing(request: Request, lang: str, forum: str) -> tuple[Lang, Forum, Registration]:
    words, now = language(lang), clock.now()

    def read(db: Db) -> tuple[Forum, Registration]:
        found = for_everybody(forum_by_slug(db, slug(forum)))
        return found, registration_of(db, found, now=now)

    return words, *(await site_of(request).read(read))


async def _sheet(request: Request, lang: str, forum: str, category: str, way: Way) -> Sheet:
    """A category's form as it stands. Raises NotFound."""
    words, found, standing = await _standing(request, lang, forum)
    own, code = forum_id(found), _code(category)
    questions = await site_of(request).read(lambda db: questions_of(db, own, code))
    return Sheet(words, found, standing, standing.category(code), questions, way)


def _code(category: str) -> str:
    """A category's code from its address, where it is written small."""
    if not category.isascii() or category != category.lower():
        raise NotFound
    return category.upper()
