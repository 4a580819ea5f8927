"""One mail of the outbox at the desk: its tries, how it reads for its reader, and sending it once more."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.correspondence.resending import OVER, resend, whole_message
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, NotFound, Refused
from app.web import deps
from app.web.desk_outbox import letter
from app.web.forms import Form, read_form, refilled
from app.web.site import site_of

router = APIRouter(include_in_schema=False)


@router.get("/desk/{forum}/outbox/{message}")
async def mail(request: Request, forum: str, message: str) -> Response:
    """One mail."""
    return await _page(request, forum, message)


@router.post("/desk/{forum}/outbox/{message}")
async def send_again(request: Request, forum: str, message: str) -> Response:
    """Write a mail once more that has come to its end."""
    sent, now, known = await read_form(request), clock.now(), _number(message)
    desk, _ = await deps.read_at_desk(request, forum, lambda _db, _desk: None)

    def deed(db: Db, found: Forum) -> bool:
        return resend(db, desk.actor, found, known, now=now)

    try:
        moved = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _page(request, forum, message, refilled(desk.lang, sent, refused), refused.status)
    return deps.back(f"{desk.base}/outbox/{known}?done={'moved' if moved else 'resent'}")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound
    return int(text)


async def _page(request: Request, forum: str, message: str, form: Form | None = None, status: int = 200) -> Response:
    known, settings, now = _number(message), site_of(request).settings, clock.now()
    desk, whole = await deps.read_at_desk(
        request, forum, lambda db, desk: whole_message(db, desk.actor, desk.forum, known, settings, now=now)
    )
    done = request.query_params.get("done", "")
    values: dict[str, Any] = {
        "one": letter(desk.lang, whole.row),
        "whole": whole,
        "shown": [whole.shown] if whole.shown else [],
        "over": whole.row.state in OVER and bool(whole.row.to_address),
        "sends": desk.may(Permission.SEND_MAIL),
        "form": form or Form(),
        "done": done if form is None and done in {"resent", "moved"} else "",
    }
    return deps.show_at_desk(request, desk, "desk/mail.html", status=status, **values)
