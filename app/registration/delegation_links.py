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
from app.registration.delegations import delegation_of, page_token, record_about, write_to_focal_point
from app.registration.models import Delegation

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
    """The columns of the next generation of the link of this row."""
    token = page_token(secret, row.id, row.generation + 1)
    return {"generation": row.generation + 1, "digest": codes.digest(token)}


def renew_link(db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime) -> None:
    """End the focal point's link and send a new one: for when it came into other hands."""
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    row = delegation_of(db, forum, code)
    db.execute(update(_delegations).where(_delegations.c.id == row.id).values(**renewed(row, secret)))
    withhold(db, forum.slug, f"delegation:{code}", ["delegation/invited"])
    record_about(db, by, forum, code, "link_renewed", now=now)
    write_to_focal_point(db, forum, row, "invited", now=now)


def show_delegation_link(
    db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime
) -> tuple[str, str]:
    """The language and token of the focal point's page; that it was shown, and to whom, stays in the history."""
    by.must(Permission.SHOW_LINKS, forum_id(forum))
    row = delegation_of(db, forum, code)
    record_about(db, by, forum, code, "link_shown", now=now)
    return row.language, page_token(secret, row.id, row.generation)
