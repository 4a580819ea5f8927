"""Views of the list of registrations: kept, changed, removed and brought back, from the list's own page."""

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, NotFound, Refused
from app.kit.inputs import parse
from app.registration import viewing
from app.registration.desk_inputs import ViewInput
from app.web import deps
from app.web.desk_registrations import asked_for, joined, link, show_list
from app.web.forms import read_form, refilled

router = APIRouter(include_in_schema=False)
ACTS = ("keep", "change", "remove", "bring_back")


@router.post("/desk/{forum}/registrations/views")
async def views(request: Request, forum: str) -> Response:
    """Keep what the address asks as a view, or change, remove or bring back the view that the form names."""
    sent, now = await read_form(request), clock.now()
    question = link("", asked_for(request.query_params).other()).removeprefix("?")
    desk, _ = await deps.read_at_desk(request, forum, lambda db, desk: viewing.views_of(db, desk.actor, desk.forum))
    act = str(sent.get("act", ""))

    def deed(db: Db, found: Forum) -> tuple[str, int]:
        if act not in ACTS:
            raise Refused("not_a_choice")
        if act in {"keep", "change"}:
            read = parse(ViewInput, {name: sent.get(name, "") for name in ViewInput.model_fields})
            view = _number(sent) if act == "change" else None
            return "kept", viewing.keep_view(db, desk.actor, found, read, question, view, now=now)
        done, change = ("removed", viewing.remove_view) if act == "remove" else ("brought_back", viewing.bring_back)
        change(db, desk.actor, found, _number(sent), now=now)
        return done, _number(sent)

    try:
        done, view = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await show_list(request, forum, refilled(desk.lang, sent, refused), refused.status)
    tail = f"view={view}" if done != "removed" else f"view=0&removed={view}"
    return deps.back(f"{desk.base}/registrations?{joined(question if done == 'kept' else '', tail, f'done={done}')}")


def _number(sent: FormData) -> int:
    """The view that the form names. Raises NotFound."""
    text = str(sent.get("view", ""))
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise NotFound
    return int(text)
