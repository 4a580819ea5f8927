"""A list of registrations as a file: the columns are chosen, and that it was taken is a fact."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused
from app.kit.i18n import text_of
from app.registration.exporting import COLUMNS, USUAL, how_many_to_export, note_export, people_to_export
from app.reports.registrations import as_row, heading
from app.web import deps
from app.web.desk_registrations import asked_for, link
from app.web.forms import Form, read_form, refilled
from app.web.taking import chosen, file_answer, kinds

router = APIRouter(include_in_schema=False)


@router.get("/desk/{forum}/registrations/export")
async def choosing(request: Request, forum: str) -> Response:
    """The form: columns and kind of file, for the question of `?state= &category= &q=`."""
    shown = asked_for(request.query_params).columns
    ticked = [name for name in COLUMNS if name in (("listed_name", *shown) if shown else USUAL)]
    return await _page(request, forum, Form(kept={"columns": ticked, "kind": "xlsx"}))


@router.post("/desk/{forum}/registrations/export")
async def taking(request: Request, forum: str) -> Response:
    """The file."""
    sent, wanted, now = await read_form(request), asked_for(request.query_params), clock.now()
    desk, rows = await deps.read_at_desk(
        request, forum, lambda db, desk: people_to_export(db, desk.actor, desk.forum, wanted)
    )
    more = link("", wanted).removeprefix("?") if wanted.further.asked else ""
    asked = {"state": wanted.standing, "category": wanted.category, "words": wanted.words, "question": more}
    try:
        columns, kind = chosen(sent, COLUMNS)

        def deed(db: Db, found: Forum) -> None:
            note_export(db, desk.actor, found, columns, len(rows), asked, now=now)

        await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _page(request, forum, refilled(desk.lang, sent, refused, ("columns",)), refused.status)
    headings = [heading(desk.lang, name) for name in columns]
    table = ([found[name] for name in columns] for found in (as_row(desk, row) for row in rows))
    return await file_answer("registrations", headings, table, kind, text_of(desk.lang, "export.sheet"))


async def _page(request: Request, forum: str, form: Form, status: int = 200) -> Response:
    wanted = asked_for(request.query_params)
    desk, people = await deps.read_at_desk(
        request, forum, lambda db, desk: how_many_to_export(db, desk.actor, desk.forum, wanted)
    )
    address = f"{desk.base}/registrations"
    values: dict[str, Any] = {
        "form": form,
        "columns": [(name, heading(desk.lang, name), "") for name in COLUMNS],
        "kinds": kinds(desk.lang),
        "people": people,
        "wanted": wanted,
        "action": link(f"{address}/export", wanted),
        "list": link(address, wanted),
    }
    return deps.show_at_desk(request, desk, "desk/export.html", status=status, **values)
