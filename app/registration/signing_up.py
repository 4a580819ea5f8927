"""Places in the sessions that ask for sign-up: the shell around `rules.picks`, always in the transaction of the deed
that makes somebody ask, frees a place, or changes how many there are (rules §1.5, §1.11).

It brings the picks to what is so now: places, the published programme, and who holds a seat. Doing it twice changes
nothing.
"""

from collections.abc import Collection
from datetime import datetime
from itertools import count, groupby, islice
from operator import attrgetter
from typing import Any

from sqlalchemy import delete, func, select, update

from app.accounts.actor import Actor
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import ends_at, forum_id
from app.kit.db import Db, table
from app.mail.outbox import queue_mail
from app.programme.published import PublishedSession
from app.programme.queries import published
from app.programme.rules.visibility import Viewer, shown
from app.registration.models import Application, Pick, PickList, SignUp
from app.registration.people import shown_name
from app.registration.rules.picks import PickState, admitted, follows
from app.registration.rules.seats import Waiting, asks_at
from app.registration.rules.states import HOLDS_SEAT, State

_applications, _picks, _lists, _sign_ups = table(Application), table(Pick), table(PickList), table(SignUp)


def move_lists(
    db: Db, forum: Forum, uids: Collection[str] | None, *, now: datetime, told_already: int | None = None
) -> int:
    """Bring the picks of these sessions (None: of all) to what is so, and give every free place to the next in that
    session's list; how many places were given.

    Whoever gets one is told by mail, one mail a person, but for the application `told_already`, whose page says it.
    Nobody gets a place when the forum is over.
    """
    own = forum_id(forum)
    rows = _rows(db, own, uids)
    if not rows:
        return 0
    sessions = {session.uid: session for session in published(db, own).sessions}
    signs = select(_sign_ups.c.session_uid, _sign_ups.c.places).where(_sign_ups.c.forum_id == own)
    places = {row.session_uid: row.places for row in db.execute(signs)}
    forum_ends = ends_at(forum)
    over = forum_ends is not None and now >= forum_ends
    changed: set[int] = set()
    given: list[tuple[Any, int]] = []
    for uid, group in groupby(rows, key=attrgetter("session_uid")):
        picks, session, has = list(group), sessions.get(uid), places.get(uid)
        states = _bring(db, picks, session, signs_up=has is not None, changed=changed)
        if has is not None and session is not None and not session.cancelled and not over:
            given += _give(db, picks, states, session, has, now)
    changed |= {row.application_id for row, _ in given}
    if changed:
        db.execute(update(_lists).where(_lists.c.application_id.in_(changed)).values(changed_at=now))
    for row, number in given:
        after = {"sessions": [sessions[row.session_uid].code], "place": number}
        subject = f"registration:{row.code}"
        record(db, forum.slug, Actor.worker().signature, "registration.picked_up", subject, now=now, after=after)
    _tell(db, forum, [row for row, _ in given if row.application_id != told_already], now)
    return len(given)


def _rows(db: Db, own: int, uids: Collection[str] | None) -> list[Any]:
    """The picks of these sessions with their people, by session."""
    people = _applications.c
    person = [people[name] for name in ("titles", "family_name", "given_name", "name_km", "name_order", "display_name")]
    wanted = (
        select(_picks, people.state.label("person_state"), people.code, people.language, people.email, *person)
        .join(_applications, people.id == _picks.c.application_id)
        .where(people.forum_id == own)
        .order_by(_picks.c.session_uid, _picks.c.id)
    )
    if uids is not None:
        wanted = wanted.where(_picks.c.session_uid.in_(uids))
    return list(db.execute(wanted).all())


def _counts(row: Any, session: PublishedSession) -> bool:
    """Does the pick count: its person holds a seat, and the session exists for them?"""
    viewer = Viewer(frozenset({session.code} if row.admitted else ()))
    return State(row.person_state) in HOLDS_SEAT and shown(session, viewer)


def _bring(
    db: Db, picks: list[Any], session: PublishedSession | None, *, signs_up: bool, changed: set[int]
) -> dict[int, PickState]:
    """Bring the picks of one session to the states that follow, before places are given."""
    live = session is not None and not session.cancelled
    states = {}
    for row in picks:
        counts = session is not None and _counts(row, session)
        state = states[row.id] = follows(PickState(row.state), live=live, signs_up=signs_up, counts=counts)
        if state.value != row.state:
            changed.add(row.application_id)
            db.execute(update(_picks).where(_picks.c.id == row.id).values(state=state.value, number=None))
    return states


def _give(
    db: Db, picks: list[Any], states: dict[int, PickState], session: PublishedSession, places: int, now: datetime
) -> list[tuple[Any, int]]:
    """Give the free places of one session, the lowest numbers first; (pick, number) in the order given."""
    taken = {row.number for row in picks if states[row.id] is PickState.SEATED}
    waiting = {row.id: row for row in picks if states[row.id] is PickState.WAITING and _counts(row, session)}
    asking = [Waiting(row.id, "", 0, row.asked_at) for row in waiting.values()]
    served = admitted(places, len(taken), asking, now)
    free = list(islice((number for number in count(1) if number not in taken), len(served)))
    for each, number in zip(served, free, strict=True):
        values = {"state": PickState.SEATED.value, "number": number}
        db.execute(update(_picks).where(_picks.c.id == each.id).values(**values))
    return [(waiting[each.id], number) for each, number in zip(served, free, strict=True)]


def _tell(db: Db, forum: Forum, given: list[Any], now: datetime) -> None:
    """One mail a person about all places they got now; the sessions are looked up when it is rendered."""
    by_person: dict[int, list[Any]] = {}
    for row in given:
        by_person.setdefault(row.application_id, []).append(row)
    for rows in by_person.values():
        one, values = rows[0], {"uids": [row.session_uid for row in rows]}
        to, subject = (one.email, shown_name(one, one.language)), f"registration:{one.code}"
        queue_mail(db, forum.slug, "registration/picked_up", one.language, to, subject, now=now, values=values)


def arrive(db: Db, forum: Forum, application: int, *, now: datetime) -> None:
    """The person holds a seat from now on: what they picked before counts from now (rules §1.11)."""
    mine = _picks.c.application_id == application
    uids = db.execute(select(_picks.c.session_uid).where(mine)).scalars().all()
    if uids:
        ask_anew(db, application, uids, now=now)
        move_lists(db, forum, uids, now=now)


def times_to_ask(db: Db, uids: Collection[str], *, now: datetime) -> dict[str, datetime]:
    """When whoever asks for these sessions `now` has asked, by session (`rules.seats.asks_at`). One query."""
    if not uids:
        return {}
    last = select(_picks.c.session_uid, func.max(_picks.c.asked_at)).where(_picks.c.session_uid.in_(uids))
    latest = {row[0]: row[1] for row in db.execute(last.group_by(_picks.c.session_uid))}
    return {uid: asks_at(now, latest.get(uid)) for uid in uids}


def ask_anew(db: Db, application: int, uids: Collection[str], *, now: datetime) -> None:
    """What a person picked of these sessions counts from `now` on, behind those who asked before."""
    for uid, asked_at in times_to_ask(db, uids, now=now).items():
        mine = (_picks.c.application_id == application) & (_picks.c.session_uid == uid)
        db.execute(update(_picks).where(mine).values(asked_at=asked_at))


def calendar_changed(db: Db, application: int, *, now: datetime) -> None:
    """What calendars hold of the person's picks changed, though the picks did not: another delegation, or none."""
    db.execute(update(_lists).where(_lists.c.application_id == application).values(changed_at=now))


def leave(db: Db, by: Actor, forum: Forum, application: int, code: str, *, now: datetime) -> None:
    """The registration has ended: its picks go, and each place to the next in that session's list."""
    mine = _picks.c.application_id == application
    uids = db.execute(select(_picks.c.session_uid).where(mine)).scalars().all()
    if uids:
        db.execute(delete(_picks).where(mine))
        before = {"picks": len(uids)}
        subject = f"registration:{code}"
        record(db, forum.slug, by.signature, "registration.picks_ended", subject, now=now, before=before)
        move_lists(db, forum, uids, now=now)
