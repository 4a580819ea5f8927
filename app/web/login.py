"""Signing in by a one-time link, and out again (rules §7)."""

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts import second_factor, signing_in
from app.accounts.browsers import kind_of_browser
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused, TooMany
from app.kit.i18n import Lang
from app.kit.inputs import parse
from app.kit.pen import SITE
from app.kit.throttling import count_visit, network, who
from app.web import cookies, deps
from app.web.forms import Form, read_form, refilled
from app.web.pages import form_token, page, read_form_token, token
from app.web.passkey_forms import relying_of
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
ASK, USE = "ask-link", "use-link"


@router.get("/login")
async def ask(request: Request) -> Response:
    """Ask for a link; whoever is signed in already is led to the desk, but for one who wants to do so again."""
    with suppress(deps.SignInNeeded):
        if request.query_params.get("again") == "1":
            raise deps.SignInNeeded
        await site_of(request).read(lambda db: deps.actor_of_request(db, request))
        return deps.back("/desk")
    return ask_page(request)


@router.post("/login")
async def send_link(request: Request) -> Response:
    """Send a link where the address has a user; the answer is the same for every address."""
    sent, lang = await read_form(request), deps.reading_language(request)
    try:
        read_form_token(request, sent, ASK)
        asked = parse(signing_in.LinkRequest, {"email": sent.get("email", "")})
        await _ask(request, asked.email, lang)
    except (Refused, TooMany, Expired) as refused:
        return ask_page(request, refused.status, refilled(lang, sent, refused), refused.values.get("seconds"))
    site = site_of(request)
    if not site.settings.sends_mail:
        return ask_page(request)
    return _page(request, lang, "accounts/link_sent.html", late_mail=await site.late_mail.look(site.read))


@router.get("/login/{link}")
async def look_at_link(request: Request, link: str) -> Response:
    """A page with a button: mail scanners open links, so only the button uses it up."""
    known, now = token(link), clock.now()
    if not await site_of(request).read(lambda db: signing_in.link_is_good(db, known, now=now)):
        raise Expired("sign_in_link")
    seal = form_token(request, USE, known)
    return _page(request, deps.reading_language(request), "accounts/use_link.html", form_seal=seal)


@router.post("/login/{link}")
async def use_link(request: Request, link: str) -> Response:
    """Use the link up: a new login, and the browser's former one ends. Who has a second factor is asked for it next."""
    known, former, now = token(link), cookies.read(request, cookies.LOGIN), clock.now()
    read_form_token(request, await read_form(request), USE, known)
    browser = kind_of_browser(request.headers.get("user-agent", ""))

    def deed(db: Db) -> str:
        signing_in.sign_out(db, former, now=now)
        return signing_in.sign_in(db, known, now=now, browser=browser)

    login = await site_of(request).write(SITE, deed)
    owes = await site_of(request).read(lambda db: second_factor.waits(db, login, now=now))
    response = deps.back("/desk" if owes is None else "/login/code")
    deps.open_login(request, response, login)
    return response


@router.post("/logout")
async def sign_out(request: Request) -> Response:
    """End the login."""
    site, sent, now = site_of(request), await read_form(request), clock.now()
    someone = await site.read(lambda db: deps.actor_of_request(db, request))
    with suppress(Expired):  # a page left open overnight may still sign out
        read_form_token(request, sent, deps.DESK_FORM, someone.login)
    await site.write(SITE, lambda db: signing_in.sign_out(db, cookies.read(request, cookies.LOGIN), now=now))
    response = deps.back("/login")
    deps.close_login(request, response)
    return response


SECONDS_TO_ASK = 0.25
"""How long the answer takes for every address: a known one means a few milliseconds more of work."""


async def _ask(request: Request, email: str, lang: Lang) -> None:
    """Count the try and have the mail queued, where mail can leave."""
    answer_at = asyncio.get_running_loop().time() + SECONDS_TO_ASK
    site, now = site_of(request), clock.now()
    settings, address = site.settings, request.scope.get("client_address", "")
    window, secret = settings.throttle_window_seconds, settings.secret_key
    tries = (
        (who(secret, "address", network(address)), settings.throttle_per_address),
        (who(secret, "email", email.casefold()), settings.throttle_per_email),
    )

    def deed(db: Db) -> None:
        for whom, most in tries:
            count_visit(db, whom, most, window, now=now)
        if settings.sends_mail:
            signing_in.ask_for_link(db, email, lang, now=now)

    await site.write(SITE, deed)
    await asyncio.sleep(answer_at - asyncio.get_running_loop().time())


def ask_page(request: Request, status: int = 200, form: Form | None = None, retry_after: int | None = None) -> Response:
    """The page for signing in, or the same again after a form on it was refused."""
    lang, sends_mail = deps.reading_language(request), site_of(request).settings.sends_mail
    response = _page(
        request,
        lang,
        "accounts/ask_link.html",
        at="/login",
        status=status,
        sends_mail=sends_mail,
        form=form or Form(),
        form_seal=form_token(request, ASK),
        passkeys=relying_of(request) is not None,
    )
    if retry_after:
        response.headers["retry-after"] = str(retry_after)
    return response


def _page(request: Request, lang: Lang, template: str, *, status: int = 200, at: str = "", **values: Any) -> Response:
    twin = deps.twin_address(request, lang, at)
    response = page(request, lang, template, status=status, secret=True, twin=twin, **values)
    return deps.keep_language(request, response)
