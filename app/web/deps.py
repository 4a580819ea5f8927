"""Who is at the desk's door: the login behind a cookie, the reader's language, the forum and what they may do in it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.accounts.signing_in import LOGIN_LASTS, note_login, whose_login
from app.forum.access import actor_of
from app.forum.models import Forum
from app.forum.queries import forum_by_slug, forum_id
from app.kit import clock, codes
from app.kit.db import Db
from app.kit.errors import Busy
from app.kit.i18n import LANGS, Lang, other
from app.kit.pen import SITE
from app.web import cookies
from app.web.headers import SECRET
from app.web.pages import form_token, opened_at, page, preferred, read_form_token, slug
from app.web.site import site_of

T = TypeVar("T")
DESK_FORM = "desk"
"""The purpose every form at the desk is sealed for, together with the login it was shown to."""
_YEAR = 365 * 24 * 3600


class SignInNeeded(Exception):
    """Nobody is signed in, and this is only for those who are."""


class SecondFactorNeeded(Exception):
    """This forum's desk is for those who sign in with a second factor, and whoever is signed in has none."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whoever is signed in, the language they read, and the digest of their login, which binds forms to it."""

    actor: Actor
    lang: Lang
    login: str


@dataclass(frozen=True, slots=True)
class Desk(SignedIn):
    """Somebody at the desk of one forum."""

    forum: Forum

    @property
    def base(self) -> str:
        """The address under which the desk's pages of this forum stand."""
        return f"/desk/{self.forum.slug}"

    @property
    def works_elsewhere(self) -> bool:
        """May whoever is here have the desk of another forum too?"""
        return self.actor.site_owner or len(self.actor.roles) > 1

    def may(self, permission: Permission) -> bool:
        """Has whoever is here this permission in this forum?"""
        return self.actor.may(permission, forum_id(self.forum))


def reading_language(request: Request) -> Lang:
    """The language of pages whose address does not say it: asked for by `?lang=`, else the reader's own."""
    asked = request.query_params.get("lang")
    return next((lang for lang in LANGS if lang == asked), preferred(request))


def actor_of_request(db: Db, request: Request) -> SignedIn:
    """Whoever is signed in. Raises SignInNeeded. Two queries."""
    token = cookies.read(request, cookies.LOGIN)
    found = whose_login(db, token, now=clock.now()) if token else None
    if found is None:
        raise SignInNeeded
    request.scope["signed_in"] = f"user:{found.user.id}"
    if found.is_stale:
        _note_use(request, token, clock.now())
    return SignedIn(actor_of(db, found.user), reading_language(request), codes.digest(token))


def _note_use(request: Request, token: str, now: datetime) -> None:
    """Have it written, without waiting, that the login is in use."""
    with suppress(Busy):  # where too much waits, the next page notes it
        site_of(request).pen.submit_together(SITE, [lambda db: note_login(db, token, now=now)], quiet=True)


def desk_of_request(db: Db, request: Request, forum: str) -> Desk:
    """Whoever is signed in, at the desk of this forum. Raises SignInNeeded, SecondFactorNeeded, or NotFound without a
    desk there."""
    someone = actor_of_request(db, request)
    found = forum_by_slug(db, slug(forum))
    someone.actor.must(Permission.SEE_DESK, forum_id(found))
    if found.second_factor and not someone.actor.second_factor:
        raise SecondFactorNeeded
    return Desk(someone.actor, someone.lang, someone.login, found)


async def read_at_desk(request: Request, forum: str, query: Callable[[Db, Desk], T]) -> tuple[Desk, T]:
    """Who is at the desk, and the answer of a query, on one view of the database; a replica may give it."""

    def read(db: Db) -> tuple[Desk, T]:
        desk = desk_of_request(db, request, forum)
        return desk, query(db, desk)

    return await site_of(request).read(read, replica=True)


async def write_at_desk(request: Request, desk: Desk, sent: FormData, deed: Callable[[Db, Forum], T]) -> T:
    """Have a form's deed written in the forum's scope, what is due before it, if the form was shown to this login.

    Raises what `read_form_token` and the deed raise.
    """
    read_form_token(request, sent, DESK_FORM, desk.login)
    forum = desk.forum.slug
    return await site_of(request).write_settled(forum, lambda db: deed(db, forum_by_slug(db, forum)))


def show(
    request: Request,
    someone: SignedIn,
    template: str,
    *,
    status: int = 200,
    forum: Forum | None = None,
    **values: Any,
) -> HTMLResponse:
    """Render a page for somebody signed in: never stored, in the language they chose, with a form to sign out."""
    response = page(
        request,
        someone.lang,
        template,
        status=status,
        secret=True,
        twin=twin_address(request, someone.lang),
        forum=forum,
        signed_in=someone.actor.name,
        elsewhere=isinstance(someone, Desk) and someone.works_elsewhere,
        form_seal=form_token(request, DESK_FORM, someone.login),
        **values,
    )
    return keep_language(request, response)


def show_at_desk(request: Request, desk: Desk, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a page of a forum's desk."""
    menu = [
        (part, mine) for part, pages in MENU if (mine := [(tail, name) for tail, name, need in pages if desk.may(need)])
    ]
    values = {
        "forum": desk.forum,
        "base": desk.base,
        "menu": menu,
        "sees_log": desk.may(Permission.SEE_FACTS),
        **values,
    }
    return show(request, desk, template, status=status, **values)


MENU = (
    ("overview", (("", "overview", Permission.SEE_DESK),)),
    (
        "people",
        (
            ("/registrations", "registrations", Permission.SEE_PEOPLE),
            ("/delegations", "delegations", Permission.SEE_PEOPLE),
            ("/invitations", "invitations", Permission.SEE_PEOPLE),
            ("/duplicates", "duplicates", Permission.SEE_PEOPLE),
            ("/letters", "letters", Permission.SEE_SENSITIVE),
            ("/questions", "questions", Permission.EDIT_FORUM),
            ("/privacy", "privacy", Permission.EDIT_FORUM),
        ),
    ),
    (
        "protocol",
        (
            ("/precedence", "precedence", Permission.SEE_PEOPLE),
            ("/head-table", "head_table", Permission.SEE_PEOPLE),
            ("/participants", "participants", Permission.EXPORT_PEOPLE),
            ("/lists", "lists", Permission.SEE_DESK),
        ),
    ),
    (
        "places",
        (
            ("/seats", "seats", Permission.EDIT_FORUM),
            ("/hold-backs", "hold_backs", Permission.SEE_PEOPLE),
            ("/sign-ups", "sign_ups", Permission.SEE_DESK),
        ),
    ),
    (
        "programme",
        (
            ("/programme", "programme", Permission.SEE_DESK),
            ("/programme/coverage", "coverage", Permission.SEE_DESK),
            ("/speakers", "speakers", Permission.SEE_DESK),
            ("/rooms", "rooms", Permission.SEE_DESK),
            ("/materials", "materials", Permission.EDIT_PROGRAMME),
            ("/calendar", "calendar", Permission.SEE_DESK),
        ),
    ),
    (
        "mail",
        (
            ("/outbox", "outbox", Permission.SEE_MAIL),
            ("/mailings", "mailings", Permission.SEE_MAIL),
            ("/messages", "messages", Permission.SEE_MAIL),
        ),
    ),
    ("facts", (("/facts", "facts", Permission.SEE_FACTS),)),
    (
        "settings",
        (
            ("/settings", "settings", Permission.EDIT_FORUM),
            ("/edition", "edition", Permission.MANAGE_ACCESS),
            ("/archive", "archive", Permission.MANAGE_ACCESS),
        ),
    ),
    (
        "access",
        (
            ("/people", "colleagues", Permission.MANAGE_ACCESS),
            ("/permissions", "permissions", Permission.SEE_DESK),
            ("/webhooks", "webhooks", Permission.EDIT_FORUM),
        ),
    ),
)
"""The desk's menu by parts: the tail of a page's address, its name, and what one needs to open it."""


def twin_address(request: Request, lang: Lang, at: str = "") -> str:
    """This page in the other language: the same address and question, with `?lang=`; of what answers a form, the page
    the form is on, which is `at` where more than one could be."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return f"{at or opened_at(request)}?{urlencode([*kept, ('lang', other(lang))])}"


def keep_language(request: Request, response: HTMLResponse) -> HTMLResponse:
    """Remember a language that was asked for by `?lang=`."""
    asked = request.query_params.get("lang")
    if asked in LANGS:
        cookies.give(request, response, cookies.LANGUAGE, asked, _YEAR)
    return response


def back(address: str) -> Response:
    """After a form: go and look."""
    return RedirectResponse(address, 303, headers={"cache-control": SECRET})


def open_login(request: Request, response: Response, token: str) -> None:
    """Give the browser its login."""
    cookies.give(request, response, cookies.LOGIN, token, int(LOGIN_LASTS.total_seconds()))


def close_login(request: Request, response: Response) -> None:
    """Take the login back from the browser."""
    cookies.take_back(request, response, cookies.LOGIN)
