"""A list of registrations as a file: the columns are chosen, and that it was taken is a fact."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused
from app.kit.i18n import Lang, text_of
from app.registration.exporting import COLUMNS, USUAL, how_many_to_export, note_export, people_to_export
from app.registration.people import listed_name, shown_institution
from app.reports.tables import Cell
from app.web import deps
from app.web.countries import country_name
from app.web.deps import Desk
from app.web.desk_registrations import asked_for, label, link
from app.web.forms import Form, read_form, refilled
from app.web.lists import local
from app.web.taking import chosen, file_answer, kinds

router = APIRouter(include_in_schema=False)


@router.get("/desk/{forum}/registrations/export")
async def choosing(request: Request, forum: str) -> Response:
    """The form: columns and kind of file, for the question of `?state= &category= &q=`."""
    return await _page(
        request, forum, Form(kept={"columns": [name for name in COLUMNS if name in USUAL], "kind": "xlsx"})
    )


@router.post("/desk/{forum}/registrations/export")
async def taking(request: Request, forum: str) -> Response:
    """The file."""
    sent, wanted, now = await read_form(request), asked_for(request.query_params), clock.now()
    desk, rows = await deps.read_at_desk(
        request, forum, lambda db, desk: people_to_export(db, desk.actor, desk.forum, wanted)
    )
    asked = {"state": wanted.standing, "category": wanted.category, "words": wanted.words}
    try:
        columns, kind = chosen(sent, COLUMNS)

        def deed(db: Db, found: Forum) -> None:
            note_export(db, desk.actor, found, columns, len(rows), asked, now=now)

        await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _page(request, forum, refilled(desk.lang, sent, refused, ("columns",)), refused.status)
    headings = [heading(desk.lang, name) for name in columns]
    table = ([found[name] for name in columns] for found in (cells(desk, row) for row in rows))
    return await file_answer("registrations", headings, table, kind, text_of(desk.lang, "export.sheet"))


def heading(lang: Lang, name: str) -> str:
    """A column's name for the reader."""
    return text_of(lang, f"export.column.{name}")


def cells(desk: Desk, row: Any) -> Mapping[str, Cell]:
    """A registration as the cells of a table, by column. Times are of the forum's zone; in a private capacity
    institution and position are left out (rules §2)."""
    lang = desk.lang
    return {
        **{name: str(getattr(row, name) or "") for name in COLUMNS if hasattr(row, name)},
        "standing": label(lang, row).words,
        "category": f"{row.category} · {row.category_name.of(lang)}",
        "listed_name": listed_name(row),
        "titles": ", ".join(row.titles or ()),
        "language": text_of(lang, f"desk.language.{row.language}"),
        "attends_as": text_of(lang, f"export.{row.attends_as}"),
        "institution": shown_institution(row),
        "position_title": "" if row.attends_as == "private" else row.position_title,
        "country": country_name(row.country, lang) if row.country else "",
        "place": row.place,
        "asked_at": local(desk, row.asked_at),
        "confirmed_at": local(desk, row.confirmed_at),
    }


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
