"""Webhooks' own duty: what happened in the forums is told to the addresses that ask, apart from mail and seats."""

import json
from datetime import datetime
from functools import partial

from app.forum.delivering import (
    Claimed,
    claim_delivery,
    forums_to_tell,
    is_anything_due,
    keep_outcome,
    tell_of_facts,
)
from app.forum.rules.deliveries import signature
from app.forum.webhooks import webhook_secret
from app.jobs.crew import Crew
from app.kit import clock, traces
from app.kit.outward import Unreachable, post
from app.kit.pen import SITE

MOST_AT_ONCE = 20


def tell(crew: Crew) -> int:
    """Make deliveries of new facts, then try what is due; how much there was to do. Nothing is sent under the pen."""
    done = 0
    for slug in crew.database.read(forums_to_tell):
        done += crew.pen.write_now(slug, lambda db, slug=slug: tell_of_facts(db, slug, now=clock.now()))  # type: ignore[misc]
    for _ in range(MOST_AT_ONCE):
        if crew.ending.is_set() or not crew.database.read(partial(is_anything_due, now=clock.now())):
            break
        claimed = crew.pen.write_now(SITE, partial(claim_delivery, now=clock.now()))
        if claimed is None:
            break
        _deliver(crew, claimed)
        done += 1
    return done


def _deliver(crew: Crew, claimed: Claimed) -> None:
    at = clock.now()
    body = body_of(claimed, crew.settings.base_url)
    secret = webhook_secret(crew.settings.secret_key, claimed.webhook, claimed.generation)
    headers = {
        "content-type": "application/json",
        "webhook-id": claimed.message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature(secret, claimed.message, at, body),
    }
    status, error = 0, ""
    facts: dict[str, str | int] = {
        "sala.forum": claimed.forum,
        "sala.webhook": claimed.webhook,
        "sala.fact": claimed.kind,
    }
    with traces.span("webhook delivery", {**facts, "sala.attempt": claimed.attempts}, out=True) as span:
        try:
            status = post(claimed.address, body, headers, loopback=not crew.settings.production)
            span.note({"http.response.status_code": status})
        except Unreachable as why:
            error = str(why)
            span.failed("Unreachable")
    after: datetime = clock.now()
    crew.pen.write_now(claimed.forum, lambda db: keep_outcome(db, claimed, status, error, now=after))


def body_of(claimed: Claimed, base_url: str) -> bytes:
    """What is sent: which fact, of what kind, about what, and where more is told to those who may know it."""
    about, _, code = claimed.subject.partition(":")
    places = {"registration": "registrations", "invitation": "invitations", "delegation": "delegations"}
    places |= {"session": "sessions", "speaker": "speakers", "room": "rooms"}
    forum = f"{base_url}/api/v1/forums/{claimed.forum}"
    told = {
        "type": claimed.kind,
        "timestamp": claimed.made_at.isoformat(),
        "data": {
            "forum": claimed.forum,
            "fact": claimed.number,
            "subject": claimed.subject,
            "href": f"{forum}/{places[about]}/{code}" if about in places else forum,
        },
    }
    return json.dumps(told, separators=(",", ":")).encode()
