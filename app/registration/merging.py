"""Two registrations of one person become one; or an organiser says that they are two people's.

The one that is kept takes the better standing and the better seat of the two; the other ends and points at it. Both
keep their histories.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, Refused
from app.mail.outbox import withhold
from app.registration.applying import application_of
from app.registration.carrying import Luggage, filled, lift_picks, luggage, unpack_papers, unpack_picks
from app.registration.linking import holds_sensitive
from app.registration.models import Application, Distinct, Invitation, Seat
from app.registration.quotas import House, house_of
from app.registration.releasing import end_answered
from app.registration.rules.invitations import Kind
from app.registration.rules.merges import Part, joined
from app.registration.rules.states import State
from app.registration.seating import Asking, asking, end, free, move_queue, tell
from app.registration.settling import settle

_applications, _seats, _distinct = table(Application), table(Seat), table(Distinct)
_invitations = table(Invitation)
_ASKS = {
    State.SEATED.value: "registration/seated",
    State.AWAITING_APPROVAL.value: "registration/awaiting",
    State.OFFERED.value: "registration/offered",
}
"""The mail that starts the hours of a seat that came along while its own mail had not left."""


def merge(
    db: Db,
    by: Actor,
    forum: Forum,
    keep: str,
    drop: str,
    editions: tuple[int, int],
    *,
    now: datetime,
    picks: tuple[int, int] = (0, 0),
) -> None:
    """Join registration `drop` into `keep`; both are live and of one person, which the organiser has seen.

    The better standing stays, with its group and its seat; a seat too many is freed and the queue moves. Companions,
    letters, chosen sessions and what the kept one left empty or unanswered come along (`carrying.luggage`). There is no
    way back: what is freed may go to somebody else at once. `editions` are those of the two (keep, drop) as they were
    looked at, `picks` those of their lists of sessions (0: nothing was chosen). Never gives a seat: nobody can be
    seated beyond the rule by it. Raises Refused: `same_registration`, `merge_ended`, `merge_companion`,
    `merge_outside`, `merge_sensitive`; Conflict("changed_meanwhile").
    """
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    house = settle(db, forum, now=now)
    kept, dropped = application_of(db, forum, keep), application_of(db, forum, drop)
    _refuse_unless_possible(house, kept, dropped)
    if (kept.edition, dropped.edition) != editions:
        raise Conflict("changed_meanwhile")
    may_see = by.may(Permission.SEE_SENSITIVE, own)
    if kept.email_normal != dropped.email_normal and not may_see and holds_sensitive(db, [dropped.id]):
        raise Refused("merge_sensitive")  # the kept address would come to read it
    stands = joined(_part(db, house, kept), _part(db, house, dropped))
    group = house.category_by_id((dropped if stands.takes_over else kept).category_id).code
    packed = luggage(db, forum, kept, dropped, group)
    if packed.editions != picks:
        raise Conflict("changed_meanwhile")  # other sessions would come along than the organiser was told
    unpack_papers(db, packed, kept.id, dropped.id)
    lift_picks(db, dropped.id)
    freed = False
    values: dict[str, Any] = {}
    if stands.takes_over:
        withhold(db, forum.slug, f"registration:{kept.code}")  # what it says of the former standing is no longer true
        if stands.frees_kept_seat:
            freed = free(db, by, forum, _person(house, kept), now=now)
        values = _standing_of(dropped)
        if stands.moves_seat:
            db.execute(update(_seats).where(_seats.c.application_id == dropped.id).values(application_id=kept.id))
    elif stands.same_queue:
        first = min((kept, dropped), key=lambda row: (-row.priority, row.asked_at, row.id))
        values = {name: getattr(first, name) for name in ("asked_at", "priority", "priority_reason")}
    values |= filled(packed, kept)
    values |= {"confirmed_at": kept.confirmed_at or dropped.confirmed_at, "edition": kept.edition + 1}
    if values["confirmed_at"] is not None:
        values["confirm_by"] = None
    values["invitation_id"], other = _invitations_of(db, kept, dropped, takes_over=stands.takes_over)
    freed |= end(db, by, forum, _person(house, dropped), State.CANCELLED, now=now)
    end_answered(db, by, forum, other, now=now)
    db.execute(
        update(_applications)
        .where(_applications.c.id == dropped.id)
        .values(merged_into_id=kept.id, invitation_id=other)
    )
    db.execute(update(_applications).where(_applications.c.id == kept.id).values(**values))
    _record(db, by, forum, kept, dropped, packed, now, takes_over=stands.takes_over)
    unpack_picks(db, forum, packed, kept, dropped, values.get("state", kept.state), now=now)
    _tell(db, forum, house, kept, dropped, now)
    if freed:
        move_queue(db, forum, house_of(db, own), now=now)


def say_distinct(db: Db, by: Actor, forum: Forum, one: str, other: str, *, now: datetime) -> bool:
    """These two are two people: they are not shown as a pair again. False where that was said before."""
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    rows = application_of(db, forum, one), application_of(db, forum, other)
    first, second = sorted(row.id for row in rows)
    if first == second:
        raise Refused("same_registration")
    there = (_distinct.c.first_id == first) & (_distinct.c.second_id == second)
    if db.execute(select(_distinct.c.first_id).where(there)).first():
        return False
    db.execute(insert(_distinct).values(first_id=first, second_id=second, forum_id=own, said_at=now))
    for row, beside in (rows, rows[::-1]):
        subject, after = f"registration:{row.code}", {"other": beside.code}
        record(db, forum.slug, by.signature, "registration.distinct", subject, now=now, after=after)
    return True


def _refuse_unless_possible(house: House, kept: Any, dropped: Any) -> None:
    if kept.id == dropped.id:
        raise Refused("same_registration")
    if kept.ended_at is not None or dropped.ended_at is not None:
        raise Refused("merge_ended")
    if kept.id == dropped.accompanies_id or dropped.id == kept.accompanies_id:
        raise Refused("merge_companion")  # a person and their own companion
    if house.category_by_id(dropped.category_id).in_hall and not house.category_by_id(kept.category_id).in_hall:
        raise Refused("merge_outside")  # the seat in the hall would be lost without a word


def _part(db: Db, house: House, row: Any) -> Part:
    seat = db.execute(select(_seats.c.id).where(_seats.c.application_id == row.id)).first()
    in_hall = house.category_by_id(row.category_id).in_hall
    return Part(State(row.state), seat is not None, row.category_id, in_hall)


def _person(house: House, row: Any) -> Asking:
    return asking(row, house.category_by_id(row.category_id).code)


_STANDING = (
    "category_id",
    "state",
    "asked_at",
    "priority",
    "priority_reason",
    "confirm_by",
    "offer_until",
    "reminded_at",
    "delegation_id",
    "heads_delegation",
)


def _standing_of(row: Any) -> dict[str, Any]:
    """What a seat or a place in a queue hangs on."""
    return {name: getattr(row, name) for name in _STANDING}


def _invitations_of(db: Db, kept: Any, dropped: Any, *, takes_over: bool) -> tuple[int | None, int | None]:
    """The invitation (id) of the kept registration afterwards, and of the ended one.

    The standing brings its own; where it has none, a personal one of the other comes along, for it is this person's. A
    second personal one stays with the ended registration and is closed: nobody else comes in by it.
    """
    mine, theirs = kept.invitation_id, dropped.invitation_id
    if takes_over:
        mine, theirs = theirs, mine
    if mine is None and theirs is not None and _is_personal(db, theirs):
        mine, theirs = theirs, None
    return mine, theirs


def _is_personal(db: Db, invitation: int) -> bool:
    personal = (_invitations.c.id == invitation) & (_invitations.c.kind == Kind.PERSONAL.value)
    return db.execute(select(_invitations.c.id).where(personal)).first() is not None


def _record(
    db: Db, by: Actor, forum: Forum, kept: Any, dropped: Any, packed: Luggage, now: datetime, *, takes_over: bool
) -> None:
    def write(kind: str, code: str, **told: Mapping[str, Any]) -> None:
        record(db, forum.slug, by.signature, kind, f"registration:{code}", now=now, **told)

    after = {
        "other": dropped.code,
        "standing": "other" if takes_over else "own",
        "filled": sorted(packed.columns),
        "answers": [one.code for one in packed.answers],
        "sessions": packed.codes([*packed.picks, *(other for _, other in packed.better)]),
    }
    write("registration.merged", kept.code, after=after)
    before = {"sessions": packed.codes(packed.clashing)}
    write("registration.merged_into", dropped.code, before=before, after={"other": kept.code})


def _tell(db: Db, forum: Forum, house: House, kept: Any, dropped: Any, now: datetime) -> None:
    """Write to the kept address, with its link; to the other address only that nothing more stands behind its own."""
    row = application_of(db, forum, kept.code)
    person = _person(house, row)
    offered = row.state == State.OFFERED.value
    hours_unset = row.offer_until is None if offered else row.confirmed_at is None and row.confirm_by is None
    if hours_unset and row.state in _ASKS and (row.state, row.category_id) != (kept.state, kept.category_id):
        hours = house.terms.offer_hours if offered else house.terms.confirm_hours
        tell(db, forum, person, _ASKS[row.state], now=now, values={"hours": hours})
    tell(db, forum, person, "registration/merged", now=now, values={"other": dropped.code})
    if dropped.email_normal != kept.email_normal:
        tell(db, forum, _person(house, dropped), "registration/merged_away", now=now)
