"""The desk's lists as files: which there are, and each with columns of one's choice; that it was taken is a fact."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, NotFound, Refused
from app.kit.i18n import text_of
from app.reports.lists import BY_NAME, LISTS, Column, Line, Listed
from app.reports.taking import note_taken
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.taking import chosen, file_answer, kinds

router = APIRouter(include_in_schema=False)


@router.get("/desk/{forum}/lists")
async def lists(request: Request, forum: str) -> Response:
    """The lists that whoever is here may take along."""
    desk, _ = await deps.read_at_desk(request, forum, lambda _db, _desk: None)
    names = [(one.name, f"{desk.base}/lists/{one.name}") for one in LISTS if one.is_for(desk)]
    if desk.may(Permission.EXPORT_PEOPLE):
        names[:0] = [
            ("registrations", f"{desk.base}/registrations/export"),
            ("participants", f"{desk.base}/participants"),
        ]
    shown = [
        (href, text_of(desk.lang, f"lists.name.{name}"), text_of(desk.lang, f"lists.about.{name}"))
        for name, href in names
    ]
    return deps.show_at_desk(request, desk, "desk/lists.html", lists=shown)


@router.get("/desk/{forum}/lists/{name}")
async def choosing(request: Request, forum: str, name: str) -> Response:
    """The form: columns and kind of file."""
    listed = _named(name)
    desk, offered = await deps.read_at_desk(request, forum, lambda _db, desk: _offered(desk, listed))
    usual = [one.name for one in offered if one.usual]
    return _page(request, desk, listed, offered, Form({"columns": usual, "kind": "xlsx"}))


@router.post("/desk/{forum}/lists/{name}")
async def taking(request: Request, forum: str, name: str) -> Response:
    """The file."""
    listed, sent, now = _named(name), await read_form(request), clock.now()
    desk, offered = await deps.read_at_desk(request, forum, lambda _db, desk: _offered(desk, listed))
    try:
        columns, kind = chosen(sent, [one.name for one in offered])
        _, lines = await deps.read_at_desk(request, forum, lambda db, desk: _lines(db, desk, listed))

        def deed(db: Db, found: Forum) -> None:
            rows = len(lines)
            note_taken(db, desk.actor, found, listed.name, columns, kind, rows, needs=listed.needs, now=now)

        await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        again = refilled(desk.lang, sent, refused, ("columns",))
        return _page(request, desk, listed, offered, again, refused.status)
    headings = [text_of(desk.lang, f"lists.column.{name}") for name in columns]
    rows = [[line.get(name) for name in columns] for line in lines]
    title = text_of(desk.lang, f"lists.name.{listed.name}")
    return await file_answer(f"{desk.forum.slug}-{listed.name}", headings, rows, kind, title)


def _named(name: str) -> Listed:
    found = BY_NAME.get(name)
    if found is None:
        raise NotFound
    return found


def _offered(desk: Desk, listed: Listed) -> tuple[Column, ...]:
    """The columns there are for whoever is here. Raises Forbidden without what the list needs."""
    for need in listed.needs:
        desk.actor.must(need, forum_id(desk.forum))
    return tuple(listed.offered(desk))


def _lines(db: Db, desk: Desk, listed: Listed) -> tuple[Line, ...]:
    _offered(desk, listed)
    return tuple(listed.read(db, desk))


def _page(
    request: Request, desk: Desk, listed: Listed, offered: tuple[Column, ...], form: Form, status: int = 200
) -> Response:
    values: dict[str, Any] = {
        "form": form,
        "name": text_of(desk.lang, f"lists.name.{listed.name}"),
        "about": text_of(desk.lang, f"lists.about.{listed.name}"),
        "columns": [(one.name, text_of(desk.lang, f"lists.column.{one.name}"), "") for one in offered],
        "kinds": kinds(desk.lang),
        "action": f"{desk.base}/lists/{listed.name}",
    }
    return deps.show_at_desk(request, desk, "desk/list.html", status=status, **values)
