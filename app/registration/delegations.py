"""What everything about delegations stands on: their rows, seats, links and the mails to their focal points."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.mail.outbox import queue_mail
from app.registration.models import Delegation, Seat
from app.registration.rules.names import normal_email

_delegations, _seats = table(Delegation), table(Seat)


def page_token(secret: bytes, delegation: int, generation: int) -> str:
    """The token of a focal point's page."""
    return codes.lasting_token(secret, "delegation", delegation, generation)


def delegation_feed_token(secret: bytes, delegation: int, generation: int) -> str:
    """The token of a delegation's calendar: another than the page's, so that it may be shared with its members."""
    return codes.lasting_token(secret, "delegation-feed", delegation, generation)


def delegation_of(db: Db, forum: Forum, code: str) -> Any:
    """The delegation with this code in this forum. Raises NotFound."""
    mine = (_delegations.c.forum_id == forum_id(forum)) & (_delegations.c.code == code)
    row = db.execute(select(_delegations).where(mine)).first()
    if row is None:
        raise NotFound
    return row


def speaks_for(delegation: Any, person: Any) -> bool:
    """Does the focal point of a delegation speak for this person (their rows), who has no address of their own?

    Not for somebody who sits on a seat of it and was registered through another address, as by an assistant before two
    registrations were joined: that address alone has their own page.
    """
    return bool(person.assistant_name) and person.email_normal == normal_email(delegation.focal_email)


def seat_rows(db: Db, delegation: int) -> list[Any]:
    """A delegation's seats, those without a person first, by place."""
    mine = select(_seats).where(_seats.c.delegation_id == delegation)
    return list(db.execute(mine.order_by(_seats.c.application_id.is_not(None), _seats.c.number, _seats.c.id)))


def write_to_focal_point(
    db: Db, forum: Forum, row: Any, template: str, *, now: datetime, values: Mapping[str, Any] | None = None
) -> None:
    """Queue the mail `delegation/<template>` to the focal point of a delegation (its row); none where the contact was
    erased."""
    if not row.focal_email:
        return
    to, subject = (row.focal_email, row.focal_name), f"delegation:{row.code}"
    queue_mail(db, forum.slug, f"delegation/{template}", row.language, to, subject, now=now, values=values)


def record_about(db: Db, by: Actor, forum: Forum, code: str, what: str, *, now: datetime, **told: Any) -> None:
    """Record `delegation.<what>` about one."""
    record(db, forum.slug, by.signature, f"delegation.{what}", f"delegation:{code}", now=now, **told)


def institution_name(row: Any, lang: str) -> str:
    """A delegation's institution in the reader's language, as far as it is known."""
    return str((lang == "km" and row.institution_km) or row.institution)
