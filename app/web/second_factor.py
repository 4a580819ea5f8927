"""The second factor: set up, renewed and turned off on the own page, and asked for after the link."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import segno
from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts import logins, second_factor
from app.accounts.second_factor import CodeInput
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, Refused, TooMany
from app.kit.inputs import parse
from app.kit.pen import SITE
from app.kit.throttling import count_visit, who
from app.web import cookies, deps
from app.web.deps import SignedIn
from app.web.forms import Form, read_form, refilled
from app.web.pages import form_token, page, read_form_token
from app.web.passkey_forms import relying_of
from app.web.site import site_of

T = TypeVar("T")
router = APIRouter(include_in_schema=False)
ENTER = "enter-code"


@router.get("/account/factor")
async def show(request: Request) -> Response:
    """How the second factor stands: off, begun with its picture, or on."""
    return await _page(request)


@router.post("/account/factor")
async def begin(request: Request) -> Response:
    """Make a secret."""
    sent, now = await read_form(request), clock.now()
    someone, key = await _someone(request), site_of(request).settings.secret_key
    try:
        read_form_token(request, sent, deps.DESK_FORM, someone.login)
        await site_of(request).write(
            SITE, lambda db: second_factor.begin(db, someone.actor, someone.login, key, now=now)
        )
    except (Refused, Expired) as refused:
        return await _page(request, sent, refused)
    return deps.back("/account/factor")


@router.post("/account/factor/confirmation")
async def confirm(request: Request) -> Response:
    """Its first code: the recovery codes are shown, once."""

    def deed(db: Db, one: SignedIn, key: bytes, code: str, now: datetime) -> list[str]:
        return second_factor.confirm(db, one.actor, one.login, key, code, now=now, language=one.lang)

    return await _codes(request, deed)


@router.post("/account/factor/codes")
async def renew(request: Request) -> Response:
    """Other recovery codes, shown once."""

    def deed(db: Db, one: SignedIn, key: bytes, code: str, now: datetime) -> list[str]:
        return second_factor.renew_codes(db, one.actor, key, code, now=now)

    return await _codes(request, deed)


@router.post("/account/factor/removal")
async def turn_off(request: Request) -> Response:
    """Turn it off, by a code."""
    sent = await read_form(request)

    def deed(db: Db, one: SignedIn, key: bytes, code: str, now: datetime) -> None:
        second_factor.turn_off(db, one.actor, key, code, now=now, language=one.lang)

    try:
        await _with_code(request, sent, deed)
    except (Refused, Expired, TooMany) as refused:
        return await _page(request, sent, refused)
    return deps.back("/account/factor?done=off")


@router.get("/login/code")
async def ask(request: Request) -> Response:
    """Ask for the code after the link."""
    await _waiting(request)
    return code_page(request)


@router.post("/login/code")
async def enter(request: Request) -> Response:
    """The code: the half login becomes another, whole one."""
    sent, lang, now, site = await read_form(request), deps.reading_language(request), clock.now(), site_of(request)
    half, key = cookies.read(request, cookies.LOGIN), site.settings.secret_key
    try:
        read_form_token(request, sent, ENTER)
        code = parse(CodeInput, {"code": sent.get("code", "")}).code
        await _count(request, await _waiting(request))
        login = await site.write(SITE, lambda db: second_factor.finish(db, half, key, code, now=now))
    except (Refused, TooMany) as refused:
        return code_page(request, refused, refilled(lang, sent, refused))
    response = deps.back("/desk")
    deps.open_login(request, response, login)
    return response


async def _someone(request: Request) -> SignedIn:
    return await site_of(request).read(lambda db: deps.actor_of_request(db, request))


async def _waiting(request: Request) -> int:
    """Whose half login the browser has. Raises SignInNeeded."""
    half, now = cookies.read(request, cookies.LOGIN), clock.now()
    user = await site_of(request).read(lambda db: second_factor.waits(db, half, now=now)) if half else None
    if user is None:
        raise deps.SignInNeeded
    return user


async def _count(request: Request, user: int | None) -> None:
    """Count a try before it is made, in a commit of its own: a wrong code takes back nothing of it."""
    settings, now = site_of(request).settings, clock.now()
    whom = who(settings.secret_key, "second-factor", str(user))
    most, window = settings.throttle_wrong_codes, settings.throttle_window_seconds
    await site_of(request).write(SITE, lambda db: count_visit(db, whom, most, window, now=now))


async def _with_code(request: Request, sent: FormData, deed: Callable[..., T]) -> T:
    """A deed of the own page that takes a code."""
    someone, now, site = await _someone(request), clock.now(), site_of(request)
    read_form_token(request, sent, deps.DESK_FORM, someone.login)
    code, key = parse(CodeInput, {"code": sent.get("code", "")}).code, site.settings.secret_key
    await _count(request, someone.actor.id)

    def write(db: Db) -> T:
        return deed(db, someone, key, code, now)

    return await site.write(SITE, write)


async def _codes(request: Request, deed: Callable[..., list[str]]) -> Response:
    sent = await read_form(request)
    try:
        made = await _with_code(request, sent, deed)
    except (Refused, Expired, TooMany) as refused:
        return await _page(request, sent, refused)
    return deps.show(request, await _someone(request), "accounts/codes.html", codes=made)


async def _page(request: Request, sent: FormData | None = None, refused: Answer | None = None) -> Response:
    key = site_of(request).settings.secret_key

    now = clock.now()

    def read(db: Db) -> tuple[SignedIn, bool, tuple[str, str] | None, tuple[Any, int]]:
        someone = deps.actor_of_request(db, request)
        fresh = logins.is_fresh(db, someone.login, now=now)
        # the secret is for whoever may set it up: in a browser left open it could be read before it counts
        begun = second_factor.address_of(db, someone.actor, key) if fresh else None
        return someone, fresh, begun, second_factor.stands(db, someone.actor)

    someone, fresh, begun, (since, left) = await site_of(request).read(read)
    form = Form() if sent is None or refused is None else refilled(someone.lang, sent, refused)
    values: dict[str, Any] = {
        "key": begun[0] if begun else "",
        "picture": picture_of(begun[1]) if begun else "",
        "fresh": fresh,
        "since": since,
        "left": left,
        "form": Form({}, form.faults),  # a code is never shown again
        "needed": refused is None and request.query_params.get("needed") == "1" and since is None,
        "done": "off" if refused is None and request.query_params.get("done") == "off" else "",
    }
    return deps.show(request, someone, "accounts/factor.html", status=refused.status if refused else 200, **values)


def picture_of(address: str) -> str:
    """An otpauth: address as a QR code (ISO/IEC 18004, level M): an SVG picture, dark on light in every scheme."""
    return segno.make(address, error="m", micro=False).svg_inline(
        border=4, scale=5, light="#fff", svgclass=None, lineclass=None
    )


def code_page(request: Request, refused: Answer | None = None, form: Form | None = None) -> Response:
    """The page that asks for the code after the link, or the same again after a form on it was refused."""
    lang, seal = deps.reading_language(request), form_token(request, ENTER)
    response = page(
        request,
        lang,
        "accounts/enter_code.html",
        status=refused.status if refused else 200,
        secret=True,
        twin=deps.twin_address(request, lang, "/login/code"),
        form=Form({}, form.faults) if form else Form(),
        form_seal=seal,
        passkeys=relying_of(request) is not None,
    )
    if isinstance(refused, TooMany):
        response.headers["retry-after"] = str(refused.values["seconds"])
    return deps.keep_language(request, response)
