"""The desk's own form to register somebody: any group, at any time before the forum is over, confirmed at once."""

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.kit import clock
from app.kit.errors import Expired, Refused
from app.kit.inputs import parse
from app.registration.entering import enter
from app.registration.inputs import ApplicationInput, DecisionInput
from app.web import deps
from app.web.countries import countries
from app.web.deps import DESK_FORM, Desk
from app.web.desk_invitations import groups_of, languages, typed
from app.web.forms import Form, read_form, refilled
from app.web.institutions import institutions
from app.web.pages import read_form_token
from app.web.site import site_of

router = APIRouter(include_in_schema=False)


@router.get("/desk/{forum}/registrations/new")
async def form(request: Request, forum: str) -> Response:
    """The form."""
    blank = Form({"attends_as": "official", "language": "km"})
    return await _page(request, forum, blank)


@router.post("/desk/{forum}/registrations/new")
async def register(request: Request, forum: str) -> Response:
    """Register somebody, and go to the registration."""
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, lambda _db, _desk: None)
    try:
        code = await _enter(request, desk, sent)
    except (Refused, Expired) as refused:
        return await _page(request, forum, refilled(desk.lang, sent, refused), refused.status)
    return deps.back(f"{desk.base}/registrations/{code}")


async def _enter(request: Request, desk: Desk, sent: FormData) -> str:
    read = parse(ApplicationInput, typed(sent, tuple(ApplicationInput.model_fields)))
    note = parse(DecisionInput, typed(sent, ("note",))).note
    key, _ = read_form_token(request, sent, DESK_FORM, desk.login)
    now, secret = clock.now(), site_of(request).settings.secret_key
    asked = await deps.write_at_desk(
        request, desk, sent, lambda db, found: enter(db, desk.actor, found, read, note, key, secret, now=now)
    )
    return asked.code


async def _page(request: Request, forum: str, kept: Form, status: int = 200) -> Response:
    desk, groups = await deps.read_at_desk(request, forum, lambda db, desk: groups_of(db, desk, desk.forum))
    values: dict[str, Any] = {
        "form": kept,
        "groups": groups,
        "languages": languages(desk.lang),
        "countries": countries(desk.lang),
        "institutions": institutions(desk.lang),
    }
    return deps.show_at_desk(request, desk, "desk/enter.html", status=status, **values)
