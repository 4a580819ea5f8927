"""Registering: choosing a category, its form, and the answer, which is the same for everybody."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.forum.queries import forum_by_slug, forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, Fault, Invalid, NotFound, Refused, TooMany
from app.kit.i18n import Lang
from app.kit.inputs import Input, parse
from app.kit.throttling import count_visit, network, who
from app.registration import answering, applying
from app.registration.answering import Sent
from app.registration.inputs import ApplicationInput
from app.registration.queries import CategoryView, Registration, registration_of
from app.registration.question_queries import QuestionView, questions_of
from app.registration.rules.eligibility import Door
from app.registration.rules.names import normal_email
from app.web.answers import fields_for, file_again, files_asked, read_answers, several
from app.web.countries import countries
from app.web.forms import Form, read_form, refilled
from app.web.pages import form_token, language, page, read_form_token, slug
from app.web.site import Site, site_of

router = APIRouter(include_in_schema=False)
Read = TypeVar("Read", bound=Input)


@router.get("/{lang}/{forum}/register")
async def choose(request: Request, lang: str, forum: str) -> Response:
    """The categories, and which of them one may apply in now."""
    words, found, standing = await _standing(request, lang, forum)
    return page(request, words, "registration/choose.html", forum=found, registration=standing)


@router.get("/{lang}/{forum}/register/{category}")
async def form(request: Request, lang: str, forum: str, category: str) -> Response:
    """A category's form, or the sentence that says why there is none now."""
    words, found, standing, questions = await _asked(request, lang, forum, category)
    chosen = standing.category(_code(category))
    empty = Form({"country": "KH", "attends_as": "official"})
    return _form(request, words, found, standing, chosen, questions, empty)


@router.post("/{lang}/{forum}/register/{category}")
async def register(request: Request, lang: str, forum: str, category: str) -> Response:
    """Take a registration. Known and unknown addresses get one and the same page (rules §2)."""
    words, found, standing, questions = await _asked(request, lang, forum, category)
    chosen = standing.category(_code(category))
    sent = await read_form(request, fields=MOST_FIELDS, files=files_asked(questions))
    answers = await read_answers(sent, questions, site_of(request).settings.file_limit_bytes)
    try:
        key = _read_token(request, sent, _purpose(found, chosen))
        asked, read = await _apply(request, words, found, chosen, sent, key, questions, answers)
    except (Refused, Expired, TooMany) as refused:
        told = file_again(refused, questions, answers)
        return _again(request, words, found, standing, chosen, questions, sent, told)
    return _sent(request, words, found, chosen, read, asked)


async def _standing(request: Request, lang: str, forum: str) -> tuple[Lang, Forum, Registration]:
    words, now = language(lang), clock.now()

    def read(db: Db) -> tuple[Forum, Registration]:
        found = forum_by_slug(db, slug(forum))
        return found, registration_of(db, found, now=now)

    return words, *(await site_of(request).read(read))


async def _asked(
    request: Request, lang: str, forum: str, category: str
) -> tuple[Lang, Forum, Registration, tuple[QuestionView, ...]]:
    """How registration stands, and what a category's form asks."""
    words, found, standing = await _standing(request, lang, forum)
    own, code = forum_id(found), _code(category)
    return words, found, standing, await site_of(request).read(lambda db: questions_of(db, own, code))


def _code(category: str) -> str:
    """A category's code from its address, where it is written small."""
    if not category.isascii() or category != category.lower():
        raise NotFound
    return category.upper()


def _purpose(forum: Forum, category: CategoryView) -> str:
    return f"register/{forum.slug}/{category.code}"


def _read_token(request: Request, sent: FormData, purpose: str) -> str:
    key, age = read_form_token(request, sent, purpose)
    if sent.get("website"):
        raise Refused("form_trap")
    if age < site_of(request).settings.form_min_seconds:
        raise Refused("form_too_quick")
    return key


async def _apply(
    request: Request,
    lang: Lang,
    forum: Forum,
    category: CategoryView,
    sent: FormData,
    key: str,
    questions: tuple[QuestionView, ...],
    answers: Sent,
) -> tuple[applying.Asked, ApplicationInput]:
    details = {**fields_of(sent, _FIELDS), "category": category.code, "language": lang}
    read = parse_with(ApplicationInput, details, answering.read(questions, answers).faults)
    site, now = site_of(request), clock.now()
    secret = site.settings.secret_key
    throttles = throttles_of(site, request, read.email, for_others=bool(read.assistant_name))

    def deed(db: Db) -> applying.Asked:
        for whom, most in throttles:
            count_visit(db, whom, most, site.settings.throttle_window_seconds, now=now)
        return applying.apply(
            db, Actor.visitor(), forum_by_slug(db, forum.slug), read, key, secret, now=now, answers=answers
        )

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


MOST_FIELDS = 400
"""The fields of a registration and of as many questions as a forum may ask, each box of several being one."""


def parse_with(model: type[Read], details: Mapping[str, Any], more: Sequence[Fault]) -> Read:
    """The input, and what else is wrong with the form told with it. Raises Invalid."""
    faults: tuple[Fault, ...] = ()
    try:
        read = parse(model, details)
    except Invalid as invalid:
        faults = invalid.faults
    if faults or more:
        raise Invalid((*faults, *more))
    return read


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
    questions: tuple[QuestionView, ...],
    kept: Form,
    status: int = 200,
) -> Response:
    values = {
        "forum": forum,
        "registration": standing,
        "category": category,
        "form": kept,
        "questions": fields_for(lang, questions),
        "brings_files": files_asked(questions) > 0,
        "token": form_token(request, _purpose(forum, category)),
        "countries": countries(lang),
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
    questions: tuple[QuestionView, ...],
    sent: FormData,
    refused: Answer,
) -> Response:
    """The same form with what was typed and what is wrong with it."""
    again = refilled(lang, sent, refused, several(questions))
    response = _form(request, lang, forum, standing, category, questions, again, refused.status)
    if refused.status == TooMany.status:
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
