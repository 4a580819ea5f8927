"""Importing a programme at the desk: a table is sent, what it would change is looked at, and just that is done."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from app.forum.models import Forum
from app.forum.queries import ForumPage, forum_page
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, NotFound, Refused
from app.kit.i18n import text_of
from app.kit.sheets import MOST_BYTES, MOST_ROWS, Rows, as_text, letter_of, workbook
from app.programme.altering import Altered
from app.programme.receiving import LONGEST, rows_in_file, rows_in_text, sealed, unsealed
from app.programme.tabling import COLUMNS, FACETS, RULES, Table, headings, import_table, look_at, rows_of
from app.reports.tables import as_csv
from app.web import deps
from app.web.alterations import agreed, asked_again, preview_of
from app.web.deps import Desk
from app.web.desk_programme import must_edit
from app.web.desk_take_back import done_at
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET
from app.web.pages import read_form_token, sentence
from app.web.site import site_of
from app.web.working import Working, read_working

router = APIRouter(include_in_schema=False)
_KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_LONGEST_TEXT = 400_000
"""Bytes of a table that is shown as a text to mend: a browser sends it back in three times as many."""
_SHORT = 60


@router.get("/desk/{forum}/programme/import")
async def sending(request: Request, forum: str) -> Response:
    """The form to send a table, and how it is read."""
    return await _form(request, forum, Form())


@router.get("/desk/{forum}/programme/import/{name}.{kind}")
async def table(request: Request, forum: str, name: str, kind: str) -> Response:
    """The table to edit and send back: `empty`, or `programme` with the working copy in it; CSV or XLSX."""
    desk, rows = await deps.read_at_desk(request, forum, _rows)
    if name not in {"empty", "programme"} or kind not in _KINDS:
        raise NotFound
    filled = rows if name == "programme" else []
    title = text_of(desk.lang, "web.desk.programme")
    body = as_csv(headings(), filled) if kind == "csv" else workbook(headings(), filled, title)
    headers = {"content-disposition": f'attachment; filename="{name}.{kind}"', "cache-control": SECRET}
    return Response(body, headers=headers, media_type=_KINDS[kind])


@router.post("/desk/{forum}/programme/import")
async def preview(request: Request, forum: str) -> Response:
    """Read a table and show what it would change. Nothing is written."""
    sent = await read_form(request, files=1, longest=LONGEST)
    desk, _ = await deps.read_at_desk(request, forum, must_edit)
    rows: Rows = []
    try:
        read_form_token(request, sent, deps.DESK_FORM, desk.login)
        return await _preview(request, forum, rows, sent, reader=await _reader(sent))
    except (Refused, Expired) as refused:
        return await _form(request, forum, _again(desk, sent, refused, _text_of(sent, rows)), refused.status)
    finally:
        await sent.close()  # and with it the file, which may lie on the disk meanwhile


@router.post("/desk/{forum}/programme/import/acceptance")
async def accept(request: Request, forum: str) -> Response:
    """Import the table that was looked at; where that would be something else by now, show it anew."""
    sent, now = await read_form(request, longest=LONGEST), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, must_edit)
    rows: Rows = []
    try:
        rows += unsealed(site_of(request).settings.secret_key, desk.forum.slug, sent.get("table"))
        read = agreed(sent)

        def deed(db: Db, found: Forum) -> Altered:
            return import_table(db, desk.actor, found, rows, mark=read.mark, now=now, reason=read.reason)

        done = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        if not rows:
            return await _form(request, forum, _again(desk, sent, refused, ""), refused.status)
        return await _preview(request, forum, rows, sent, refused)
    return deps.back(done_at(desk, done, "imported"))


def _rows(db: Db, desk: Desk) -> list[list[str]]:
    must_edit(db, desk)
    return rows_of(db, desk.forum)


async def _reader(sent: FormData) -> Callable[[], Rows]:
    """What reads the table that was sent: the file, or else what was pasted. Raises Refused("list_missing")."""
    file, pasted = sent.get("file"), sent.get("pasted")
    if isinstance(file, UploadFile) and file.filename:
        body = await file.read(MOST_BYTES + 1)
        return lambda: rows_in_file(body)
    if isinstance(pasted, str) and pasted.strip():
        return lambda: rows_in_text(pasted)
    raise Refused("list_missing")


def _text_of(sent: FormData, rows: Rows) -> str:
    """The table as a text to mend in place; "" where that is too long to be sent back."""
    pasted = sent.get("pasted")
    text = as_text(rows) if rows else pasted if isinstance(pasted, str) else ""
    return text if len(text.encode()) <= _LONGEST_TEXT else ""


def _again(desk: Desk, sent: FormData, refused: Answer, text: str) -> Form:
    return Form({"pasted": text}, refilled(desk.lang, sent, refused).faults)


async def _preview(
    request: Request,
    forum: str,
    rows: Rows,
    sent: FormData,
    refused: Answer | None = None,
    *,
    reader: Callable[[], Rows] = list,
) -> Response:
    """What a table would change, or what is wrong with it by row and column; `reader` reads more rows of it."""
    now = clock.now()

    def look(db: Db) -> tuple[Desk, Working, Table]:
        rows.extend(reader())
        desk = deps.desk_of_request(db, request, forum)
        return desk, read_working(db, desk, now), look_at(db, desk.forum, rows)

    # a thousand rows take a while to look through: not in the loop that answers everybody
    desk, working, found = await site_of(request).read_list(look)
    seen = preview_of(working, found.alteration) if found.alteration else None
    text = _text_of(FormData(), rows)
    asked = asked_again(desk.lang, sent, refused)
    secret = site_of(request).settings.secret_key
    values: dict[str, Any] = {
        "seen": seen,
        "form": Form({**asked.kept, "pasted": text}, asked.faults),
        "faults": _faults(desk, found, rows),
        "ignored": ", ".join(found.ignored),
        "unchanged": len(found.wanted) - len(seen.lines) if seen else 0,
        "table": sealed(secret, desk.forum.slug, rows) if seen and seen.can_be_done else "",
    }
    status = refused.status if refused else 200 if seen else 422
    return deps.show_at_desk(request, desk, "desk/programme_import_look.html", status=status, **values)


def _faults(desk: Desk, found: Table, rows: Rows) -> list[dict[str, str]]:
    """Each thing wrong with a table, with its cell, and what stands there."""
    faulty = {one.row for one in found.faults}
    typed = {
        f"{letter_of(place)}{number}": cell
        for number, cells in rows
        if number in faulty
        for place, cell in enumerate(cells)
    }
    return [
        {
            "cell": f"{one.letter}{one.row}",
            "column": text_of(desk.lang, f"tables.column.{one.column}"),
            "typed": _shortened(typed.get(f"{one.letter}{one.row}", "")),
            "words": sentence(desk.lang, one.fault),
        }
        for one in found.faults
    ]


def _shortened(cell: str) -> str:
    return cell if len(cell) <= _SHORT else f"{cell[: _SHORT - 1]}…"


async def _form(request: Request, forum: str, form: Form, status: int = 200) -> Response:
    def query(db: Db, desk: Desk) -> ForumPage:
        must_edit(db, desk)
        return forum_page(db, desk.forum.slug)

    desk, page = await deps.read_at_desk(request, forum, query)
    values: dict[str, Any] = {
        "form": form,
        "columns": [(text_of(desk.lang, f"tables.column.{name}"), _about(desk, page, name)) for name in COLUMNS],
        "kilobytes": MOST_BYTES // 1000,
        "rows": MOST_ROWS,
    }
    return deps.show_at_desk(request, desk, "desk/programme_import.html", status=status, **values)


def _about(desk: Desk, page: ForumPage, name: str) -> str:
    """What a column holds, with what may be written there as far as it is few."""
    lang = desk.lang

    def worded(key: str, values: Sequence[str]) -> list[str]:
        return [f"{value} ({text_of(lang, f'{key}.{value}')})" for value in values]

    choices: dict[str, list[str]] = {
        "type": worded("programme.type", ("panel", "keynote", "roundtable", "break")),
        "tracks": [f"{track.code} ({track.short_title.of(lang)})" for track in page.tracks],
        "objectives": [str(number) for number, _ in page.objectives],
        "facet": worded("programme.facets", FACETS),
        "room": [f"{room.code} ({room.name.of(lang)})" for room in page.rooms.values()],
        "spoken": worded("programme.language", ("en", "km", "fr")),
        "attribution": worded("editor.attribution", RULES),
    }
    choices["interpreted"] = choices["spoken"]
    return text_of(lang, f"tables.about.{name}", choices="; ".join(choices.get(name, ())))
