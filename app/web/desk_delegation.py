"""One delegation at the desk: its people, its history, and what an organiser may do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused
from app.kit.inputs import Input, parse
from app.registration import delegating, delegation_links
from app.registration.delegation_inputs import DelegationInput, SeatsInput, WithdrawalInput
from app.registration.delegation_queries import Party, desk_delegation
from app.registration.delegations import institution_name
from app.registration.people import listed_name
from app.registration.rules.delegations import EVEN
from app.reports.history import told
from app.web import deps
from app.web.countries import countries, country_name
from app.web.deps import Desk
from app.web.desk_delegations import fields_of, local_time, nothing, standing_label
from app.web.desk_outbox import letter
from app.web.desk_registrations import label
from app.web.desk_story import story_of
from app.web.forms import Form, read_form, refilled
from app.web.pages import code as code_of
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
Read = TypeVar("Read", bound=Input)
Deed = Callable[[Db, Actor, Forum, str, Read], str]
"""A deed of the page: (db, by, forum, the delegation's code, what was sent); which sentence says what was done."""
DONE = frozenset({"invited", "resized", "same", "corrected", "written", "renewed", "withdrawn"})


@router.get("/desk/{forum}/delegations/{code}")
async def delegation(request: Request, forum: str, code: str) -> Response:
    """The page of one delegation."""
    return await _page(request, forum, code)


@router.post("/desk/{forum}/delegations/{code}/seats")
async def resize(request: Request, forum: str, code: str) -> Response:
    """Change how many seats it has."""
    now = clock.now()

    def deed(db: Db, by: Actor, found: Forum, known: str, read: SeatsInput) -> str:
        return "resized" if delegating.resize(db, by, found, known, read, now=now) else "same"

    return await _act(request, forum, code, SeatsInput, deed)


@router.post("/desk/{forum}/delegations/{code}/details")
async def correct(request: Request, forum: str, code: str) -> Response:
    """Change words, deadline or focal point."""
    sent, now, secret = await read_form(request), clock.now(), site_of(request).settings.secret_key
    said = sent.get("edition")
    edition = int(said) if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) < 9 else 0

    def deed(db: Db, by: Actor, found: Forum, known: str, read: DelegationInput) -> str:
        done = delegating.correct_delegation(db, by, found, known, read, edition, secret, now=now)
        return "corrected" if done else "same"

    return await _act(request, forum, code, DelegationInput, deed)


@router.post("/desk/{forum}/delegations/{code}/invitation")
async def write_again(request: Request, forum: str, code: str) -> Response:
    """Send the focal point the link once more."""
    now = clock.now()

    def deed(db: Db, by: Actor, found: Forum, known: str, _read: Input) -> str:
        delegation_links.write_again(db, by, found, known, now=now)
        return "written"

    return await _act(request, forum, code, Input, deed)


@router.post("/desk/{forum}/delegations/{code}/renewal")
async def renew(request: Request, forum: str, code: str) -> Response:
    """End the focal point's link and send a new one."""
    now, secret = clock.now(), site_of(request).settings.secret_key

    def deed(db: Db, by: Actor, found: Forum, known: str, _read: Input) -> str:
        delegation_links.renew_link(db, by, found, known, secret, now=now)
        return "renewed"

    return await _act(request, forum, code, Input, deed)


@router.post("/desk/{forum}/delegations/{code}/withdrawal")
async def withdraw(request: Request, forum: str, code: str) -> Response:
    """Withdraw the invitation."""
    now = clock.now()

    def deed(db: Db, by: Actor, found: Forum, known: str, read: WithdrawalInput) -> str:
        done = delegating.withdraw(db, by, found, known, people=read.people, now=now, note=read.note)
        return "withdrawn" if done else "same"

    return await _act(request, forum, code, WithdrawalInput, deed)


@router.post("/desk/{forum}/delegations/{code}/link")
async def show_link(request: Request, forum: str, code: str) -> Response:
    """Show the focal point's link in the answer itself: it stands in no address and in no log."""
    sent, now, site = await read_form(request), clock.now(), site_of(request)
    desk, _ = await deps.read_at_desk(request, forum, nothing)
    secret, known = site.settings.secret_key, code_of(code)
    lang, token = await deps.write_at_desk(
        request,
        desk,
        sent,
        lambda db, found: delegation_links.show_delegation_link(db, desk.actor, found, known, secret, now=now),
    )
    return await _page(request, forum, code, own_link=f"{site.settings.base_url}/{lang}/delegations/{token}")


async def _act(request: Request, forum: str, code: str, model: type[Read], deed: Deed[Read]) -> Response:
    """A form of the page: what was sent, its deed, and the page again saying what was done or why not."""
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, nothing)
    known = code_of(code)
    try:
        read = parse(model, fields_of(sent, tuple(model.model_fields), desk))
        done = await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk.actor, found, known, read))
    except (Refused, Expired) as refused:
        again = refilled(desk.lang, sent, refused)
        return await _page(request, forum, code, form=again, of=model.__name__, status=refused.status)
    return deps.back(f"{desk.base}/delegations/{known}?done={done}")


def _is_so(done: str, row: Any) -> bool:
    """Does the delegation stand as the notice says? An address of the page may be old, or made up."""
    return {"withdrawn": row.ended_at is not None, "renewed": int(row.generation) > 1}.get(done, True)


@dataclass(frozen=True, slots=True)
class Seen:
    """A delegation with what stands around it; facts and mails are None where the role may not see them."""

    party: Party
    facts: list[Any] | None
    mails: list[Any] | None


def _read(db: Db, desk: Desk, code: str) -> Seen:
    """Six queries, however many people it has."""
    return Seen(
        desk_delegation(db, desk.actor, desk.forum, code),
        *story_of(db, desk, f"delegation:{code}"),
    )


async def _page(
    request: Request,
    forum: str,
    code: str,
    *,
    form: Form | None = None,
    of: str = "",
    status: int = 200,
    own_link: str = "",
) -> Response:
    """The page; `of` names the input whose form is shown as it was sent, the others show what is stored."""
    known = code_of(code)
    desk, seen = await deps.read_at_desk(request, forum, lambda db, desk: _read(db, desk, known))
    row, done = seen.party.row, request.query_params.get("done", "") if form is None else ""
    stored = {name: getattr(row, name) for name in DelegationInput.model_fields}
    stored |= {"deadline": local_time(row.deadline, desk.forum.timezone), "edition": str(row.edition)}
    seats = {"seats": str(row.seats), "uneven_reason": row.uneven_reason}
    again = form or Form()
    values: dict[str, Any] = {
        "party": seen.party,
        "row": row,
        "name": institution_name(row, desk.lang),
        "label": standing_label(desk.lang, row, clock.now()),
        "country": country_name(row.country, desk.lang),
        "people": [
            {"row": one.row, "on_seat": one.on_seat, "name": listed_name(one.row), "label": label(desk.lang, one.row)}
            for one in seen.party.people
        ],
        "facts": seen.facts if seen.facts is None else [told(desk.lang, fact, {}) for fact in seen.facts],
        "mails": seen.mails if seen.mails is None else [letter(desk.lang, mail) for mail in seen.mails],
        "form": again,
        "details": again if of == DelegationInput.__name__ else Form(stored),
        "seats_form": again if of == SeatsInput.__name__ else Form(seats),
        "even": seen.party.category.code in EVEN,
        "countries": countries(desk.lang),
        "decides": desk.may(Permission.DECIDE_REGISTRATIONS),
        "shows_links": desk.may(Permission.SHOW_LINKS),
        "may_over": desk.may(Permission.SEAT_OVER_LIMITS),
        "done": done if done in DONE and _is_so(done, row) else "",
        "own_link": own_link,
    }
    return deps.show_at_desk(request, desk, "desk/delegation.html", status=status, **values)
