"""A new edition at the desk: its address, title and days, and what of this one comes along."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.editions.opening import TAKEN, EditionInput, bring_programme, counts_of, open_edition
from app.forum.queries import forum_by_slug, forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, Fault, Invalid, Refused
from app.kit.i18n import LANGS
from app.kit.inputs import parse
from app.web import deps
from app.web.deps import DESK_FORM, Desk
from app.web.forms import Form, read_form, refilled
from app.web.pages import read_form_token
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
OFFERED = tuple(name for name in TAKEN if name != "closed")
"""What is ticked at first: closed sessions are copied by those alone who ask for it."""


@router.get("/desk/{forum}/edition")
async def new_edition(request: Request, forum: str) -> Response:
    """The empty form, with how many of each there are to take along."""
    return await _page(request, forum)


@router.post("/desk/{forum}/edition")
async def make(request: Request, forum: str) -> Response:
    """Open the edition, then bring its programme; and go to its desk."""
    sent, now = await read_form(request), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, _must_own)
    site, source = site_of(request), desk.forum.slug
    try:
        read_form_token(request, sent, DESK_FORM, desk.login)
        read = _parsed(sent)
        await site.write(read.slug, lambda db: _open(db, desk, read, now))
    except (Refused, Expired) as refused:
        return await _page(request, forum, sent, refused)
    done = "opened"
    if "programme" in read.takes:
        try:
            await site.write(
                read.slug,
                lambda db: bring_programme(db, desk.actor, forum_by_slug(db, read.slug), source, read, now=now),
            )
        except Refused:
            done = "without_programme"
    return deps.back(f"/desk/{read.slug}/settings?done={done}")


def _open(db: Db, desk: Desk, read: EditionInput, now: Any) -> None:
    open_edition(db, desk.actor, forum_by_slug(db, desk.forum.slug), read, now=now)


def _must_own(_db: Db, desk: Desk) -> None:
    desk.actor.must(Permission.MANAGE_ACCESS, forum_id(desk.forum))


def _parsed(sent: FormData) -> EditionInput:
    """The form as an edition. Raises Invalid with each fault at its field."""
    text = {name: value for name, value in sent.items() if isinstance(value, str)}
    fields: dict[str, Any] = {
        name: {lang: text.get(f"{name}_{lang}", "") for lang in LANGS} for name in ("title", "short_title")
    }
    fields |= {name: text.get(name, "") for name in ("slug", "starts_on", "ends_on")}
    fields["takes"] = [value for value in sent.getlist("takes") if isinstance(value, str)]
    try:
        return parse(EditionInput, fields)
    except Invalid as invalid:
        raise Invalid([Fault(_place(fault), fault.code, fault.values) for fault in invalid.faults]) from None


_WHOLE: Mapping[str, str] = {
    "both_dates_or_none": "ends_on",
    "ends_before_start": "ends_on",
    "programme_needs_days": "starts_on",
}


def _place(fault: Fault) -> str:
    name = fault.field.partition(".")[0]
    if name in {"title", "short_title"}:
        return f"{name}_en"
    return name or _WHOLE.get(fault.code, "")


async def _page(request: Request, forum: str, sent: FormData | None = None, refused: Answer | None = None) -> Response:
    desk, counts = await deps.read_at_desk(request, forum, lambda db, desk: counts_of(db, desk.actor, desk.forum))
    form = Form({"takes": OFFERED})
    if sent is not None and refused is not None:
        form = refilled(desk.lang, sent, refused, several=("takes",))
    values: dict[str, Any] = {"form": form, "counts": [(name, counts[name]) for name in TAKEN if counts[name]]}
    return deps.show_at_desk(request, desk, "desk/edition.html", status=refused.status if refused else 200, **values)
