"""Copying another edition's programme at the desk: which forum and first day, what that would change, then that."""

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, Fault, Invalid, NotFound, Refused
from app.kit.inputs import parse
from app.programme.altering import Altered
from app.programme.copying import Copy, copy_programme, editions_for, look_at_copy
from app.programme.inputs import CopyInput
from app.web import deps
from app.web.alterations import agreed, preview_of
from app.web.deps import Desk
from app.web.desk_programme import must_edit
from app.web.desk_take_back import done_at
from app.web.forms import Form, read_form
from app.web.pages import sentence
from app.web.working import Working, read_working

router = APIRouter(include_in_schema=False)
FIELDS = tuple(CopyInput.model_fields)


@router.get("/desk/{forum}/programme/copy")
async def choosing(request: Request, forum: str) -> Response:
    """Which edition, and from which day; with a choice in the address, what copying it would change."""
    asked = {name: request.query_params.get(name, "") for name in FIELDS}
    return await _page(request, forum, asked, looked="source" in request.query_params)


@router.post("/desk/{forum}/programme/copy")
async def copy(request: Request, forum: str) -> Response:
    """Copy what was looked at."""
    sent, now = await read_form(request), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, must_edit)
    asked = {name: str(sent.get(name, "")) for name in FIELDS}
    try:
        read, what = agreed(sent), parse(CopyInput, asked)

        def deed(db: Db, found: Forum) -> Altered:
            return copy_programme(db, desk.actor, found, what, mark=read.mark, now=now, reason=read.reason)

        done = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _page(request, forum, asked, looked=True, sent=sent, refused=refused)
    return deps.back(done_at(desk, done, "copied"))


async def _page(
    request: Request,
    forum: str,
    asked: dict[str, str],
    *,
    looked: bool,
    sent: FormData | None = None,
    refused: Answer | None = None,
) -> Response:
    now = clock.now()

    def look(db: Db, desk: Desk) -> tuple[list[Forum], Working, Copy | None, Answer | None]:
        must_edit(db, desk)
        editions, working = editions_for(db, desk.actor, desk.forum), read_working(db, desk, now)
        if not looked:
            return editions, working, None, None
        try:
            return editions, working, look_at_copy(db, desk.actor, desk.forum, parse(CopyInput, asked)), None
        except NotFound:
            return editions, working, None, Invalid([Fault("source", "not_chosen")])
        except Refused as wrong:
            return editions, working, None, wrong

    desk, (editions, working, found, wrong) = await deps.read_at_desk(request, forum, look)
    told = refused or wrong
    kept = {**asked, "reason": str(sent.get("reason", "")) if sent else ""}
    faults = {fault.field.split(".")[0]: sentence(desk.lang, fault) for fault in told.faults} if told else {}
    if not looked:
        kept |= {"first_day": desk.forum.starts_on.isoformat() if desk.forum.starts_on else "", "speakers": "yes"}
    values: dict[str, Any] = {
        "form": Form(kept, faults),
        "editions": [(each.slug, f"{each.short_title.of(desk.lang)} ({each.slug})") for each in editions],
        "there": len(working.sessions),
        "seen": preview_of(working, found.alteration) if found else None,
        "people": len(found.speakers) if found else 0,
        "asked": asked,
    }
    return deps.show_at_desk(request, desk, "desk/programme_copy.html", status=told.status if told else 200, **values)
