"""One's own API tokens: seen, made (and shown once) and ended. What they open is `app.api`."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_by_slug, forum_id, forums
from app.forum.tokens import DAYS, TokenInput, TokenView, end_token, make_token, tokens_of
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, Fault, Invalid, NotFound, Refused
from app.kit.i18n import latin_digits, text_of
from app.kit.inputs import parse
from app.web import deps
from app.web.deps import SignedIn
from app.web.forms import Form, read_form, refilled
from app.web.pages import read_form_token
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
LENGTHS = (7, 30, DAYS, 180, 365)
"""The days a token may be made for here; the deed takes any number up to a year."""


@router.get("/account/tokens")
async def tokens(request: Request) -> Response:
    """The tokens, and the form for one more."""
    return await _page(request)


@router.post("/account/tokens")
async def act(request: Request) -> Response:
    """Make a token, which is in this answer alone; or end the one that `end` names."""
    sent, now, site = await read_form(request), clock.now(), site_of(request)
    someone = await site.read(lambda db: deps.actor_of_request(db, request))
    try:
        read_form_token(request, sent, deps.DESK_FORM, someone.login)
        if "end" in sent:
            number = _number(sent.get("end"))
            mine = {one.id: one.forum for one in await site.read(lambda db: tokens_of(db, someone.actor, now=now))}
            if number not in mine:
                raise NotFound
            await site.write(mine[number], lambda db: end_token(db, someone.actor, number, now=now))
            return deps.back("/account/tokens?done=ended")
        made = await _make(request, someone, sent, now)
    except (Refused, Expired) as refused:
        return await _page(request, sent, refused)
    return deps.show(request, someone, "accounts/token.html", token=made)


async def _make(request: Request, someone: SignedIn, sent: FormData, now: datetime) -> str:
    asked: dict[str, Any] = {name: sent.get(name, "") for name in ("forum", "name", "days")}
    asked["days"] = latin_digits(str(asked["days"]))
    read = parse(TokenInput, {**asked, "scope": tuple(sent.getlist("scope"))})
    if not await site_of(request).read(lambda db: _may_choose(db, someone, read.forum)):
        raise Invalid([Fault("forum", "not_a_choice", {"choices": ""})])
    return await site_of(request).write(
        read.forum, lambda db: make_token(db, someone.actor, forum_by_slug(db, read.forum), read, now=now)
    )


def _may_choose(db: Db, someone: SignedIn, slug: str) -> bool:
    return any(one.slug == slug and someone.actor.may(Permission.SEE_DESK, forum_id(one)) for one in forums(db))


def _number(text: object) -> int:
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound
    return int(text)


@dataclass(frozen=True, slots=True)
class _Seen:
    someone: SignedIn
    tokens: list[TokenView]
    forums: list[Forum] = field(default_factory=list)


async def _page(request: Request, sent: FormData | None = None, refused: Answer | None = None) -> Response:
    now = clock.now()

    def read(db: Db) -> _Seen:
        someone = deps.actor_of_request(db, request)
        there = [one for one in forums(db) if someone.actor.may(Permission.SEE_DESK, forum_id(one))]
        return _Seen(someone, tokens_of(db, someone.actor, now=now), there)

    seen = await site_of(request).read(read)
    lang = seen.someone.lang
    form = Form({"days": str(DAYS)}) if sent is None or refused is None else refilled(lang, sent, refused, ("scope",))
    mine = [one for one in Permission if any(seen.someone.actor.may(one, forum_id(forum)) for forum in seen.forums)]
    values: dict[str, Any] = {
        "tokens": seen.tokens,
        "forums": [(one.slug, one.short_title.of(lang)) for one in seen.forums],
        "lengths": [(str(days), text_of(lang, "account.tokens.days", n=days)) for days in LENGTHS],
        "permissions": [
            (one.value, text_of(lang, f"access.permissions.{one.value}"), "")
            for one in mine
            if one is not Permission.SEE_DESK
        ],
        "form": form,
        "done": refused is None and request.query_params.get("done") == "ended",
    }
    return deps.show(request, seen.someone, "accounts/tokens.html", status=refused.status if refused else 200, **values)
