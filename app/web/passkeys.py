"""Passkeys: what a browser asks its authenticator for, adding and changing them on the own page, and signing in.

A page's script sends `act=begin` first and is answered with what to ask for as JSON; what comes of it is sent as a
form like any other, so that every refusal is a page.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.accounts import authenticators, passkeys, second_factor
from app.accounts.authenticators import Relying
from app.accounts.browsers import kind_of_browser
from app.accounts.passkeys import AddInput, RemoveInput, RenameInput, ShowInput
from app.forum.access import needs_second_factor
from app.kit import clock, codes
from app.kit.db import Db
from app.kit.errors import Answer, Expired, Fault, Invalid, Refused, TooMany
from app.kit.inputs import parse
from app.kit.pen import SITE
from app.kit.throttling import count_visit, network, who
from app.web import cookies, deps
from app.web.account import own_page
from app.web.deps import SignedIn
from app.web.forms import read_form, refilled
from app.web.headers import SECRET
from app.web.login import ASK, ask_page
from app.web.pages import read_form_token
from app.web.passkey_forms import relying_of
from app.web.second_factor import ENTER, code_page
from app.web.site import site_of

router = APIRouter(include_in_schema=False)


@router.post("/account/passkeys")
async def change(request: Request) -> Response:
    """Begin adding one, add, rename or remove one: `act` says which."""
    sent = await read_form(request)
    someone = await site_of(request).read(lambda db: deps.actor_of_request(db, request))
    try:
        read_form_token(request, sent, deps.DESK_FORM, someone.login)
        return await _act(sent, ACTS)(request, someone, sent)
    except (Refused, Expired) as refused:
        return await own_page(request, sent, refused)


@router.post("/login/passkey")
async def sign_in(request: Request) -> Response:
    """Begin signing in with one, or show it: `act` says which."""
    sent = await read_form(request)
    try:
        _read_token(request, sent)
        act = _act(sent, {"begin": _begin_signing_in, "use": _use})
        await _count(request)
        return await act(request, _relying(request), sent)
    except (Refused, Expired, TooMany) as refused:
        return await _refused(request, sent, refused)


async def _begin_adding(request: Request, someone: SignedIn, _sent: FormData) -> Response:
    relying, now = _relying(request), clock.now()

    def deed(db: Db) -> Any:
        return passkeys.begin_adding(db, someone.actor, someone.login, relying, now=now)

    return _asked(await site_of(request).write(SITE, deed))


async def _add(request: Request, someone: SignedIn, sent: FormData) -> Response:
    new, now, key = _read(AddInput, sent), clock.now(), site_of(request).settings.secret_key
    made = await run_in_threadpool(authenticators.made, _relying(request), new.credential)

    def deed(db: Db) -> list[str]:
        return passkeys.add(db, someone.actor, someone.login, made, new.name, someone.lang, key, now=now)

    made_codes = await site_of(request).write(SITE, deed)
    if made_codes:
        return deps.show(request, someone, "accounts/codes.html", codes=made_codes)
    return deps.back("/account?done=passkey_added")


async def _rename(request: Request, someone: SignedIn, sent: FormData) -> Response:
    now, field = clock.now(), f"name-{sent.get('number', '')}"
    typed = {"act": "rename", "number": str(sent.get("number", "")), "name": str(sent.get(field, ""))}
    try:
        new = parse(RenameInput, typed)
    except Invalid as invalid:  # each row has a field of its own
        named = {"name": field}
        raise Invalid([replace(fault, field=named.get(fault.field, fault.field)) for fault in invalid.faults]) from None
    await site_of(request).write(SITE, lambda db: passkeys.rename(db, someone.actor, new.number, new.name, now=now))
    return deps.back("/account?done=passkey_renamed")


async def _remove(request: Request, someone: SignedIn, sent: FormData) -> Response:
    gone, now = _read(RemoveInput, sent), clock.now()

    def deed(db: Db) -> None:
        needed = needs_second_factor(db, someone.actor)
        passkeys.remove(db, someone.actor, someone.login, gone.number, someone.lang, needed=needed, now=now)

    await site_of(request).write(SITE, deed)
    return deps.back("/account?done=passkey_removed")


ACTS: dict[str, Callable[..., Awaitable[Response]]] = {
    "begin": _begin_adding,
    "add": _add,
    "rename": _rename,
    "remove": _remove,
}


async def _begin_signing_in(request: Request, relying: Relying, _sent: FormData) -> Response:
    browser, now = codes.one_time_token(), clock.now()
    asked = await site_of(request).write(SITE, lambda db: passkeys.begin_signing_in(db, browser, relying, now=now))
    response, lasts = _asked(asked), int(passkeys.CHALLENGE_LASTS.total_seconds())
    cookies.give(request, response, cookies.CHALLENGE, browser, lasts, samesite="strict")
    return response


async def _use(request: Request, relying: Relying, sent: FormData) -> Response:
    text, now, site = _read(ShowInput, sent).credential, clock.now(), site_of(request)
    found = await site.read(lambda db: passkeys.kept(db, authenticators.named(text)))
    seen = await run_in_threadpool(authenticators.shown, relying, text, found.key)
    browser, former = cookies.read(request, cookies.CHALLENGE), cookies.read(request, cookies.LOGIN)
    kind = kind_of_browser(request.headers.get("user-agent", ""))
    login = await site.write(SITE, lambda db: passkeys.sign_in(db, found, seen, browser, former, now=now, kind=kind))
    if login is None:
        raise Refused("passkey_copied")
    response = deps.back("/desk")
    deps.open_login(request, response, login)
    cookies.take_back(request, response, cookies.CHALLENGE, samesite="strict")
    return response


def _read_token(request: Request, sent: FormData) -> None:
    """The token of the page it was sent from, which is one of two. Raises as `read_form_token`."""
    try:
        read_form_token(request, sent, ASK)
    except Refused:
        read_form_token(request, sent, ENTER)


def _act(sent: FormData, acts: dict[str, Callable[..., Awaitable[Response]]]) -> Callable[..., Awaitable[Response]]:
    found = acts.get(str(sent.get("act", "")))
    if found is None:
        raise Invalid([Fault("act", "not_a_choice")])
    return found


def _read(model: type[Any], sent: FormData) -> Any:
    return parse(model, {name: str(sent.get(name, "")) for name in model.model_fields})


def _relying(request: Request) -> Relying:
    found = relying_of(request)
    if found is None:
        raise Refused("passkeys_not_here")
    return found


def _asked(options: Any) -> JSONResponse:
    return JSONResponse({"publicKey": options}, headers={"cache-control": SECRET})


async def _count(request: Request) -> None:
    """Count a try of a network address, in a commit of its own."""
    settings, now = site_of(request).settings, clock.now()
    whom = who(settings.secret_key, "passkey", network(request.scope.get("client_address", "")))
    most, window = settings.throttle_per_address, settings.throttle_window_seconds
    await site_of(request).write(SITE, lambda db: count_visit(db, whom, most, window, now=now))


async def _refused(request: Request, sent: FormData, refused: Answer) -> Response:
    """The page the passkey was asked for on: after the link, or the first one."""
    half, now, lang = cookies.read(request, cookies.LOGIN), clock.now(), deps.reading_language(request)
    waiting = half and await site_of(request).read(lambda db: second_factor.waits(db, half, now=now)) is not None
    form = refilled(lang, sent, refused)
    if waiting:
        return code_page(request, refused, form)
    return ask_page(request, refused.status, form, refused.values.get("seconds"))
