"""What an organiser does beside the queue's order and beyond limits, with a reason that stays (rules §1.3, §1.7)."""

from datetime import datetime

from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, Refused
from app.registration.applying import application_of
from app.registration.inputs import PriorityInput
from app.registration.models import Application, Seat
from app.registration.quotas import Beyond, beyond
from app.registration.rules.states import State
from app.registration.seating import asking, give, step, tell
from app.registration.settling import settle

_applications, _seats = table(Application), table(Seat)
SEATABLE = frozenset({State.WAITING, State.AWAITING_APPROVAL})
"""Who may be seated by hand: whoever waits or awaits a decision, and holds no seat yet."""


def seat_beyond(db: Db, by: Actor, forum: Forum, code: str, reason: str, *, now: datetime) -> Beyond:
    """Seat one person beyond limit or guarantees; what that went over is recorded with the reason, and returned.

    Never beyond the capacity: Refused("no_place"). Raises Conflict("step_not_possible") for one who neither waits nor
    awaits a decision, Refused("seat_by_rule") where no override is needed, since the rule gives a seat.
    """
    own = forum_id(forum)
    by.must(Permission.SEAT_OVER_LIMITS, own)
    house = settle(db, forum, now=now)
    row = application_of(db, forum, code)
    if State(row.state) not in SEATABLE:
        raise Conflict("step_not_possible", state=row.state)
    person = asking(row, house.category_by_id(row.category_id).code)
    held = db.execute(select(_seats.c.id).where(_seats.c.application_id == row.id)).first()
    went = beyond(house, person.category, now=now)
    if held or went.by_rule:
        raise Refused("seat_by_rule")
    if not went.possible:
        raise Refused("no_place")
    give(db, by, forum, house, person, now=now)
    subject, after = f"registration:{code}", {"category": person.category, **over(went)}
    personal = {"note": reason}  # what an organiser writes may name somebody
    record(db, forum.slug, by.signature, "seat.beyond", subject, now=now, after=after, personal=personal)
    step(db, by, forum, person, State.SEATED, now=now, values={"decision_note": reason, "confirm_by": None})
    waited = row.state == State.WAITING.value
    template = "registration/promoted" if waited else "registration/approved"
    tell(db, forum, person, template, now=now, values={"hours": house.terms.confirm_hours})
    return went


def over(went: Beyond) -> dict[str, object]:
    """What an override went over, as its fact keeps it."""
    return {"over_limit": went.over_limit, "eats": dict(went.eats)}


def set_priority(db: Db, by: Actor, forum: Forum, code: str, sent: PriorityInput, *, now: datetime) -> bool:
    """Let somebody go before others in the queue, or no longer; says whether anything changed.

    Nobody is seated by it: a seat that could be given would have been. Raises Refused("ended").
    """
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    settle(db, forum, now=now)
    row = application_of(db, forum, code)
    if row.ended_at is not None:
        raise Refused("ended")
    reason = sent.reason if sent.priority else ""
    if (row.priority, row.priority_reason) == (sent.priority, reason):
        return False
    values = {"priority": sent.priority, "priority_reason": reason}
    db.execute(update(_applications).where(_applications.c.id == row.id).values(**values))
    record(
        db,
        forum.slug,
        by.signature,
        "registration.priority",
        f"registration:{code}",
        now=now,
        before={"priority": row.priority},
        after={"priority": sent.priority},
        personal={"note": reason} if reason else None,
    )
    return True
