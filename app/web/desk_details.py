"""The details of a registration that are put right in the list: names, institution, country, capacity."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Conflict, Expired, Refused
from app.kit.i18n import Lang, text_of
from app.registration import correcting
from app.registration.correcting import FIELDS
from app.web import deps
from app.web.countries import countries, country_name
from app.web.desk_registrations import asked_for, link, name_of
from app.web.forms import Form, read_form, refilled
from app.web.pages import code as code_of

router = APIRouter(include_in_schema=False)


@router.get("/desk/{forum}/registrations/{code}/details")
async def details(request: Request, forum: str, code: str) -> Response:
    """The form as the registration stands."""
    return await _page(request, forum, code)


@router.post("/desk/{forum}/registrations/{code}/details")
async def save(request: Request, forum: str, code: str) -> Response:
    """Put them right, if nobody else changed them meanwhile."""
    sent, now, known = await read_form(request), clock.now(), code_of(code)
    desk, _ = await deps.read_at_desk(
        request, forum, lambda db, desk: correcting.to_correct(db, desk.actor, desk.forum, known)
    )
    fields = {name: str(sent.get(name, "")) for name in FIELDS}
    edition = str(sent.get("edition", ""))

    def deed(db: Db, found: Forum) -> bool:
        return correcting.put_right(db, desk.actor, found, known, fields, _edition(edition), now=now)

    try:
        changed = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        # here both versions are seen, so nobody is sent to look for the other one
        told = Conflict("details_changed") if isinstance(refused, Conflict) else refused
        return await _page(request, forum, code, refilled(desk.lang, sent, told), told)
    done = "edited" if changed else "same"
    came_from = f"{desk.base}/registrations{f'/{known}' if _from_page(request) else ''}"
    return deps.back(link(f"{came_from}?done={done}", asked_for(request.query_params)))


FROM = "page"
"""In the address where somebody came from the registration's own page, and goes back there."""


def _from_page(request: Request) -> bool:
    return request.query_params.get("from") == FROM


def _edition(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0


async def _page(
    request: Request, forum: str, code: str, form: Form | None = None, refused: Answer | None = None
) -> Response:
    known, wanted = code_of(code), asked_for(request.query_params)
    desk, row = await deps.read_at_desk(
        request, forum, lambda db, desk: correcting.to_correct(db, desk.actor, desk.forum, known)
    )
    quicker = isinstance(refused, Conflict)
    kept = form.kept.get("edition", "") if form and not quicker else row.edition
    base, own = f"{desk.base}/registrations", _from_page(request)
    values: dict[str, Any] = {
        "row": row,
        "name": name_of(desk.lang, row),
        "form": form or Form({name: getattr(row, name) for name in FIELDS}),
        "edition": kept,
        "theirs": in_words(desk.lang, row) if quicker else [],
        "countries": countries(desk.lang),
        "action": link(f"{base}/{known}/details{f'?from={FROM}' if own else ''}", wanted),
        "list": link(base, wanted),
        "leave": link(f"{base}/{known}" if own else base, wanted),
        "capacities": [(name, text_of(desk.lang, f"table.attends_as.{name}"), "") for name in ("official", "private")],
    }
    return deps.show_at_desk(request, desk, "desk/details.html", status=refused.status if refused else 200, **values)


def in_words(lang: Lang, row: Any) -> Sequence[tuple[str, str]]:
    """The details as (label, words)."""
    said = {name: str(getattr(row, name)) for name in FIELDS}
    said["country"] = country_name(row.country, lang) if row.country else ""
    said["attends_as"] = text_of(lang, f"table.attends_as.{row.attends_as}")
    return [(text_of(lang, f"desk.field.{name}"), words or "–") for name, words in said.items()]
