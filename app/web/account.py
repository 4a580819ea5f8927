"""Somebody's own page, outside every forum: where they are signed in and by what, and the language they read."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts import logins, passkeys, second_factor
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, NotFound, Refused
from app.kit.pen import SITE
from app.web import deps
from app.web.deps import SignedIn
from app.web.forms import Form, read_form, refilled
from app.web.pages import read_form_token
from app.web.passkey_forms import relying_of
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
DONE = frozenset({"ended", "others", "passkey_added", "passkey_renamed", "passkey_removed"})


@router.get("/account")
async def account(request: Request) -> Response:
    """The own page."""
    return await own_page(request)


@router.post("/account/logins/others")
async def end_others(request: Request) -> Response:
    """End every login but this browser's."""
    now = clock.now()

    def deed(db: Db, someone: SignedIn, _sent: FormData) -> str:
        logins.end_other_logins(db, someone.actor, someone.login, now=now)
        return "others"

    return await _act(request, deed)


@router.post("/account/logins/{number}/removal")
async def end_one(request: Request, number: str) -> Response:
    """End one login."""
    now = clock.now()
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise NotFound

    def deed(db: Db, someone: SignedIn, _sent: FormData) -> str:
        logins.end_login(db, someone.actor, int(number), now=now)
        return "ended"

    return await _act(request, deed)


async def _act(request: Request, deed: Callable[[Db, SignedIn, FormData], str]) -> Response:
    """A button of the own page, if it was shown to this login."""
    sent = await read_form(request)
    site = site_of(request)
    someone = await site.read(lambda db: deps.actor_of_request(db, request))
    try:
        read_form_token(request, sent, deps.DESK_FORM, someone.login)
        done = await site.write(SITE, lambda db: deed(db, someone, sent))
    except (Refused, Expired) as refused:
        return await own_page(request, sent, refused)
    return deps.back(f"/account?done={done}")


async def own_page(request: Request, sent: FormData | None = None, refused: Answer | None = None) -> Response:
    """The page, or the same again after a form on it was refused."""
    now, done = clock.now(), request.query_params.get("done", "")

    def read(db: Db) -> tuple[SignedIn, list[logins.LoginView], dict[str, Any]]:
        someone = deps.actor_of_request(db, request)
        keys, fresh = passkeys.passkeys_of(db, someone.actor), logins.is_fresh(db, someone.login, now=now)
        coded, _ = second_factor.stands(db, someone.actor)
        return someone, logins.logins_of(db, someone.actor, now=now), {"keys": keys, "fresh": fresh, "factor": coded}

    someone, there, values = await site_of(request).read(read)
    values |= {
        "logins": there,
        "current": someone.login,
        "possible": relying_of(request) is not None,
        "form": Form() if sent is None or refused is None else refilled(someone.lang, sent, refused),
        "done": done if refused is None and done in DONE else "",
    }
    return deps.show(request, someone, "accounts/account.html", status=refused.status if refused else 200, **values)
