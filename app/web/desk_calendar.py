"""The desk's calendars: one of the whole published programme for each organiser, under an address of their own."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused
from app.kit.i18n import text_of
from app.programme import subscribing
from app.programme.subscribing import desk_feed_token, subscription_of
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.site import site_of
from app.web.subscribing import ways

router = APIRouter(include_in_schema=False)
DONE = frozenset({"made", "ended"})


@router.get("/desk/{forum}/calendar")
async def calendar(request: Request, forum: str) -> Response:
    """The ways to one's own calendar of the desk, or the button that makes it."""
    return await _page(request, forum)


@router.post("/desk/{forum}/calendar/renewal")
async def renew(request: Request, forum: str) -> Response:
    """Make it, or give it another address."""
    now, secret = clock.now(), site_of(request).settings.secret_key

    def deed(db: Db, desk: Desk, found: Forum) -> None:
        subscribing.renew_subscription(db, desk.actor, found, desk.lang, secret, now=now)

    return await _act(request, forum, "made", deed)


@router.post("/desk/{forum}/calendar/removal")
async def end(request: Request, forum: str) -> Response:
    """End it."""
    now = clock.now()
    return await _act(
        request, forum, "ended", lambda db, desk, found: subscribing.end_subscription(db, desk.actor, found, now=now)
    )


async def _act(request: Request, forum: str, done: str, deed: Callable[[Db, Desk, Forum], object]) -> Response:
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, _read)
    try:
        await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk, found))
    except (Refused, Expired) as refused:
        return await _page(request, forum, refilled(desk.lang, sent, refused), refused.status)
    return deps.back(f"{desk.base}/calendar?done={done}")


def _read(db: Db, desk: Desk) -> Any:
    return subscription_of(db, desk.forum, desk.actor.id)


async def _page(request: Request, forum: str, form: Form | None = None, status: int = 200) -> Response:
    desk, row = await deps.read_at_desk(request, forum, _read)
    settings, done = site_of(request).settings, request.query_params.get("done", "")
    feed = None
    if row is not None:
        title = text_of(desk.lang, "calendars.ics.desk", forum=desk.forum.short_title.of(desk.lang))
        token = desk_feed_token(settings.secret_key, row.id, row.generation)
        feed = ways(settings.base_url, f"/calendars/{token}.ics", title, title)
    values = {
        "feed": feed,
        "form": form or Form(),
        "done": done if form is None and done in DONE and (done == "made") == (row is not None) else "",
    }
    return deps.show_at_desk(request, desk, "desk/calendar.html", status=status, **values)
