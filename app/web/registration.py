"""Registering: choosing a category, its form, and the answer, which is the same for everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.forum.queries import forum_by_slug
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, NotFound, Refused, TooMany
from app.kit.i18n import Lang
from app.kit.inputs import parse
from app.kit.throttling import count_visit, network, who
from app.registration import answering, applying
from app.registration.inputs import ApplicationInput
from app.registration.queries import CategoryView, Registration, registration_of
from app.registration.rules.eligibility import Door
from app.registration.rules.names import normal_email
from app.web.countries import countries
from app.web.forms import Form, read_form, refilled
from app.web.invitation_codes import code_in, try_typed_code
from app.web.pages import form_token, language, page, read_form_token, sentence, slug, twin
from app.web.site import Site, site_of

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Way:
    """How one came to a form: by the open door, with a code, or by a personal invitation and its secret link.

    `bound_to` binds the form's token to the invitation; `reply_by` (UTC) is until when that holds.
    """

    code: str = ""
    secret: str = ""
    bound_to: str = ""
    reply_by: datetime | None = None

    @property
    def is_invited(self) -> bool:
        return bool(self.code or self.secret)

    def purpose(self, forum: Forum, category: CategoryView) -> str:
        """What the form is sealed for."""
        return f"{'invitation' if self.secret else 'register'}/{forum.slug}/{category.code}"


@router.get("/{lang}/{forum}/register")
async def choose(request: Request, lang: str, forum: str) -> Response:
    """The categories, and which of them one may apply in now; a code in `?code=` leads on to its own."""
    words, found, standing = await _standing(request, lang, forum)
    typed = code_in(request.query_params)
    if not typed:
        return _choose(request, words, found, standing, Form())
    try:
        return await _led_by(request, words, found, typed)
    except (Refused, TooMany) as refused:
        return _code_refused(request, words, found, standing, typed, refused)


@router.get("/{lang}/{forum}/register/{category}")
async def form(request: Request, lang: str, forum: str, category: str) -> Response:
    """A category's form, or the sentence that says why there is none now. A code in `?code=` opens its door."""
    words, found, standing = await _standing(request, lang, forum)
    chosen = standing.category(_code(category))
    typed = code_in(request.query_params)
    if typed:
        try:
            leads = await _led_by(request, words, found, typed)
        except (Refused, TooMany) as refused:
            return _code_refused(request, words, found, standing, typed, refused)
        if not leads.headers["location"].startswith(f"{request.url.path}?"):
            return leads
    blank = Form({"country": "KH", "attends_as": "official"})
    return show_form(request, words, found, standing, chosen, blank, way=Way(code=typed))


@router.post("/{lang}/{forum}/register/{category}")
async def register(request: Request, lang: str, forum: str, category: str) -> Response:
    """Take a registration. Known and unknown addresses get one and the same page (rules §2)."""
    words, found, standing = await _standing(request, lang, forum)
    chosen = standing.category(_code(category))
    sent = await read_form(request)
    way = Way(code=code_in(sent))
    try:
        key = read_key(request, sent, way.purpose(found, chosen))
        asked, read = await _apply(request, words, found, chosen, sent, key, way.code)
    except (Refused, Expired, TooMany) as refused:
        return again(request, words, found, standing, chosen, sent, refused, way=way)
    return sent_page(request, words, found, chosen, read, asked)


async def _led_by(request: Request, lang: Lang, forum: Forum, typed: str) -> Response:
    """On to the form that a code opens. Raises Refused for one that opens none, TooMany."""
    tried = await try_typed_code(request, forum.slug, typed)
    if tried.refusal:
        raise Refused(tried.refusal)
    asked = urlencode({"code": typed})
    return RedirectResponse(f"/{lang}/{forum.slug}/register/{tried.category.lower()}?{asked}", 303)


def _choose(
    request: Request, lang: Lang, forum: Forum, standing: Registration, typed: Form, status: int = 200
) -> Response:
    base = f"/{lang}/{forum.slug}/register"
    values = {"forum": forum, "registration": standing, "form": typed, "base": base, "twin": twin(base, lang)}
    return page(request, lang, "registration/choose.html", status=status, secret="code" in typed.kept, **values)


def _code_refused(
    request: Request, lang: Lang, forum: Forum, standing: Registration, typed: str, refused: Answer
) -> Response:
    faulty = Form({"code": typed}, {"code": sentence(lang, refused)})
    response = _choose(request, lang, forum, standing, faulty, refused.status)
    if isinstance(refused, TooMany):
        response.headers["retry-after"] = str(refused.values["seconds"])
    return response


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


def read_key(request: Request, sent: FormData, purpose: str, bound_to: str = "") -> str:
    """The request key of a public form, looked at as programs are caught by it.

    Raises Refused("form_too_quick") and what `read_form_token` raises.
    """
    key, age = read_form_token(request, sent, purpose, bound_to)
    if age < site_of(request).settings.form_min_seconds or sent.get("website"):
        raise Refused("form_too_quick")
    return key


async def _apply(
    request: Request, lang: Lang, forum: Forum, category: CategoryView, sent: FormData, key: str, code: str
) -> tuple[applying.Asked, ApplicationInput]:
    read = parse(ApplicationInput, {**fields_of(sent, FIELDS), "category": category.code, "language": lang})
    site, now = site_of(request), clock.now()
    secret = site.settings.secret_key
    if code and (tried := await try_typed_code(request, forum.slug, code)).refusal == "code_unknown":
        raise Refused(tried.refusal)

    def deed(db: Db) -> applying.Asked:
        count_tries(db, request, read, now)
        here = forum_by_slug(db, forum.slug)
        if not code:
            return applying.apply(db, Actor.visitor(), here, read, key, secret, now=now)
        invitation = answering.invitation_by_code(db, here, code)
        if invitation is None:
            raise Refused("code_unknown")
        return answering.accept(db, here, invitation.id, read, key, secret, now=now)

    return await site.write_settled(forum.slug, deed), read


def count_tries(db: Db, request: Request, read: ApplicationInput, now: datetime) -> None:
    """Count one sending of a form to register. Raises TooMany."""
    site = site_of(request)
    for whom, most in throttles_of(site, request, read.email, for_others=bool(read.assistant_name)):
        count_visit(db, whom, most, site.settings.throttle_window_seconds, now=now)


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


FIELDS = tuple(name for name in ApplicationInput.model_fields if name not in {"category", "language"})
"""What the form sends; the address says the category and the language."""


def fields_of(sent: FormData, names: tuple[str, ...]) -> Mapping[str, Any]:
    """The named text fields that were sent; others a page does not have are left alone, so old pages still work."""
    return {name: value for name in names if isinstance(value := sent.get(name), str)}


def show_form(
    request: Request,
    lang: Lang,
    forum: Forum,
    standing: Registration,
    category: CategoryView,
    kept: Form,
    status: int = 200,
    *,
    way: Way,
) -> Response:
    """A category's form as one may send it, by whichever way one came to it."""
    values = {
        "forum": forum,
        "registration": standing,
        "category": category,
        "form": kept,
        "token": form_token(request, way.purpose(forum, category), way.bound_to),
        "countries": countries(lang),
        "is_open": category.door is Door.OPEN or way.is_invited,
        "way": way,
        "register_path": f"/{lang}/{forum.slug}/register",
        "sends_mail": site_of(request).settings.sends_mail,
    }
    if way.code:
        values["twin"] = f"{twin(request.url.path, lang)}?{urlencode({'code': way.code})}"
    return page(request, lang, "registration/form.html", status=status, secret=True, **values)


def again(
    request: Request,
    lang: Lang,
    forum: Forum,
    standing: Registration,
    category: CategoryView,
    sent: FormData,
    refused: Answer,
    *,
    way: Way,
) -> Response:
    """The same form with what was typed and what is wrong with it."""
    kept = refilled(lang, sent, refused)
    response = show_form(request, lang, forum, standing, category, kept, refused.status, way=way)
    if isinstance(refused, TooMany):
        response.headers["retry-after"] = str(refused.values["seconds"])
    return response


def sent_page(
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
