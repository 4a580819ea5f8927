"""Webhooks at the desk: which addresses are told what happens here, how that goes, and seeing to those it fails for."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.forum import webhooks
from app.forum.models import Forum
from app.forum.rules.deliveries import secret_text
from app.forum.webhooks import FAMILIES, WebhookInput, WebhookView
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, NotFound, Refused
from app.kit.i18n import text_of
from app.kit.inputs import parse
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.signs import Label
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
DONE = frozenset({"ended", "resumed", "tried", "again"})
SHOWN = 50
TONES = {
    "queued": ("wait", "·"),
    "retrying": ("wait", "↻"),
    "sending": ("wait", "·"),
    "delivered": ("good", "✓"),
    "failed": ("bad", "✗"),
    "withheld": ("still", "–"),
}
Deed = Callable[[Db, Desk, Forum, int, datetime], object]


@router.get("/desk/{forum}/webhooks")
async def show(request: Request, forum: str) -> Response:
    """The webhooks, the last deliveries, and the form for one more."""
    return await _page(request, forum)


@router.post("/desk/{forum}/webhooks")
async def act(request: Request, forum: str) -> Response:
    """Add a webhook or give one another secret, which is in this answer alone; or what a button beside one says."""
    sent, now = await read_form(request), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, _read)
    key, loopback = site_of(request).settings.secret_key, not site_of(request).settings.production

    def deed(db: Db, found: Forum) -> object:
        if name := next((one for one in _ACTS if one in sent), ""):
            _ACTS[name](db, desk, found, _number(sent.get(name)), now)
            return _SAID[name]
        if "renew" in sent:
            return webhooks.renew_secret(db, desk.actor, found, _number(sent.get("renew")), key, now=now)
        read = parse(WebhookInput, {"address": sent.get("address", ""), "families": tuple(sent.getlist("families"))})
        return webhooks.add_webhook(db, desk.actor, found, read, key, loopback=loopback, now=now)[1]

    try:
        done = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _page(request, forum, sent, refused)
    if isinstance(done, bytes):
        return deps.show_at_desk(request, desk, "desk/webhook.html", shown=secret_text(done))
    return deps.back(f"{desk.base}/webhooks?done={done}")


_ACTS: dict[str, Deed] = {
    "end": lambda db, desk, found, number, now: webhooks.end_webhook(db, desk.actor, found, number, now=now),
    "resume": lambda db, desk, found, number, now: webhooks.resume_webhook(db, desk.actor, found, number, now=now),
    "try": lambda db, desk, found, number, now: webhooks.try_webhook(db, desk.actor, found, number, now=now),
    "again": lambda db, desk, found, number, now: webhooks.send_again(db, desk.actor, found, number, now=now),
}
_SAID = {"end": "ended", "resume": "resumed", "try": "tried", "again": "again"}


def _number(text: object) -> int:
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound
    return int(text)


def _read(db: Db, desk: Desk) -> tuple[list[WebhookView], list[Any]]:
    """The webhooks and their last deliveries. Two queries."""
    found = webhooks.webhooks_of(db, desk.actor, desk.forum)
    return found, webhooks.deliveries_of(db, desk.actor, desk.forum, most=SHOWN)


async def _page(request: Request, forum: str, sent: FormData | None = None, refused: Answer | None = None) -> Response:
    desk, (found, deliveries) = await deps.read_at_desk(request, forum, _read)
    form = Form() if sent is None or refused is None else refilled(desk.lang, sent, refused, ("families",))
    done = request.query_params.get("done", "")
    values: dict[str, Any] = {
        "webhooks": found,
        "deliveries": [(row, _label(desk, row.state)) for row in deliveries],
        "families": [(one, text_of(desk.lang, f"webhooks.families.{one}"), "") for one in FAMILIES],
        "family_names": {one: text_of(desk.lang, f"webhooks.families.{one}") for one in FAMILIES},
        "form": form,
        "done": done if refused is None and done in DONE else "",
    }
    status = refused.status if refused else 200
    return deps.show_at_desk(request, desk, "desk/webhooks.html", status=status, **values)


def _label(desk: Desk, state: str) -> Label:
    tone, sign = TONES[state]
    return Label(tone, sign, text_of(desk.lang, f"webhooks.state.{state}"))
