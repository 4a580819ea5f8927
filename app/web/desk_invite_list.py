"""Inviting many at the desk: paste a list, look at what was understood, then send. Nothing is written before that."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, Fault, Invalid, Refused
from app.kit.i18n import LANGS, Lang, text_of
from app.kit.inputs import parse
from app.registration import inviting
from app.registration.invitation_inputs import Guest, SeveralInput
from app.registration.inviting import MOST_AT_ONCE, already_invited
from app.registration.people import listed_name
from app.registration.rules.invitations import repeated
from app.registration.rules.names import normal_email
from app.registration.rules.pasting import FIELDS, Row, rows_of
from app.web import deps
from app.web.desk_invitations import groups_of, languages, typed
from app.web.desk_registrations import styled
from app.web.forms import Form, read_form, refilled
from app.web.pages import sentence
from app.web.site import site_of

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Read:
    """One row of the list: its number, the person as understood (None where that failed), and (column, fault)s."""

    number: int
    guest: Guest | None
    faults: tuple[tuple[str, Fault], ...]


@router.get("/desk/{forum}/invitations/several")
async def form(request: Request, forum: str) -> Response:
    """The form to paste a list into."""
    return await _page(request, forum, Form({"language": "km"}))


@router.post("/desk/{forum}/invitations/several")
async def invite(request: Request, forum: str) -> Response:
    """Show what was understood of the list; with `accept=yes` and no fault in it, invite them all."""
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, lambda _db, _desk: None)
    try:
        read = parse(SeveralInput, typed(sent, tuple(SeveralInput.model_fields)))
        rows = rows_of(read.people, headings())
        if not rows:
            raise Invalid([Fault("people", "list_empty")])
        if len(rows) > MOST_AT_ONCE:
            raise Invalid([Fault("people", "list_too_long", {"most": MOST_AT_ONCE})])
    except Refused as refused:
        return await _page(request, forum, refilled(desk.lang, sent, refused), status=refused.status)
    desk, people = await deps.read_at_desk(request, forum, lambda db, desk: understood(db, desk.forum, read, rows))
    guests = [one.guest for one in people if one.guest is not None and not one.faults]
    if len(guests) < len(people) or sent.get("accept") != "yes":
        status = 422 if len(guests) < len(people) else 200
        return await _page(request, forum, Form(typed(sent, tuple(sent))), people, status)
    now, secret = clock.now(), site_of(request).settings.secret_key
    try:
        await deps.write_at_desk(
            request,
            desk,
            sent,
            lambda db, found: inviting.invite_many(db, desk.actor, found, guests, secret, now=now),
        )
    except (Refused, Expired) as refused:
        return await _page(
            request, forum, _faulty(desk.lang, typed(sent, tuple(sent)), refused), people, refused.status
        )
    return deps.back(f"{desk.base}/invitations?made={len(guests)}")


def headings() -> dict[str, str]:
    """The headings a list may have, in either language or as the fields are called, in small letters."""
    names = {name: name for name in FIELDS}
    for lang in LANGS:
        names |= {text_of(lang, f"desk.field.{name}").casefold(): name for name in FIELDS}
    return names


def understood(db: Db, forum: Forum, sent: SeveralInput, rows: tuple[Row, ...]) -> list[Read]:
    """Each row as a person or with what is wrong in it; addresses that stand twice or were invited are wrong too.

    One query.
    """
    alike = sent.model_dump(mode="json", exclude={"people"})
    found: list[Read] = []
    for row in rows:
        fields = {"language": sent.language, **{name: text for name, text in row.fields.items() if text}}
        try:
            found.append(Read(row.number, parse(Guest, {**alike, **fields}), ()))
        except Invalid as invalid:
            faults = tuple((fault.field.split(".")[0], fault) for fault in invalid.faults)
            found.append(Read(row.number, None, faults))
    addresses = [normal_email(one.guest.email or "") if one.guest else "" for one in found]
    twice, taken = repeated(addresses), already_invited(db, forum, addresses)
    for place, address in enumerate(addresses):
        code = "twice_in_list" if address in twice else "invited_already" if address in taken else ""
        if code and address:
            found[place] = Read(found[place].number, found[place].guest, (("email", Fault("email", code)),))
    return found


def _faulty(lang: Lang, kept: dict[str, str], refused: Answer) -> Form:
    return Form(kept, {fault.field: sentence(lang, fault) for fault in refused.faults})


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of the preview in ready words."""

    number: int
    name: str
    under: str
    email: str
    language: str
    faults: tuple[str, ...]


def _shown(lang: Lang, one: Read) -> Shown:
    faults = tuple(f"{_column(lang, column)}: {sentence(lang, fault)}" for column, fault in one.faults)
    if one.guest is None:
        return Shown(one.number, "", "", "", "", faults)
    under = " · ".join(part for part in (styled(one.guest), one.guest.institution) if part)
    spoken = text_of(lang, f"desk.language.{one.guest.language}")
    return Shown(one.number, listed_name(one.guest), under, one.guest.email or "", spoken, faults)


def _column(lang: Lang, name: str) -> str:
    return text_of(lang, f"desk.field.{name}") if name in FIELDS else name


async def _page(
    request: Request, forum: str, kept: Form, people: list[Read] | None = None, status: int = 200
) -> Response:
    desk, groups = await deps.read_at_desk(request, forum, lambda db, desk: groups_of(db, desk, desk.forum))
    rows = [_shown(desk.lang, one) for one in people or ()]
    values: dict[str, Any] = {
        "form": kept,
        "groups": groups,
        "languages": languages(desk.lang),
        "over": desk.may(Permission.SEAT_OVER_LIMITS),
        "rows": rows,
        "faulty": [row for row in rows if row.faults],
        "columns": [text_of(desk.lang, f"desk.field.{name}") for name in FIELDS],
    }
    return deps.show_at_desk(request, desk, "desk/invite_list.html", status=status, **values)
