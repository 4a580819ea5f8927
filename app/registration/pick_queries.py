"""Reads about picks and places in sessions, shared by the doors."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.programme.models import Session
from app.programme.queries import published
from app.programme.rules.visibility import PUBLIC, visible, withholds_attendance
from app.registration.models import Application, Category, Pick, PickList, SignUp
from app.registration.rules.picks import PickState
from app.registration.rules.states import HOLDS_SEAT

_applications, _categories = table(Application), table(Category)
_picks, _lists, _sign_ups = table(Pick), table(PickList), table(SignUp)
_HOLDING = tuple(state.value for state in HOLDS_SEAT)


@dataclass(frozen=True, slots=True)
class Count:
    """How one session's sign-up stands: its places (None: open seating), how many are taken, how many people who hold
    a seat wait for one, and how many picked it where it has none."""

    places: int | None
    taken: int = 0
    waiting: int = 0
    picked: int = 0

    @property
    def left(self) -> int:
        """How many places could be given now."""
        return max(0, (self.places or 0) - self.taken)


def attendance_told(db: Db, forum: Forum) -> frozenset[str]:
    """The codes of the published sessions of which it may leave the system who is there (rules §4.5). One query."""
    sessions = visible(published(db, forum_id(forum)).sessions, PUBLIC)
    return frozenset(one.code for one in sessions if not withholds_attendance(one.attribution))


def counts_of(db: Db, own: int) -> dict[str, Count]:
    """Every session of the forum that asks for sign-up or was picked, by uid; counted from the rows. Two queries."""
    places = {
        row.session_uid: row.places
        for row in db.execute(select(_sign_ups.c.session_uid, _sign_ups.c.places).where(_sign_ups.c.forum_id == own))
    }
    counted = (
        select(_picks.c.session_uid, _picks.c.state, func.count().label("n"))
        .join(_applications, _applications.c.id == _picks.c.application_id)
        .where(_applications.c.forum_id == own, _applications.c.state.in_(_HOLDING))
        .group_by(_picks.c.session_uid, _picks.c.state)
    )
    by_state: dict[str, dict[str, int]] = {}
    for row in db.execute(counted):
        by_state.setdefault(row.session_uid, {})[row.state] = row.n
    found = {}
    for uid in places.keys() | by_state.keys():
        mine = by_state.get(uid, {})
        found[uid] = Count(places.get(uid), *(mine.get(state.value, 0) for state in PickState))
    return found


def sign_up_counts(db: Db, forum: Forum) -> dict[str, int]:
    """Places taken by session code, as the conflicts of the working copy are asked with (rules §4.3). One query."""
    sessions = table(Session)
    taken = (
        select(sessions.c.code, func.count(_picks.c.id))
        .join(_picks, _picks.c.session_uid == sessions.c.uid)
        .where(sessions.c.forum_id == forum_id(forum), _picks.c.state == PickState.SEATED.value)
        .group_by(sessions.c.code)
    )
    return {row[0]: row[1] for row in db.execute(taken)}


@dataclass(frozen=True, slots=True)
class OwnPick:
    """One of a person's picks; `ahead` is the place in the session's list, from 1, for one that waits, `number` the
    place held. `asked_at` (UTC) is the standing in the list."""

    state: PickState
    admitted: bool
    ahead: int | None
    number: int | None
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class OwnPicks:
    """A person's picks by the sessions' uids, the edition a form about them is opened on (0: never chosen), and when
    they last changed (UTC)."""

    edition: int
    by_uid: dict[str, OwnPick]
    changed_at: datetime | None = None

    @property
    def admitted(self) -> frozenset[str]:
        """The uids of the sessions an organiser admitted the person to."""
        return frozenset(uid for uid, pick in self.by_uid.items() if pick.admitted)


NO_PICKS = OwnPicks(0, {})


def own_picks(db: Db, application: int) -> OwnPicks:
    """The picks of one person. Two queries."""
    whole = db.execute(select(_lists).where(_lists.c.application_id == application)).first()
    if whole is None:
        return NO_PICKS
    other, person = _picks.alias(), _applications.alias()
    # who waits in the same list with better standing; a pick whose person holds no seat yet counts for nobody
    ahead = (
        select(func.count())
        .select_from(other.join(person, person.c.id == other.c.application_id))
        .where(
            other.c.session_uid == _picks.c.session_uid,
            other.c.state == PickState.WAITING.value,
            person.c.state.in_(_HOLDING),
            or_(
                other.c.asked_at < _picks.c.asked_at,
                and_(other.c.asked_at == _picks.c.asked_at, other.c.id < _picks.c.id),
            ),
        )
        .correlate(_picks)
        .scalar_subquery()
    )
    rows = db.execute(select(_picks, ahead.label("ahead")).where(_picks.c.application_id == application))
    found = {}
    for row in rows:
        state = PickState(row.state)
        place = row.ahead + 1 if state is PickState.WAITING else None
        found[row.session_uid] = OwnPick(state, row.admitted, place, row.number, row.asked_at)
    return OwnPicks(whole.edition, found, whole.changed_at)


def places_held(db: Db, application: int, uids: Collection[str]) -> frozenset[str]:
    """Which of these sessions the person has a place in."""
    mine = (_picks.c.application_id == application) & (_picks.c.state == PickState.SEATED.value)
    return frozenset(db.execute(select(_picks.c.session_uid).where(mine, _picks.c.session_uid.in_(uids))).scalars())


def names_in(db: Db, by: Actor, forum: Forum, uid: str) -> list[Any]:
    """Who is in a session, for the desk: those with a place by its number, then those who wait by standing, then who
    only picked it. Rows of people with `pick_state`, `number`, `pick_asked_at`, and the category. One query."""
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    wanted = (
        select(
            _applications,
            _picks.c.state.label("pick_state"),
            _picks.c.number,
            _picks.c.admitted,
            _picks.c.asked_at.label("pick_asked_at"),
            _categories.c.letter,
            _categories.c.band,
            _categories.c.name.label("category_name"),
        )
        .join(_picks, _picks.c.application_id == _applications.c.id)
        .join(_categories, _categories.c.id == _applications.c.category_id)
        .where(_applications.c.forum_id == own, _picks.c.session_uid == uid)
        .order_by(_picks.c.number.is_(None), _picks.c.number, _picks.c.state.desc(), _picks.c.asked_at, _picks.c.id)
    )
    return list(db.execute(wanted).all())
