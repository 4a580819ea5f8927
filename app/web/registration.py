"""Registering: choosing a category, its form, and the answer, which is the same for everybody."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.forum.queries import forum_by_slug
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, NotFound, Refused, TooMany
from app.kit.i18n import Lang
from app.kit.inputs import parse
from app.kit.throttling import count_visit, network, who
from app.registration import applying
from app.registration.inputs import ApplicationInput
from app.registration.queries import CategoryView, Registration, registration_of
from app.registration.rules.eligibility import Door
from app.registration.rules.names import normal_email
from app.web.countries import countries
from app.web.forms import Form, read_form, refilled
from app.web.institutions import institutions
from app.web.pages import form_token, language, page, read_form_token, slug
from app.web.site import Site, site_of

router = APIRouter(include_in_schema=False)


@router.get("/{lang}/{forum}/register")
async def choose(request: Request, lang: str, forum: str) -> Response:
    """The categories, and which of them one may apply in now."""
    words, found, standing = await _standing(request, lang, forum)
    return page(request, words, "registration/choose.html", forum=found, registration=standing)


@router.get("/{lang}/{forum}/register/{category}")
async def form(request: Request, lang: str, forum: str, category: str) -> Response:
    """A category's form, or the sentence that says why there is none now."""
    words, found, standing = await _standing(request, lang, forum)
    chosen = standing.category(_code(category))
    return _form(
        request, words, found, standing, chosen, Form({"for_whom": "self", "country": "KH", "attends_as": "official"})
    )


@router.post("/{lang}/{forum}/register/{category}")
async def register(request: Request, lang: str, forum: str, category: str) -> Response:
    """Take a registration. Known and unknown addresses get one and the same page (rules §2)."""
    words, found, standing = await _standing(request, lang, forum)
    chosen = standing.category(_code(category))
    sent = await read_form(request)
    try:
        key = _read_token(request, sent, _purpose(found, chosen))
        asked, read = await _apply(request, words, found, chosen, sent, key)
    except (Refused, Expired, TooMany) as refused:
        return _again(request, words, found, standing, chosen, sent, refused)
    return _sent(request, words, found, chosen, read, asked)


async def _standing(request: Request, lang: str, forum: str) -> tuple[Lang, Forum, Registration]:
    words, now = language(lang), clock.now()

    def read(db: Db) -> tuple[Forum, Registration]:
        found = forum_by_slug(db, slug(forum))
        return found, registration_of(db, found, now=now)

    return words, *(await site_of(request).read(read))


def _code(category: str) -> str:
    """A category's code from its address, where it is written small."""
    if not category.isascii() or category != category.lower():
        raise NotFound
    return category.upper()


def _purpose(forum: Forum, category: CategoryView) -> str:
    return f"register/{forum.slug}/{category.code}"


def _read_token(request: Request, sent: FormData, purpose: str) -> str:
    key, age = read_form_token(request, sent, purpose)
    if age < site_of(request).settings.form_min_seconds or sent.get("website"):
        raise Refused("form_too_quick")
    return key


async def _apply(
    request: Request, lang: Lang, forum: Forum, category: CategoryView, sent: FormData, key: str
) -> tuple[applying.Asked, ApplicationInput]:
    read = parse(ApplicationInput, {**fields_of(sent, _FIELDS), "category": category.code, "language": lang})
    site, now = site_of(request), clock.now()
    secret = site.settings.secret_key
    throttles = throttles_of(site, request, read.email, for_others=bool(read.assistant_name))

    def deed(db: Db) -> applying.Asked:
        for whom, most in throttles:
            count_visit(db, whom, most, site.settings.throttle_window_seconds, now=now)
        return applying.apply(db, Actor.visitor(), forum_by_slug(db, forum.slug), read, key, secret, now=now)

    return await site.write(forum.slug, deed), read


def throttles_of(
    site: Site, request: Request, email: str, *, for_others: bool = False
) -> tuple[tuple[str, int], tuple[str, int]]:
    """The two things counted for a try: the sender's network address and the e-mail address, with their limits.

    An assistant registers many principals from one address, which then counts like a network address.
    """
    settings = site.settings
    address = request.scope.get("client_address", "")
    return (
        (who(settings.secret_key, "address", network(address)), settings.throttle_per_address),
        (
            who(settings.secret_key, "assistant" if for_others else "email", normal_email(email)),
            settings.throttle_per_address if for_others else settings.throttle_per_email,
        ),
    )


_FIELDS = tuple(name for name in ApplicationInput.model_fields if name not in {"category", "language"})
"""What the form sends; the address says the category and the language."""


def fields_of(sent: FormData, names: tuple[str, ...]) -> Mapping[str, Any]:
    """The named text fields that were sent; others a page does not have are left alone, so old pages still work."""
    return {name: value for name in names if isinstance(value := sent.get(name), str)}


def _form(
    request: Request,
    lang: Lang,
    forum: Forum,
    standing: Registration,
    category: CategoryView,
    kept: Form,
    status: int = 200,
) -> Response:
    values = {
        "forum": forum,
        "registration": standing,
        "category": category,
        "form": kept,
        "token": form_token(request, _purpose(forum, category)),
        "countries": countries(lang),
        "institutions": institutions(lang),
        "is_open": category.door is Door.OPEN,
        "sends_mail": site_of(request).settings.sends_mail,
    }
    return page(request, lang, "registration/form.html", status=status, secret=True, **values)


def _again(
    request: Request,
    lang: Lang,
    forum: Forum,
    standing: Registration,
    category: CategoryView,
    sent: FormData,
    refused: Answer,
) -> Response:
    """The same form with what was typed and what is wrong with it."""
    response = _form(request, lang, forum, standing, category, refilled(lang, sent, refused), refused.status)
    if isinstance(refused, TooMany):
        response.headers["retry-after"] = str(refused.values["seconds"])
    return response


def _sent(
    request: Request, lang: Lang, forum: Forum, category: CategoryView, read: ApplicationInput, asked: applying.Asked
) -> Response:
    """The answer: "we have written to …". Where no mail can leave it shows the link itself, and says why.

    Not the link of an earlier registration: the form proves nothing about whose address it is.
    """
    site = site_of(request)
    link = ""
    if not site.settings.sends_mail and not asked.known:
        link = f"/{lang}/my/{asked.token}"
    values: dict[str, Any] = {"forum": forum, "category": category, "email": read.email, "link": link}
    values["no_mail"] = not site.settings.sends_mail
    return page(request, lang, "registration/sent.html", secret=True, **values)
