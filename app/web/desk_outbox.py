"""The outbox at the desk: every mail of the forum with its state, and why one has not left."""

from dataclasses import dataclass
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
from app.kit.i18n import Lang, text_of
from app.mail.outbox import STUCK, counts, outbox, try_again
from app.reports.standings import code_in, mail_kind, mail_state
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.signs import Filter, Label
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
STATES = {
    "queued": ("wait", "…"),
    "sending": ("river", "→"),
    "sent": ("good", "✓"),
    "retrying": ("wait", "↻"),
    "failed": ("bad", "×"),
    "withheld": ("still", "–"),
    "draft": ("still", "·"),
}
CAME_BACK = "bounced"
"""What is asked for beside the states: mail that left or was refused, and came back."""
"""State → tone and sign of its label."""
SHOWN = 50


@router.get("/desk/{forum}/outbox")
async def mails(request: Request, forum: str) -> Response:
    """The mails as asked for by `?state= &before=`, the newest first."""
    return await _page(request, forum)


@router.post("/desk/{forum}/outbox/{message}/attempt")
async def attempt(request: Request, forum: str, message: str) -> Response:
    """Have a mail that did not leave tried again at once."""
    sent, now, known = await read_form(request), clock.now(), _message(message)
    desk, _ = await deps.read_at_desk(request, forum, lambda _db, _desk: None)

    def deed(db: Db, found: Forum) -> None:
        desk.actor.must(Permission.SEND_MAIL, forum_id(found))
        try_again(db, desk.actor.signature, found.slug, known, now=now)

    try:
        await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _page(request, forum, form=refilled(desk.lang, sent, refused), status=refused.status)
    return deps.back(f"{desk.base}/outbox?done=again")


async def _page(request: Request, forum: str, *, form: Form | None = None, status: int = 200) -> Response:
    state, before = request.query_params.get("state", ""), _number(request.query_params.get("before", ""))
    if state not in {"", CAME_BACK, *STATES}:
        raise NotFound
    desk, (rows, by_state) = await deps.read_at_desk(request, forum, lambda db, desk: _read(db, desk, state, before))
    letters, address = [letter(desk.lang, row) for row in rows[:SHOWN]], f"{desk.base}/outbox"
    values: dict[str, Any] = {
        "letters": letters,
        "form": form or Form(),
        "again": form is None and request.query_params.get("done") == "again",
        "sends": desk.may(Permission.SEND_MAIL),
        "filters": _filters(desk.lang, address, by_state, state),
        "state": state,
        "states": [(_label(desk.lang, name), text_of(desk.lang, f"desk.mail_state.{name}.about")) for name in STATES],
        "waiting": sum(by_state.get(name, 0) for name in ("queued", "retrying")),
        "sends_mail": site_of(request).settings.sends_mail,
        "following": _address(address, state, rows[SHOWN - 1].id) if len(rows) > SHOWN else "",
        "beginning": _address(address, state) if before is not None else "",
    }
    return deps.show_at_desk(request, desk, "desk/outbox.html", status=status, **values)


def _read(db: Db, desk: Desk, state: str, before: int | None) -> tuple[list[Any], dict[str, int]]:
    desk.actor.must(Permission.SEE_MAIL, forum_id(desk.forum))
    return outbox(db, desk.forum.slug, state, before, SHOWN + 1), counts(db, desk.forum.slug)


def _message(text: str) -> int:
    number = _number(text)
    if number is None:
        raise NotFound
    return number


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _address(address: str, state: str, before: int | None = None) -> str:
    asked = [f"state={state}"] if state else []
    asked += [f"before={before}"] if before is not None else []
    return f"{address}?{'&'.join(asked)}" if asked else address


def _filters(lang: Lang, address: str, by_state: dict[str, int], chosen: str) -> list[Filter]:
    named = {**STATES, CAME_BACK: ()}
    n = sum(by_state.get(name, 0) for name in STATES)
    whole = Filter(text_of(lang, "desk.standing.all"), address, n, not chosen)
    return [whole] + [
        Filter(
            text_of(lang, f"desk.mail_state.{name}.name"),
            _address(address, name),
            by_state.get(name, 0),
            name == chosen,
        )
        for name in named
        if by_state.get(name) or name == chosen
    ]


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail in the list; `code` is the registration, invitation or delegation it is about, "" for another thing;
    `page` the desk's page under which that stands.

    `stuck` is one that may be tried again.
    """

    row: Any
    kind: str
    code: str
    page: str
    stuck: bool
    label: Label


_PAGES = {"registration": "registrations", "invitation": "invitations", "delegation": "delegations"}


def letter(lang: Lang, row: Any) -> Letter:
    """A row of the outbox, ready to show; a template without words of its own shows its name."""
    about = row.subject.partition(":")[0]
    return Letter(
        row=row,
        kind=mail_kind(lang, row.template),
        code=code_in(row.subject),
        page=_PAGES.get(about, ""),
        stuck=row.state in STUCK,
        label=_label(lang, row.state),
    )


def _label(lang: Lang, state: str) -> Label:
    tone, sign = STATES.get(state, ("still", "·"))
    return Label(tone, sign, mail_state(lang, state))
