"""Erasing a person at their own wish: the registration ends, what is personal about it goes (docs/decisions/0007)."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update

from app.accounts.actor import Actor
from app.audit.purging import purge_personal
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.mail.redacting import redact
from app.registration.applying import person_of
from app.registration.lettering import forget_passports
from app.registration.models import (
    Answer,
    Application,
    BulkItem,
    Consent,
    Enclosure,
    File,
    Following,
    KeptLine,
    Needs,
    Note,
    Rank,
    TableGuest,
    Tagged,
)
from app.registration.quotas import house_of
from app.registration.rules.collation import NOWHERE
from app.registration.rules.states import State, may_follow
from app.registration.seating import end, move_queue
from app.registration.settling import settle
from app.registration.uninviting import erase_with

_applications = table(Application)
HELD = (
    *(table(Needs), table(Answer), table(File), table(Consent), table(Following), table(Enclosure)),
    *(table(Rank), table(TableGuest), table(KeptLine)),
    *(table(Note), table(Tagged), table(BulkItem)),
)
"""What is kept about a registration in tables of its own."""
EMPTY: dict[str, Any] = {
    "titles": [],
    "family_name": "",
    "given_name": "",
    "name_km": "",
    "display_name": "",
    "institution": "",
    "position_title": "",
    "name_order": "",
    "email": "",
    "email_normal": "",
    "live_key": None,
    "name_search": "",
    "sort_name": NOWHERE,
    "sort_name_km": NOWHERE,
    "sort_institution": NOWHERE,
    "attends_as": "official",
    "country": "",
    "phone": "",
    "assistant_name": "",
    "priority_reason": "",
    "decision_note": "",
    "feed_digest": "",
}
"""The personal columns of a registration, as they are after erasure."""


def erase(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> bool:
    """Cancel a registration if it is live (its seat goes to the next, rules §1.5) and empty what is personal about it:
    columns, needs, answers, files, consents, what letters hold of the passport, its facts and mails, the personal
    invitation it came from, and open ones to its address. Whoever comes along is erased with it, because the person
    named them, and every registration that was joined into it, because an organiser has seen that it is the same
    person's.

    Category, state, times and place in the chain of facts stay; so does the digest of the own page's link, which says
    from now on that everything is erased. False where that was done before. For the person, or an organiser who
    decides; anybody else finds nothing.
    """
    settle(db, forum, now=now)
    row, person = person_of(db, by, forum, code)
    if row.erased_at is not None:
        return False
    freed = False
    if may_follow(State(row.state), State.CANCELLED):
        freed = end(db, by, forum, person, State.CANCELLED, now=now)
    for one in (row, *_along(db, {row.id})):
        freed |= erase_with(db, by, forum, one, now=now) > 0
        _empty(db, by, forum, one, now=now)
    if freed:
        move_queue(db, forum, house_of(db, forum_id(forum)), now=now)
    return True


def _along(db: Db, known: set[int]) -> list[Any]:
    """Whoever comes along with these registrations, and what was joined into them, however far back."""
    mine = or_(_applications.c.accompanies_id.in_(known), _applications.c.merged_into_id.in_(known))
    unknown = _applications.c.id.not_in(known) & _applications.c.erased_at.is_(None)
    found = list(db.execute(select(_applications).where(mine, unknown).order_by(_applications.c.id)))
    return found + _along(db, known | {row.id for row in found}) if found else []


def _empty(db: Db, by: Actor, forum: Forum, row: Any, *, now: datetime) -> None:
    for held in HELD:
        db.execute(delete(held).where(held.c.application_id == row.id))
    forget_passports(db, forum, now=now, application=row.id)
    values = {**EMPTY, "erased_at": now, "edition": row.edition + 1}
    db.execute(update(_applications).where(_applications.c.id == row.id).values(**values))
    subject = f"registration:{row.code}"
    record(db, forum.slug, by.signature, "registration.erased", subject, now=now)
    purge_personal(db, forum.slug, subjects=[subject])
    redact(db, forum.slug, subjects=[subject])
