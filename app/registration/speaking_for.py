"""Those for whom a focal point speaks: whom it named without an address of their own, and who comes along with them.

Their own pages are the focal point's, and mail about them goes there; so both follow when the focal point changes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.audit.recording import record
from app.forum.models import Forum
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import Fault, Invalid
from app.mail.outbox import withhold
from app.registration.applying import feed_token, manage_token
from app.registration.linking import holds_sensitive
from app.registration.models import Application
from app.registration.rules.names import normal_email
from app.registration.same_person import identity, registered_already

_applications = table(Application)


def spoken_for(db: Db, delegation: Any) -> list[Any]:
    """The registrations, ended ones too, for which the focal point of this delegation speaks; not the erased, whose
    links say so and no more. One query."""
    address = normal_email(delegation.focal_email)
    members = _applications.alias("members")
    named = select(members.c.id).where(
        members.c.delegation_id == delegation.id, members.c.assistant_name != "", members.c.email_normal == address
    )
    mine = (_applications.c.delegation_id == delegation.id) | _applications.c.accompanies_id.in_(named)
    theirs = (_applications.c.assistant_name != "") & (_applications.c.email_normal == address)
    found = select(_applications).where(mine, theirs, _applications.c.erased_at.is_(None))
    return list(db.execute(found.order_by(_applications.c.id)))


def reaches_sensitive(db: Db, delegation: Any) -> bool:
    """Does whoever holds the focal point's link come to anything sensitive by it: on the own page of somebody live?"""
    return holds_sensitive(db, [row.id for row in spoken_for(db, delegation) if row.ended_at is None])


def renew_own_links(db: Db, people: Sequence[Any], secret: bytes) -> None:
    """End the links to these people's own pages and calendars: who had the focal point's link has had theirs."""
    for row in people:
        page, feed = row.manage_generation + 1, row.feed_generation + 1
        values = {
            "manage_generation": page,
            "manage_digest": codes.digest(manage_token(secret, row.id, page)),
            "feed_generation": feed,
            "feed_digest": codes.digest(feed_token(secret, row.id, feed)),
        }
        db.execute(update(_applications).where(_applications.c.id == row.id).values(**values))


def hand_over(
    db: Db, by: Actor, forum: Forum, people: Sequence[Any], focal_name: str, focal_email: str, *, now: datetime
) -> None:
    """Have another focal point speak for these people: mail about them goes there, and what has not left stays here.

    Raises Invalid, `focal_speaks_already`, where the address already has a registration of one of them.
    """
    address = normal_email(focal_email)
    live = [row for row in people if row.ended_at is None]
    wanted = {row.id: identity(address, row, has_own_address=False) for row in live}
    there = registered_already(db, live[0].forum_id, list(wanted.values()), wanted) if live else frozenset()
    if twice := [row.code for row in live if wanted[row.id].marks & there]:
        raise Invalid([Fault("focal_email", "focal_speaks_already", {"registrations": ", ".join(twice)})])
    for row in people:
        after = {"email": focal_email, "assistant_name": focal_name}
        values: dict[str, Any] = {**after, "email_normal": address, "edition": row.edition + 1}
        if row.id in wanted:
            values["live_key"] = wanted[row.id].key
        db.execute(update(_applications).where(_applications.c.id == row.id).values(**values))
        before = {name: getattr(row, name) for name in after}
        changed = [name for name in after if before[name] != after[name]]
        subject, personal = f"registration:{row.code}", {"before": before, "after": after}
        record(
            db,
            forum.slug,
            by.signature,
            "registration.corrected",
            subject,
            now=now,
            after={"changed": changed},
            personal=personal,
        )
        if row.email_normal != address:
            withhold(db, forum.slug, subject)
