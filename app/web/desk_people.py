"""Who has which role at a forum's desk, letting colleagues in and out, and the table of roles and permissions."""

from collections.abc import Callable
from typing import Any, Literal

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import PERMISSIONS, Permission, Role
from app.forum import access
from app.forum.inputs import ColleagueInput
from app.forum.models import Forum
from app.forum.people import Colleague, people_of
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, NotFound, Refused
from app.kit.inputs import Input, parse
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
DONE = frozenset({"given", "invited", "again", "taken", "withdrawn", "required", "optional"})


class _Taken(Input):
    role: Role


class _Required(Input):
    required: Literal["yes", "no"]


@router.get("/desk/{forum}/people")
async def people(request: Request, forum: str) -> Response:
    """Who has which role here."""
    return await _list(request, forum)


@router.post("/desk/{forum}/people")
async def give(request: Request, forum: str) -> Response:
    """Give a role to whoever has an address."""
    now = clock.now()

    def deed(db: Db, desk: Desk, found: Forum, sent: FormData) -> str:
        read = parse(ColleagueInput, {name: sent.get(name, "") for name in ColleagueInput.model_fields})
        return "invited" if access.give(db, desk.actor, found, read, now=now) else "given"

    return await _act(request, forum, deed)


@router.post("/desk/{forum}/people/{number}/removal")
async def take_away(request: Request, forum: str, number: str) -> Response:
    """Take one role away."""
    known, now = _number(number), clock.now()

    def deed(db: Db, desk: Desk, found: Forum, sent: FormData) -> str:
        role = parse(_Taken, {"role": sent.get("role", "")}).role
        access.take_away(db, desk.actor, found, known, role, now=now)
        return "taken"

    return await _act(request, forum, deed)


@router.post("/desk/{forum}/people/{number}/invitation")
async def invite_again(request: Request, forum: str, number: str) -> Response:
    """Another link for somebody who has never signed in, in the language of this page."""
    known, now = _number(number), clock.now()

    def deed(db: Db, desk: Desk, found: Forum, _sent: FormData) -> str:
        access.invite_again(db, desk.actor, found, known, desk.lang, now=now)
        return "again"

    return await _act(request, forum, deed)


@router.post("/desk/{forum}/people/{number}/withdrawal")
async def withdraw(request: Request, forum: str, number: str) -> Response:
    """Withdraw an invitation nobody has followed."""
    known, now = _number(number), clock.now()

    def deed(db: Db, desk: Desk, found: Forum, _sent: FormData) -> str:
        access.withdraw_colleague(db, desk.actor, found, known, now=now)
        return "withdrawn"

    return await _act(request, forum, deed)


@router.post("/desk/{forum}/people/second-factor")
async def require(request: Request, forum: str) -> Response:
    """Have the desk ask for a second factor, or no longer."""
    now = clock.now()

    def deed(db: Db, desk: Desk, found: Forum, sent: FormData) -> str:
        required = parse(_Required, {"required": sent.get("required", "")}).required == "yes"
        access.require_second_factor(db, desk.actor, found, required=required, now=now)
        return "required" if required else "optional"

    return await _act(request, forum, deed)


@router.get("/desk/{forum}/permissions")
async def permissions(request: Request, forum: str) -> Response:
    """The table of roles and permissions itself; whoever looks sees which of its columns are theirs."""
    desk, _ = await deps.read_at_desk(request, forum, lambda _db, _desk: None)
    mine = desk.actor.roles.get(forum_id(desk.forum), frozenset())
    values: dict[str, Any] = {
        "roles": list(Role),
        "permissions": list(Permission),
        "table_of": PERMISSIONS,
        "mine": mine | {Role.OWNER} if desk.actor.site_owner else mine,
    }
    return deps.show_at_desk(request, desk, "desk/permissions.html", **values)


async def _act(request: Request, forum: str, deed: Callable[[Db, Desk, Forum, FormData], str]) -> Response:
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, _seen)
    try:
        done = await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk, found, sent))
    except (Refused, Expired) as refused:
        return await _list(request, forum, sent, refused)
    return deps.back(f"{desk.base}/people?done={done}")


def _seen(db: Db, desk: Desk) -> list[Colleague]:
    return people_of(db, desk.actor, desk.forum)


async def _list(request: Request, forum: str, sent: FormData | None = None, refused: Answer | None = None) -> Response:
    desk, there = await deps.read_at_desk(request, forum, _seen)
    done = request.query_params.get("done", "")
    values: dict[str, Any] = {
        "people": there,
        "roles": list(Role),
        "me": desk.actor.id,
        "form": Form({"language": desk.lang})
        if sent is None or refused is None
        else refilled(desk.lang, sent, refused),
        "done": done if refused is None and done in DONE else "",
        "sends_mail": site_of(request).settings.sends_mail,
    }
    status = refused.status if refused else 200
    return deps.show_at_desk(request, desk, "desk/people.html", status=status, **values)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound
    return int(text)
