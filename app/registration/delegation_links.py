"""A focal point's link: sent again, renewed, shown at the desk (rules §2, §7)."""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.mail.outbox import withhold
from app.registration.delegations import (
    delegation_feed_token,
    delegation_of,
    page_token,
    record_about,
    write_to_focal_point,
)
from app.registration.models import Delegation
from app.registration.speaking_for import reaches_sensitive, renew_own_links, spoken_for

_delegations = table(Delegation)


def write_again(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> None:
    """Send the focal point the invitation with the link once more. Raises Refused("ended_delegation")."""
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    row = delegation_of(db, forum, code)
    if row.ended_at is not None:
        raise Refused("ended_delegation")
    record_about(db, by, forum, code, "written_again", now=now)
    write_to_focal_point(db, forum, row, "invited", now=now)


def renewed(row: Any, secret: bytes) -> dict[str, Any]:
    """The columns of the next generation of the link of this row, and of its calendar's."""
    token = page_token(secret, row.id, row.generation + 1)
    return {"generation": row.generation + 1, "digest": codes.digest(token), **renewed_feed(row, secret)}


def renewed_feed(row: Any, secret: bytes) -> dict[str, Any]:
    """The columns of the next generation of the calendar of this row."""
    token = delegation_feed_token(secret, row.id, row.feed_generation + 1)
    return {"feed_generation": row.feed_generation + 1, "feed_digest": codes.digest(token)}


def renew_link(db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime) -> None:
    """End the focal point's link and send a new one: for when it came into other hands.

    Whoever had it had the own pages of those for whom the focal point speaks, and the calendar: those links end too.
    """
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    row = delegation_of(db, forum, code)
    db.execute(update(_delegations).where(_delegations.c.id == row.id).values(**renewed(row, secret)))
    people = spoken_for(db, row)
    renew_own_links(db, people, secret)
    withhold(db, forum.slug, f"delegation:{code}", ["delegation/invited"])
    record_about(db, by, forum, code, "link_renewed", now=now, after={"people": len(people)})
    write_to_focal_point(db, forum, row, "invited", now=now)


def show_delegation_link(
    db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime
) -> tuple[str, str]:
    """The language and token of the focal point's page; that it was shown, and to whom, stays in the history.

    It leads to the own pages of those without an address, so where those hold anything sensitive SEE_SENSITIVE is asked
    too, as for a person's own link.
    """
    by.must(Permission.SHOW_LINKS, forum_id(forum))
    row = delegation_of(db, forum, code)
    if reaches_sensitive(db, row):
        by.must(Permission.SEE_SENSITIVE, forum_id(forum))
    record_about(db, by, forum, code, "link_shown", now=now)
    return row.language, page_token(secret, row.id, row.generation)


def renew_feed(db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime) -> None:
    """End the address of the delegation's calendar; the page shows a new one."""
    row = delegation_of(db, forum, code)
    if not by.owns_delegation(row.id):
        by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    db.execute(update(_delegations).where(_delegations.c.id == row.id).values(**renewed_feed(row, secret)))
    record_about(db, by, forum, code, "feed_renewed", now=now)
