"""The outbox, the log of facts and the colleagues."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.accounts.rules import Permission
from app.api.calling import Call, Door, Reading, Writing
from app.api.inputs import LanguageInput, TakenRole, sent
from app.api.invitations import AfterNumber
from app.api.registrations import Limit
from app.api.seats import Number
from app.api.shapes.general import WHEN, Changed, Numbered, Page
from app.api.shapes.office import ColleagueShape, DeliveryShape, MailShape, WebhookShape
from app.api.shapes.people import FactShape
from app.audit.searching import Asked, facts_asked
from app.forum import access, webhooks
from app.forum.inputs import ColleagueInput
from app.forum.models import Forum
from app.forum.people import people_of
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.inputs import Instant, Line
from app.mail.outbox import outbox, try_again
from app.registration.pick_queries import attendance_told
from app.reports.history import leaving

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["desk"])
MailState = Literal["", "draft", "queued", "sending", "sent", "retrying", "failed", "withheld", "bounced"]
"""The states, and `bounced` for what came back."""
Moment = Annotated[Instant | None, Query(description="An instant with its zone.", examples=[WHEN])]


@router.get("/outbox", response_model=Page[MailShape])
async def list_mails(call: Reading, state: MailState = "", after: AfterNumber = None, limit: Limit = 50) -> Response:
    """The mails, the newest first. Takes `see_mail`."""

    def read(db: Db) -> tuple[list[Any], str]:
        call.by.must(Permission.SEE_MAIL, forum_id(call.forum))
        rows = outbox(db, call.forum.slug, state, after, limit + 1)
        return rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else ""

    return await call.page(MailShape, read, state=state, limit=limit)


@router.post("/outbox/{number}/attempt", response_model=Numbered)
async def try_mail_again(call: Writing, number: Number) -> Response:
    """Have a mail that did not leave tried again at once. Takes `send_mail`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Numbered:
        call.by.must(Permission.SEND_MAIL, forum_id(forum))
        try_again(db, call.by.signature, forum.slug, number, now=now)
        return Numbered(id=number)

    return await call.write(deed)


@router.get("/facts", response_model=Page[FactShape])
async def list_facts(
    call: Reading,
    family: Annotated[str, Query(pattern=r"^[a-z_]{0,32}$", description="The first word of kinds.")] = "",
    q: Annotated[Line, Query(description="Words of a kind, of what it is about, or of whoever did it.")] = "",
    since: Moment = None,
    until: Moment = None,
    after: AfterNumber = None,
    limit: Limit = 50,
) -> Response:
    """What was done from `since` on and before `until`, the newest first. Takes `see_facts`."""
    asked = Asked(families=(family,) if family else (), words=q, since=since, until=until, before=after)

    def read(db: Db) -> tuple[list[Any], str]:
        call.by.must(Permission.SEE_FACTS, forum_id(call.forum))
        rows, attended = facts_asked(db, call.forum.slug, asked, limit + 1), attendance_told(db, call.forum)
        return [leaving(row, attended) for row in rows[:limit]], str(rows[limit - 1].number) if len(
            rows
        ) > limit else ""

    first, last = (at.isoformat() if at else "" for at in (since, until))
    return await call.page(FactShape, read, family=family, q=q, since=first, until=last, limit=limit)


@router.get("/people", response_model=Page[ColleagueShape])
async def list_people(call: Reading) -> Response:
    """Who has which role here; the list is whole. Takes `manage_access`."""
    return await call.page(ColleagueShape, lambda db: (people_of(db, call.by, call.forum), ""))


@router.post("/people", response_model=Changed, status_code=201)
async def give_role(
    call: Writing,
    colleague: Annotated[
        ColleagueInput, sent(email="chan@institute.example", name="Chan Keo", role="rapporteur", language="en")
    ],
) -> Response:
    """Give a role to whoever has an address, who is written to; `changed` says that they are invited to sign in."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=access.give(db, call.by, forum, colleague, now=now))

    return await call.write(deed, status=201)


@router.post("/people/{number}/removal", response_model=Numbered)
async def take_role(call: Writing, number: Number, taken: Annotated[TakenRole, sent(role="rapporteur")]) -> Response:
    """Take one role away."""
    return await _done(
        call, number, lambda db, forum, now: access.take_away(db, call.by, forum, number, taken.role, now=now)
    )


@router.post("/people/{number}/invitation", response_model=Numbered)
async def invite_colleague_again(
    call: Writing, number: Number, to: Annotated[LanguageInput, sent(language="en")]
) -> Response:
    """Another link for somebody who has never signed in."""
    return await _done(
        call, number, lambda db, forum, now: access.invite_again(db, call.by, forum, number, to.language, now=now)
    )


@router.post("/people/{number}/withdrawal", response_model=Numbered)
async def withdraw_colleague(call: Writing, number: Number) -> Response:
    """Withdraw the invitation of somebody who has never signed in."""
    return await _done(
        call, number, lambda db, forum, now: access.withdraw_colleague(db, call.by, forum, number, now=now)
    )


@router.get("/webhooks", response_model=Page[WebhookShape])
async def list_webhooks(call: Reading) -> Response:
    """The addresses that are told what happens; the list is whole. Takes `edit_forum` and `see_facts`."""
    return await call.page(WebhookShape, lambda db: (webhooks.webhooks_of(db, call.by, call.forum), ""))


@router.get("/deliveries", response_model=Page[DeliveryShape])
async def list_deliveries(call: Reading, after: AfterNumber = None, limit: Limit = 50) -> Response:
    """What was told to them, the newest first. Takes `edit_forum` and `see_facts`."""

    def read(db: Db) -> tuple[list[Any], str]:
        rows = webhooks.deliveries_of(db, call.by, call.forum, most=limit + 1, before=after)
        return rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else ""

    return await call.page(DeliveryShape, read, limit=limit)


@router.post("/webhooks/{number}/trial", response_model=Numbered)
async def try_webhook(call: Writing, number: Number) -> Response:
    """Have something sent that tells of nothing, to see whether it comes."""
    return await _done(call, number, lambda db, forum, now: webhooks.try_webhook(db, call.by, forum, number, now=now))


@router.post("/webhooks/{number}/resumption", response_model=Numbered)
async def resume_webhook(call: Writing, number: Number) -> Response:
    """Go on with an address that was given up; what happened meanwhile is told then."""
    return await _done(
        call, number, lambda db, forum, now: webhooks.resume_webhook(db, call.by, forum, number, now=now)
    )


@router.post("/deliveries/{number}/attempt", response_model=Numbered)
async def send_delivery_again(call: Writing, number: Number) -> Response:
    """Have a delivery sent once more, under the id that it has."""
    return await _done(call, number, lambda db, forum, now: webhooks.send_again(db, call.by, forum, number, now=now))


async def _done(call: Call, number: int, deed: Any) -> Response:
    def done(db: Db, forum: Forum, now: datetime) -> Numbered:
        deed(db, forum, now)
        return Numbered(id=number)

    return await call.write(done)
