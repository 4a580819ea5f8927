"""The desk's page of privacy: until when what is sensitive is kept, and what the purge would empty."""

from datetime import date
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Fault, Invalid, Refused
from app.kit.i18n import latin_digits
from app.registration.retaining import EMPTIED, Purge, dry_run, put_retention, retention_of
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled

router = APIRouter(include_in_schema=False)
STAYS = ("registrations", "other_answers", "erased")


@router.get("/desk/{forum}/privacy")
async def privacy(request: Request, forum: str) -> Response:
    """The day of the purge, and a dry run of it."""
    return await _page(request, forum)


@router.post("/desk/{forum}/privacy/retention")
async def set_day(request: Request, forum: str) -> Response:
    """Set the day of the purge, or none."""
    sent, now = await read_form(request), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, _read)
    try:
        on = _day(sent.get("retention_on"))
        changed = await deps.write_at_desk(
            request, desk, sent, lambda db, found: put_retention(db, desk.actor, found, on, now=now)
        )
    except (Refused, Expired) as refused:
        return await _page(request, forum, refilled(desk.lang, sent, _beside_the_field(refused)), refused.status)
    return deps.back(f"{desk.base}/privacy{'?done=set' if changed else ''}")


def _read(db: Db, desk: Desk) -> tuple[date | None, Purge]:
    desk.actor.must(Permission.EDIT_FORUM, forum_id(desk.forum))
    return retention_of(db, desk.forum), dry_run(db, desk.actor, desk.forum, now=clock.now())


async def _page(request: Request, forum: str, form: Form | None = None, status: int = 200) -> Response:
    desk, (on, found) = await deps.read_at_desk(request, forum, _read)
    values: dict[str, Any] = {
        "on": on,
        "due": found.due(clock.now()),
        "emptied": [(name, getattr(found, name)) for name in EMPTIED],
        "stays": [(name, getattr(found, name)) for name in STAYS],
        "form": form or Form({"retention_on": on.isoformat() if on else ""}),
        "done": form is None and request.query_params.get("done") == "set",
    }
    return deps.show_at_desk(request, desk, "desk/privacy.html", status=status, **values)


def _day(text: object) -> date | None:
    """The day that was typed; None for an empty field. Raises Invalid."""
    typed = latin_digits(text.strip()) if isinstance(text, str) else ""
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise Invalid([Fault("retention_on", "not_a_day")]) from None


def _beside_the_field(refused: Refused | Expired) -> Refused | Expired:
    if refused.code in {"retention_before_end", "retention_past"}:
        return Invalid([Fault("retention_on", refused.code)])
    return refused
