"""A person's own calendar, behind its own token."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from app.calendars import rules
from app.calendars.feeds import Feed, feed_of
from app.calendars.shelves import Shelf
from app.forum.models import Forum
from app.kit import codes
from app.kit.db import Db, table
from app.kit.i18n import Lang, text_of
from app.programme.queries import visible_to
from app.programme.rules.visibility import Viewer
from app.registration.models import Application, Pick, PickList, Seat
from app.registration.rules.picks import PickState
from app.registration.rules.states import HOLDS_SEAT, State


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose personal calendar a token opens, as far as the calendar needs to know: no name, no address.

    `changed_at` (UTC) is when what the person is entitled to last changed, their picks included. `picks` are the uids
    of the sessions they chose and do not wait for; `admitted` of those that an organiser admitted them to.
    """

    forum: str
    lang: Lang
    holds_seat: bool
    changed_at: datetime
    picks: frozenset[str] = frozenset()
    admitted: frozenset[str] = frozenset()


def _holder() -> Any:
    people, seats, forums = table(Application), table(Seat), table(Forum)
    picks, lists = table(Pick), table(PickList)
    columns = (people.c.state, people.c.language, people.c.asked_at, people.c.ended_at, seats.c.given_at)
    picked = (picks.c.session_uid, picks.c.state.label("pick_state"), picks.c.admitted, lists.c.changed_at)
    return (
        select(*columns, *picked, forums.c.slug)
        .join(forums, forums.c.id == people.c.forum_id)
        .outerjoin(seats, seats.c.application_id == people.c.id)
        .outerjoin(lists, lists.c.application_id == people.c.id)
        .outerjoin(picks, picks.c.application_id == people.c.id)
        .where(people.c.feed_digest == bindparam("digest"))
    )


_HOLDER = _holder()
"""Built once: putting it together costs more than having it answered."""


def holder_of(db: Db, token: str) -> Holder | None:
    """Who holds this token; None where nobody does or it has been renewed. One query, by the token's digest."""
    rows = db.execute(_HOLDER, {"digest": codes.digest(token)}).all()
    if not rows:
        return None
    row = rows[0]
    lang: Lang = "km" if row.language == "km" else "en"
    changed = max(at for at in (row.asked_at, row.given_at, row.ended_at, row.changed_at) if at)
    chosen = frozenset(row.session_uid for row in rows if row.pick_state in _IN_CALENDAR)
    admitted = frozenset(row.session_uid for row in rows if row.admitted)
    return Holder(row.slug, lang, State(row.state) in HOLDS_SEAT, changed, chosen, admitted)


_IN_CALENDAR = frozenset({PickState.SEATED.value, PickState.PICKED.value})
"""Who waits for a place is not kept from anything else at that time: a waiting pick is in no calendar."""


def personal(shelf: Shelf, holder: Holder, token: str, *, now: datetime) -> Feed:
    """A person's own calendar: the plenaries and the picks, of what exists for this person.

    Only who holds a seat has sessions in it. For anybody else it is a calendar without vevents, not an error:
    an application that meets an error keeps showing what it last saw, or gives the calendar up. So the address
    works from the first day, fills when the seat is given, and is emptied when the registration ends; and the
    answer does not tell waiting from ended. It never says whose it is.
    """
    admitted = frozenset(session.code for session in shelf.programme.sessions if session.uid in holder.admitted)
    sessions = visible_to(shelf.programme, Viewer(admitted)).sessions if holder.holds_seat else ()
    return feed_of(
        shelf,
        rules.own_sessions(sessions, shelf.sign_ups, holder.picks),
        text_of(shelf.lang, "calendars.ics.own", forum=shelf.short_title),
        f"{shelf.base_url}/calendars/{token}.ics",
        f"{shelf.root}/programme",
        (shelf.forum.slug, "my-sessions"),
        now=now,
        changed_at=holder.changed_at,
    )
