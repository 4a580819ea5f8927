"""The desk's list of delegations, with the check of equal shares, and the form to invite one."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused
from app.kit.i18n import Lang
from app.kit.inputs import parse
from app.registration import delegating
from app.registration.delegation_inputs import InvitingInput, ShareInput
from app.registration.delegation_queries import Line, delegations, evenness
from app.registration.delegations import institution_name
from app.registration.quotas import house_of
from app.registration.rules.names import list_name
from app.reports.standings import delegation_words, mail_kind, mail_state, stands_of_delegation
from app.web import deps
from app.web.countries import countries
from app.web.deps import Desk
from app.web.desk_outbox import STATES
from app.web.forms import Form, read_form, refilled
from app.web.seats_left import left_words
from app.web.signs import Label
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
STANDINGS = {"open": ("good", "✓"), "closed": ("wait", "■"), "ended": ("still", "–")}
"""How a delegation stands → tone and sign of its label."""


@router.get("/desk/{forum}/delegations")
async def listed(request: Request, forum: str) -> Response:
    """Every delegation, and whether the parties have equal shares."""
    return await _list(request, forum)


@router.get("/desk/{forum}/delegations/new")
async def inviting(request: Request, forum: str) -> Response:
    """The form to invite a delegation."""
    return await _form(request, forum, Form({"language": "en"}))


@router.post("/desk/{forum}/delegations")
async def invite(request: Request, forum: str) -> Response:
    """Invite a delegation; its focal point is written to."""
    sent, now, secret = await read_form(request), clock.now(), site_of(request).settings.secret_key
    desk, _ = await deps.read_at_desk(request, forum, nothing)
    try:
        read = parse(InvitingInput, fields_of(sent, tuple(InvitingInput.model_fields), desk))
        code = await deps.write_at_desk(
            request, desk, sent, lambda db, found: delegating.invite(db, desk.actor, found, read, secret, now=now)
        )
    except (Refused, Expired) as refused:
        return await _form(request, forum, refilled(desk.lang, sent, refused), refused.status)
    return deps.back(f"{desk.base}/delegations/{code}?done=invited")


@router.post("/desk/{forum}/delegations/shares")
async def share(request: Request, forum: str) -> Response:
    """Give every party the same number of seats."""
    sent, now = await read_form(request), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, nothing)
    try:
        read = parse(ShareInput, fields_of(sent, ("seats",), desk))
        await deps.write_at_desk(
            request, desk, sent, lambda db, found: delegating.share_evenly(db, desk.actor, found, read, now=now)
        )
    except (Refused, Expired) as refused:
        return await _list(request, forum, refilled(desk.lang, sent, refused), refused.status)
    return deps.back(f"{desk.base}/delegations?done=shared")


def nothing(_db: Db, _desk: Desk) -> None:
    """Read nothing but who is at the desk."""
    return


def fields_of(sent: FormData, names: tuple[str, ...], desk: Desk) -> dict[str, Any]:
    """The named fields that were sent; a local time becomes an instant in the forum's zone."""
    fields: dict[str, Any] = {name: value for name in names if isinstance(value := sent.get(name), str)}
    if "deadline" in fields:
        fields["deadline"] = instant(fields["deadline"], desk.forum.timezone)
    return fields


def instant(text: str, zone: str) -> str:
    """A local time as a form sends it (2027-03-01T17:00) as an instant in UTC; what is none stays as it is, to be
    refused."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        return text
    if local.tzinfo is not None:
        return text
    try:
        return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).isoformat()
    except OverflowError:
        return ""


def local_time(at: datetime, zone: str) -> str:
    """An instant as a form's field for a local time shows it."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def standing_label(lang: Lang, row: Any, now: datetime) -> Label:
    """How a delegation stands, as a label."""
    return Label(*STANDINGS[stands_of_delegation(row, now)], delegation_words(lang, row, now))


def mail_label(lang: Lang, mail: tuple[str, str] | None) -> tuple[str, Label] | None:
    """The last mail to a focal point: what it was, and how it stands."""
    if mail is None:
        return None
    template, state = mail
    return mail_kind(lang, template), Label(*STATES.get(state, ("still", "·")), mail_state(lang, state))


async def _list(request: Request, forum: str, form: Form | None = None, status: int = 200) -> Response:
    desk, lines = await deps.read_at_desk(request, forum, lambda db, desk: delegations(db, desk.actor, desk.forum))
    now, even = clock.now(), evenness(lines)
    sees_mail = desk.may(Permission.SEE_MAIL)
    values: dict[str, Any] = {
        "lines": [_shown(desk, line, now, sees_mail=sees_mail) for line in lines],
        "even": even,
        "differing": [
            (institution_name(line.row, desk.lang), share.seats, share.reason) for line, share in even.differing
        ],
        "decides": desk.may(Permission.DECIDE_REGISTRATIONS),
        "sees_mail": sees_mail,
        "form": form or Form({"seats": str(even.common or "")}),
        "done": request.query_params.get("done") == "shared" and form is None and even.parties > 0,
    }
    return deps.show_at_desk(request, desk, "desk/delegations.html", status=status, **values)


def _shown(desk: Desk, line: Line, now: datetime, *, sees_mail: bool) -> dict[str, Any]:
    row = line.row
    return {
        "row": row,
        "named": line.named,
        "unnamed": line.unnamed,
        "given_up": line.given_up,
        "name": institution_name(row, desk.lang),
        "href": f"{desk.base}/delegations/{row.code}",
        "head": list_name(row.head_family_name, row.head_given_name, row.head_display_name) if row.head_code else "",
        "label": standing_label(desk.lang, row, now),
        "mail": mail_label(desk.lang, line.mail) if sees_mail else None,
    }


def _seats_left(db: Db, desk: Desk, now: datetime) -> list[tuple[str, str, str, int]]:
    """Every category with the seats that could be given in it now: (code, letter, name, seats)."""
    desk.actor.must(Permission.DECIDE_REGISTRATIONS, forum_id(desk.forum))
    house = house_of(db, forum_id(desk.forum))
    left = house.available(now).seats_left
    return [(code, row.letter, row.name.of(desk.lang), left[code]) for code, row in house.categories.items()]


async def _form(request: Request, forum: str, form: Form, status: int = 200) -> Response:
    now = clock.now()
    desk, categories = await deps.read_at_desk(request, forum, lambda db, desk: _seats_left(db, desk, now))
    values = {
        "form": form,
        "categories": [
            (code, f"{letter} · {name} ({left_words(desk.lang, left)})") for code, letter, name, left in categories
        ],
        "countries": countries(desk.lang),
        "may_over": desk.may(Permission.SEAT_OVER_LIMITS),
    }
    return deps.show_at_desk(request, desk, "desk/delegation_new.html", status=status, **values)
