"""What the worker does for webhooks: facts become deliveries; one is claimed, tried, and how it went is kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update

from app.accounts.actor import Actor
from app.audit.models import Fact, Head
from app.audit.recording import record
from app.forum.models import Delivery, Forum, Webhook
from app.forum.rules.deliveries import CLAIM_LASTS, is_given_up, is_taken, next_try, wants
from app.forum.webhooks import FAMILIES, add_deliveries
from app.kit.db import Db, table

_webhooks, _deliveries, _forums = table(Webhook), table(Delivery), table(Forum)
_facts, _heads = table(Fact), table(Head)
FACTS_AT_ONCE = 200


def forums_to_tell(db: Db) -> list[str]:
    """The slugs of the forums that have webhooks which have not been told everything. One query."""
    wanted = (
        select(_forums.c.slug)
        .join(_webhooks, _webhooks.c.forum_id == _forums.c.id)
        .join(_heads, _heads.c.scope == _forums.c.slug)
        .where(_live(), _heads.c.number > _webhooks.c.told)
        .distinct()
    )
    return list(db.execute(wanted).scalars())


def tell_of_facts(db: Db, slug: str, *, now: datetime) -> int:
    """Make deliveries of what happened since a forum's webhooks were told last; how many facts were looked at."""
    mine = _forums.c.slug == slug
    wanted = select(_webhooks).join(_forums, _forums.c.id == _webhooks.c.forum_id).where(mine, _live())
    seen = 0
    for row in db.execute(wanted).all():
        columns = (_facts.c.number, _facts.c.kind, _facts.c.subject)
        new = select(*columns).where(_facts.c.scope == slug, _facts.c.number > row.told).order_by(_facts.c.number)
        facts = db.execute(new.limit(FACTS_AT_ONCE)).all()
        if facts:
            families = tuple(row.families) or FAMILIES
            add_deliveries(db, row.id, [tuple(fact) for fact in facts if wants(families, fact.kind)], now=now)
            db.execute(update(_webhooks).where(_webhooks.c.id == row.id).values(told=facts[-1].number))
            seen += len(facts)
    return seen


def is_anything_due(db: Db, *, now: datetime) -> bool:
    """Is there a delivery whose time has come? One query, so that the pen is not asked for nothing."""
    wanted = select(_deliveries.c.id).join(_webhooks, _webhooks.c.id == _deliveries.c.webhook_id)
    return db.execute(wanted.where(_due(now), _live()).limit(1)).first() is not None


def _due(now: datetime) -> ColumnElement[bool]:
    waits = _deliveries.c.state.in_(("queued", "retrying")) & (_deliveries.c.due_at <= now)
    abandoned = (_deliveries.c.state == "sending") & (_deliveries.c.claimed_at <= now - CLAIM_LASTS)
    return or_(waits, abandoned)


def _live() -> ColumnElement[bool]:
    return _webhooks.c.ended_at.is_(None) & _webhooks.c.paused_at.is_(None)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker may try now."""

    id: int
    webhook: int
    forum: str
    address: str
    generation: int
    message: str
    number: int
    kind: str
    subject: str
    made_at: datetime
    attempts: int
    failing_since: datetime | None


def claim_delivery(db: Db, *, now: datetime) -> Claimed | None:
    """Take one delivery whose time has come, or whose claim was abandoned; None where there is none.

    The least tried go first, so that an address that never answers keeps no other back.
    """
    wanted = (
        select(_deliveries, _webhooks.c.address, _webhooks.c.generation, _webhooks.c.failing_since, _forums.c.slug)
        .join(_webhooks, _webhooks.c.id == _deliveries.c.webhook_id)
        .join(_forums, _forums.c.id == _webhooks.c.forum_id)
        .where(_due(now), _live())
        .order_by(_deliveries.c.attempts, _deliveries.c.due_at, _deliveries.c.id)
        .limit(1)
    )
    row = db.execute(wanted).first()
    if row is None:
        return None
    ours = (_deliveries.c.id == row.id) & (_deliveries.c.state == row.state) & (_deliveries.c.attempts == row.attempts)
    values = {"state": "sending", "claimed_at": now, "attempts": row.attempts + 1}
    if not db.execute(update(_deliveries).where(ours).values(**values)).rowcount:  # type: ignore[attr-defined]
        return None
    return Claimed(
        row.id,
        row.webhook_id,
        row.slug,
        row.address,
        row.generation,
        row.message,
        row.number,
        row.kind,
        row.subject,
        row.made_at,
        row.attempts + 1,
        row.failing_since,
    )


def keep_outcome(db: Db, claimed: Claimed, status: int, error: str, *, now: datetime) -> None:
    """Keep how a try went: `status` of the answer, 0 with an `error` where none came.

    After a failure everything else for the address waits as long, so that one that is down costs one try at a time.
    """
    ours = (_deliveries.c.id == claimed.id) & (_deliveries.c.attempts == claimed.attempts)
    taken = is_taken(status)
    again = None if taken else next_try(claimed.attempts, now)
    state = "delivered" if taken else "retrying" if again else "failed"
    values: dict[str, Any] = {"state": state, "status": status, "error": error[:200], "due_at": again or now}
    db.execute(update(_deliveries).where(ours, _deliveries.c.state == "sending").values(**values))
    webhook = _webhooks.c.id == claimed.webhook
    if taken:
        db.execute(update(_webhooks).where(webhook).values(failing_since=None))
        return
    since = claimed.failing_since or now
    db.execute(update(_webhooks).where(webhook).values(failing_since=since))
    waiting = (_deliveries.c.webhook_id == claimed.webhook) & _deliveries.c.state.in_(("queued", "retrying"))
    if again:
        db.execute(update(_deliveries).where(waiting, _deliveries.c.due_at < again).values(due_at=again))
    if is_given_up(since, status, now):
        db.execute(update(_webhooks).where(webhook).values(paused_at=now))
        subject = f"webhook:{claimed.webhook}"
        record(db, claimed.forum, Actor.worker().signature, "webhook.paused", subject, now=now)


def forget_deliveries(db: Db, *, before: datetime) -> int:
    """Drop the deliveries that were made before and wait for nothing; how many."""
    over = (_deliveries.c.made_at < before) & _deliveries.c.state.in_(("delivered", "failed", "withheld"))
    return int(db.execute(delete(_deliveries).where(over)).rowcount)  # type: ignore[attr-defined]
