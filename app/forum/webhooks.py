"""Webhooks: addresses that are told what happened in a forum. Told are ids, kinds and links, nothing of a person."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError
from sqlalchemy import func, insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import head_of, record
from app.forum.models import Delivery, Forum, Webhook
from app.forum.queries import forum_id
from app.kit.codes import public_code
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, Invalid, NotFound, Refused
from app.kit.inputs import Input
from app.kit.outward import Unreachable, place_of

_webhooks, _deliveries = table(Webhook), table(Delivery)
Family = Literal[
    "registration", "seat", "invitation", "delegation", "hold_back", "programme", "session", "speaker", "room", "forum"
]
"""What one may be told of: the first words of the kinds of facts. Sign-ins, roles and tokens are told to nobody."""
FAMILIES: tuple[str, ...] = get_args(Family)
MOST_WEBHOOKS = 10
TRIAL = "webhook.tried"


def _printable(text: str) -> str:
    if any(not "!" <= letter <= "~" for letter in text):
        raise PydanticCustomError("webhook_address", "not an https address")
    return text


class WebhookInput(Input):
    """An address, https, and the families of facts it is told of; none for all of them."""

    address: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_printable)]
    families: Annotated[tuple[Family, ...], Field(max_length=len(FAMILIES))] = ()


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook as the desk sees it, with how many deliveries wait and have failed."""

    id: int
    address: str
    families: list[str]
    created_at: datetime
    failing_since: datetime | None
    paused_at: datetime | None
    waiting: int
    failed: int


def webhook_secret(key: bytes, webhook: int, generation: int) -> bytes:
    """What a webhook's deliveries are signed with: computed each time, never stored (rules §7)."""
    own = hmac.digest(key, b"sala/webhook", "sha256")
    return hmac.digest(own, f"{webhook}/{generation}".encode(), "sha256")


def add_webhook(
    db: Db, by: Actor, forum: Forum, sent: WebhookInput, key: bytes, *, loopback: bool, now: datetime
) -> tuple[int, bytes]:
    """One more address, told what happens from now on; its number and its secret, which is shown once.

    Raises Invalid("webhook_address") at `address`, Refused("webhooks_enough").
    """
    _may(by, forum)
    try:
        place_of(sent.address, loopback=loopback)
    except Unreachable:
        raise Invalid([Fault("address", "webhook_address")]) from None
    mine = (_webhooks.c.forum_id == forum_id(forum)) & _webhooks.c.ended_at.is_(None)
    if db.execute(select(func.count()).select_from(_webhooks).where(mine)).scalar_one() >= MOST_WEBHOOKS:
        raise Refused("webhooks_enough", most=MOST_WEBHOOKS)
    head = head_of(db, forum.slug)
    row = {"forum_id": forum_id(forum), "address": sent.address, "families": list(sent.families), "generation": 1}
    row |= {"told": head[0] if head else 0, "created_at": now}
    number = int(db.execute(insert(_webhooks).values(row).returning(_webhooks.c.id)).scalar_one())
    _told(db, by, forum, "added", number, now=now, after={"kind": list(sent.families)}, address=sent.address)
    return number, webhook_secret(key, number, 1)


def renew_secret(db: Db, by: Actor, forum: Forum, webhook: int, key: bytes, *, now: datetime) -> bytes:
    """Another secret, shown once; the former one ends at once. Raises NotFound."""
    row = _one(db, by, forum, webhook)
    db.execute(update(_webhooks).where(_webhooks.c.id == row.id).values(generation=row.generation + 1))
    _told(db, by, forum, "renewed", row.id, now=now)
    return webhook_secret(key, row.id, row.generation + 1)


def end_webhook(db: Db, by: Actor, forum: Forum, webhook: int, *, now: datetime) -> None:
    """Tell an address nothing more; what waits for it is not sent. Raises NotFound."""
    row = _one(db, by, forum, webhook)
    db.execute(update(_webhooks).where(_webhooks.c.id == row.id).values(ended_at=now))
    waiting = (_deliveries.c.webhook_id == row.id) & _deliveries.c.state.in_(("queued", "retrying"))
    db.execute(update(_deliveries).where(waiting).values(state="withheld"))
    _told(db, by, forum, "ended", row.id, now=now)


def resume_webhook(db: Db, by: Actor, forum: Forum, webhook: int, *, now: datetime) -> None:
    """Go on with an address that was given up; what happened meanwhile comes too. Raises NotFound;
    Conflict("webhook_goes") where it was not given up."""
    row = _one(db, by, forum, webhook)
    if row.paused_at is None:
        raise Conflict("webhook_goes")
    db.execute(update(_webhooks).where(_webhooks.c.id == row.id).values(paused_at=None, failing_since=None))
    late = (_deliveries.c.webhook_id == row.id) & (_deliveries.c.state == "retrying")
    db.execute(update(_deliveries).where(late).values(due_at=now))
    _told(db, by, forum, "resumed", row.id, now=now)


def try_webhook(db: Db, by: Actor, forum: Forum, webhook: int, *, now: datetime) -> None:
    """Have something sent that tells of nothing, to see whether it comes. Raises NotFound."""
    row = _one(db, by, forum, webhook)
    add_deliveries(db, row.id, [(0, TRIAL, f"forum:{forum.slug}")], now=now)


def send_again(db: Db, by: Actor, forum: Forum, delivery: int, *, now: datetime) -> None:
    """Have a delivery sent once more, whatever became of it, under the id that it has. Raises NotFound;
    Conflict("delivery_waits") where it waits to be sent anyway."""
    _may(by, forum)
    wanted = (
        select(_deliveries.c.id, _deliveries.c.state)
        .join(_webhooks, _webhooks.c.id == _deliveries.c.webhook_id)
        .where(_deliveries.c.id == delivery, _webhooks.c.forum_id == forum_id(forum), _webhooks.c.ended_at.is_(None))
    )
    row = db.execute(wanted).first()
    if row is None:
        raise NotFound
    if row.state not in {"delivered", "failed"}:
        raise Conflict("delivery_waits")
    values = {"state": "queued", "due_at": now, "attempts": 0}
    db.execute(update(_deliveries).where(_deliveries.c.id == row.id).values(**values))


def webhooks_of(db: Db, by: Actor, forum: Forum) -> list[WebhookView]:
    """The forum's webhooks, the newest first. One query."""
    _may(by, forum)
    of = _deliveries.c.webhook_id == _webhooks.c.id

    def counted(*states: str) -> Any:
        return select(func.count()).where(of, _deliveries.c.state.in_(states)).scalar_subquery()

    names = ("id", "address", "families", "created_at", "failing_since", "paused_at")
    wanted = (
        select(*(_webhooks.c[name] for name in names), counted("queued", "retrying", "sending"), counted("failed"))
        .where(_webhooks.c.forum_id == forum_id(forum), _webhooks.c.ended_at.is_(None))
        .order_by(_webhooks.c.id.desc())
    )
    return [WebhookView(*row) for row in list[Any](db.execute(wanted))]


def deliveries_of(db: Db, by: Actor, forum: Forum, *, most: int = 50, before: int | None = None) -> list[Any]:
    """The deliveries to the webhooks that are there, the newest first, with their `address`. One query."""
    _may(by, forum)
    wanted = (
        select(_deliveries, _webhooks.c.address)
        .join(_webhooks, _webhooks.c.id == _deliveries.c.webhook_id)
        .where(_webhooks.c.forum_id == forum_id(forum), _webhooks.c.ended_at.is_(None))
        .order_by(_deliveries.c.id.desc())
        .limit(most)
    )
    if before is not None:
        wanted = wanted.where(_deliveries.c.id < before)
    return list(db.execute(wanted))


def add_deliveries(db: Db, webhook: int, facts: Sequence[tuple[int, str, str]], *, now: datetime) -> None:
    """Have these facts (number, kind, subject) told to a webhook. For deeds that have asked, and the worker."""
    for number, kind, subject in facts:
        row = {"webhook_id": webhook, "number": number, "kind": kind, "subject": subject, "made_at": now}
        row |= {"message": f"msg_{public_code(24)}", "state": "queued", "due_at": now}
        db.execute(insert(_deliveries).values(**row, attempts=0, status=0, error=""))


def _may(by: Actor, forum: Forum) -> None:
    """What happens is told outside: that takes whoever may change the forum and see its facts."""
    by.must(Permission.EDIT_FORUM, forum_id(forum))
    by.must(Permission.SEE_FACTS, forum_id(forum))


def _one(db: Db, by: Actor, forum: Forum, webhook: int) -> Any:
    _may(by, forum)
    mine = (_webhooks.c.id == webhook) & (_webhooks.c.forum_id == forum_id(forum)) & _webhooks.c.ended_at.is_(None)
    row = db.execute(select(_webhooks).where(mine)).first()
    if row is None:
        raise NotFound
    return row


def _told(
    db: Db,
    by: Actor,
    forum: Forum,
    what: str,
    webhook: int,
    *,
    now: datetime,
    after: dict[str, Any] | None = None,
    address: str = "",
) -> None:
    personal = {"address": address} if address else None  # what is typed may say more than it should
    subject = f"webhook:{webhook}"
    record(db, forum.slug, by.signature, f"webhook.{what}", subject, now=now, after=after, personal=personal)
