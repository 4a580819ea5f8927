"""Registering: choosing a category, its form, and the answer, which is the same for everybody."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.forum.models import Forum
from app.forum.queries import forum_by_slug, forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, NotFound, Refused, TooMany
from app.kit.i18n import Lang
from app.registration.queries import Registration, registration_of
from app.registration.question_queries import questions_of
from app.web.forms import Form
from app.web.pages import language, page, slug
from app.web.sheets import Sheet, read_sheet, send, show_again, show_sent, show_sheet
from app.web.site import site_of

router = APIRouter(include_in_schema=False)


@router.get("/{lang}/{forum}/register")
async def choose(request: Request, lang: str, forum: str) -> Response:
    """The categories, and which of them one may apply in now."""
    words, found, standing = await _standing(request, lang, forum)
    return page(request, words, "registration/choose.html", forum=found, registration=standing)


@router.get("/{lang}/{forum}/register/{category}")
async def form(request: Request, lang: str, forum: str, category: str) -> Response:
    """A category's form, or the sentence that says why there is none now."""
    sheet = await _sheet(request, lang, forum, category)
    return await show_sheet(request, sheet, Form({"country": "KH", "attends_as": "official"}))


@router.post("/{lang}/{forum}/register/{category}")
async def register(request: Request, lang: str, forum: str, category: str) -> Response:
    """Take a registration. Known and unknown addresses get one and the same page (rules §2)."""
    sheet = await _sheet(request, lang, forum, category)
    sent, answers = await read_sheet(request, sheet)
    try:
        asked, read = await send(request, sheet, sent, answers)
    except (Refused, Expired, TooMany) as refused:
        return await show_again(request, sheet, sent, answers, refused)
    return show_sent(request, sheet, read, asked)


async def _standing(request: Request, lang: str, forum: str) -> tuple[Lang, Forum, Registration]:
    words, now = language(lang), clock.now()

    def read(db: Db) -> tuple[Forum, Registration]:
        found = forum_by_slug(db, slug(forum))
        return found, registration_of(db, found, now=now)

    return words, *(await site_of(request).read(read))


async def _sheet(request: Request, lang: str, forum: str, category: str) -> Sheet:
    """A category's form as it stands. Raises NotFound."""
    words, found, standing = await _standing(request, lang, forum)
    own, code = forum_id(found), _code(category)
    questions = await site_of(request).read(lambda db: questions_of(db, own, code))
    return Sheet(words, found, standing, standing.category(code), questions)


def _code(category: str) -> str:
    """A category's code from its address, where it is written small."""
    if not category.isascii() or category != category.lower():
        raise NotFound
    return category.upper()
