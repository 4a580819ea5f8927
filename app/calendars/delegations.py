"""A delegation's calendar, behind its own token: what its members attend, and nothing about any of them."""

from datetime import datetime

from sqlalchemy import func, select

from app.calendars import rules
from app.calendars.feeds import Feed, feed_of
from app.calendars.personal import Holder
from app.calendars.shelves import Shelf
from app.forum.models import Forum
from app.kit import codes
from app.kit.db import Db, table
from app.kit.i18n import Lang, text_of
from app.programme.queries import visible_to
from app.programme.rules.visibility import PUBLIC
from app.registration.models import Delegation, Seat


def delegation_holder(db: Db, token: str) -> Holder | None:
    """The delegation that this token is of, as far as its calendar needs to know; None where there is none. One query.

    It holds a seat while any is the delegation's, named or not.
    """
    delegations, seats, forums = table(Delegation), table(Seat), table(Forum)
    own = seats.c.delegation_id == delegations.c.id
    columns = (delegations.c.language, delegations.c.created_at, delegations.c.released_at, delegations.c.ended_at)
    row = db.execute(
        select(
            *columns, forums.c.slug, func.count(seats.c.id).label("seats"), func.max(seats.c.given_at).label("given")
        )
        .join(forums, forums.c.id == delegations.c.forum_id)
        .outerjoin(seats, own)
        .where(delegations.c.feed_digest == codes.digest(token))
        .group_by(delegations.c.id, forums.c.id)
    ).first()
    if row is None:
        return None
    lang: Lang = "km" if row.language == "km" else "en"
    changed = max(at for at in (row.created_at, row.released_at, row.ended_at, row.given) if at)
    return Holder(row.slug, lang, row.seats > 0, changed)


def of_delegation(
    shelf: Shelf, holder: Holder, token: str, *, now: datetime, picks: frozenset[str] = frozenset()
) -> Feed:
    """The plenaries and what the members picked (uids of sessions); without vevents where no seat is left."""
    sessions = visible_to(shelf.programme, PUBLIC).sessions if holder.holds_seat else ()
    return feed_of(
        shelf,
        rules.own_sessions(sessions, shelf.sign_ups, picks),
        text_of(shelf.lang, "calendars.ics.delegation", forum=shelf.short_title),
        f"{shelf.base_url}/calendars/{token}.ics",
        f"{shelf.root}/programme",
        (shelf.forum.slug, "delegation"),
        now=now,
        changed_at=holder.changed_at,
    )
