"""What people do about sessions: choose and give up (rules §4.6); and how many places an organiser gives them."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, NotFound, Refused
from app.kit.pen import republish
from app.programme.published import PublishedSession
from app.programme.queries import published
from app.programme.rules.visibility import PUBLIC, Viewer, visible
from app.registration.applying import Asked, application_of
from app.registration.models import Pick, PickList, SignUp
from app.registration.rules.picks import PickState, clashes
from app.registration.seating import is_over
from app.registration.settling import settle
from app.registration.signing_up import move_lists, times_to_ask

_picks, _lists, _sign_ups = table(Pick), table(PickList), table(SignUp)


class Clash(Refused):
    """Sessions at the same time were chosen; `pairs` are they. Nothing was written; forcing it takes both."""

    def __init__(self, pairs: Iterable[tuple[PublishedSession, PublishedSession]]) -> None:
        super().__init__("picks_clash")
        self.pairs = tuple(pairs)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """One a pair, at the first of the two sessions that has none yet."""
        found: dict[str, Fault] = {}
        for one, other in self.pairs:
            code = next((code for code in (one.code, other.code) if f"pick-{code}" not in found), one.code)
            values = {"one": one.title, "other": other.title}
            found.setdefault(f"pick-{code}", Fault(f"pick-{code}", "picks_clash", values))
        return tuple(found.values())


def put_picks(
    db: Db,
    by: Actor,
    forum: Forum,
    code: str,
    wanted: Collection[str],
    edition: int | None,
    *,
    now: datetime,
    forced: bool = False,
) -> bool:
    """Bring a person's picks to exactly these sessions (codes); says whether anything changed.

    Sending it twice changes nothing. A pick of a cancelled session stays as it is, whatever was sent. `edition` is the
    one the form was opened on (None: not asked). Sessions that ask for sign-up give a place at once or a place in
    their list. Raises Clash unless `forced`; Refused: `ended`, `door_over`, `unknown_session` (also for one that is
    closed to the person), `session_cancelled`; Conflict("picks_changed_meanwhile").
    """
    settle(db, forum, now=now)
    row = _person_of(db, by, forum, code)
    if row.ended_at is not None:
        raise Refused("ended")
    if is_over(forum, now):
        raise Refused("door_over")
    current = {each.session_uid: each for each in db.execute(select(_picks).where(_picks.c.application_id == row.id))}
    admitted = frozenset(uid for uid, each in current.items() if each.admitted)
    sessions = _sessions_for(db, by, forum, row, admitted)
    chosen = _chosen(sessions, wanted, current)
    there = {session.uid: session for session in sessions.values() if not session.cancelled}
    new = [session for session in chosen if session.uid not in current]
    gone = [there[uid] for uid in current if uid in there and there[uid] not in chosen]
    if not new and not gone:
        return False
    before = _edition_of(db, row.id)
    if edition is not None and edition != before:
        raise Conflict("picks_changed_meanwhile")
    if not forced and (pairs := clashes(chosen, {session.uid for session in new})):
        raise Clash(pairs)
    _write(db, row.id, new, gone, before, admitted=not by.owns(row.id), now=now)
    subject = f"registration:{code}"
    changes = {"sessions": sorted(s.code for s in new)}, {"sessions": sorted(s.code for s in gone)}
    record(db, forum.slug, by.signature, "registration.picks", subject, now=now, after=changes[0], before=changes[1])
    told_already = row.id if by.owns(row.id) else None
    move_lists(db, forum, [s.uid for s in (*new, *gone)], now=now, told_already=told_already)
    return True


def pick(db: Db, by: Actor, forum: Forum, code: str, session: str, *, now: datetime, forced: bool = False) -> bool:
    """Choose one session more; False where it was chosen before. Refused as `put_picks`.

    Where an organiser does it, the person is admitted to the session by it, a closed one too (rules §4.5).
    """
    changed = put_picks(db, by, forum, code, _codes(db, forum, code) | {session}, None, now=now, forced=forced)
    return changed or (not by.owns(application_of(db, forum, code).id) and _admit(db, by, forum, code, session, now))


def _admit(db: Db, by: Actor, forum: Forum, code: str, session: str, now: datetime) -> bool:
    """An organiser admits a person who had picked the session before; says whether that is news."""
    row, found = application_of(db, forum, code), published(db, forum_id(forum)).session(session)
    uid = found.uid if found else ""
    here = (_picks.c.application_id == row.id) & (_picks.c.session_uid == uid) & _picks.c.admitted.is_(False)
    if db.execute(select(_picks.c.id).where(here)).first() is None:
        return False
    db.execute(update(_picks).where(here).values(admitted=True))
    subject, after = f"registration:{code}", {"sessions": [session]}
    record(db, forum.slug, by.signature, "registration.picks", subject, now=now, after=after)
    move_lists(db, forum, [uid], now=now)
    return True


def unpick(db: Db, by: Actor, forum: Forum, code: str, session: str, *, now: datetime) -> bool:
    """Give one session up; False where it was not chosen. A place goes to the next in that session's list at once."""
    return put_picks(db, by, forum, code, _codes(db, forum, code) - {session}, None, now=now)


def first_picks(db: Db, forum: Forum, asked: Asked, wanted: Collection[str], *, now: datetime) -> None:
    """What was chosen with the form to register, after `refuse_clashes` said nothing and the person was registered.

    They count from the moment the person holds a seat. A known person keeps their own.
    """
    if wanted and not asked.known and not asked.same_request:
        row = application_of(db, forum, asked.code)
        put_picks(db, Actor.participant(row.id), forum, asked.code, wanted, None, now=now, forced=True)


def refuse_clashes(db: Db, forum: Forum, wanted: Collection[str], *, forced: bool) -> None:
    """Refuse what nobody new may choose, for known and unknown people alike. Raises as `put_picks` does."""
    if wanted:
        sessions = {each.code: each for each in visible(published(db, forum_id(forum)).sessions, PUBLIC)}
        chosen = _chosen(sessions, wanted, {})
        if not forced and (pairs := clashes(chosen, {session.uid for session in chosen})):
            raise Clash(pairs)


def change_places(db: Db, by: Actor, forum: Forum, session: str, places: int | None, *, now: datetime) -> bool:
    """Set how many places a session has for sign-up, None for open seating; says whether that is news.

    More places go to those who wait, in the same transaction; fewer than are taken unseat nobody (rules §1.6).
    Raises NotFound for a session that is not in the programme.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    settle(db, forum, now=now)
    found = published(db, own).session(session)
    if found is None:
        raise NotFound
    here = _sign_ups.c.session_uid == found.uid
    before = db.execute(select(_sign_ups.c.places).where(here)).scalar_one_or_none()
    if before == places:
        return False
    db.execute(delete(_sign_ups).where(here))
    if places is not None:
        db.execute(insert(_sign_ups).values(session_uid=found.uid, forum_id=own, places=places))
    changes = {"places": before}, {"places": places}
    subject = f"session:{session}"
    record(db, forum.slug, by.signature, "sign_up.places", subject, now=now, before=changes[0], after=changes[1])
    republish(db, forum.slug)
    move_lists(db, forum, [found.uid], now=now)
    return True


def _person_of(db: Db, by: Actor, forum: Forum, code: str) -> Any:
    """The application for its own person or an organiser who decides; anybody else finds nothing."""
    row = application_of(db, forum, code)
    if not by.owns(row.id):
        by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    return row


def _sessions_for(db: Db, by: Actor, forum: Forum, row: Any, admitted: frozenset[str]) -> dict[str, PublishedSession]:
    """The published sessions that exist for whoever chooses, by code (rules §4.5)."""
    sessions = published(db, forum_id(forum)).sessions
    codes = frozenset(session.code for session in sessions if session.uid in admitted)
    viewer = Viewer(codes, desk=not by.owns(row.id))
    return {session.code: session for session in visible(sessions, viewer)}


def _chosen(
    sessions: dict[str, PublishedSession], wanted: Collection[str], current: Collection[str]
) -> list[PublishedSession]:
    """The wanted sessions that take place, in the programme's order."""
    if set(wanted) - sessions.keys():
        raise Refused("unknown_session")
    chosen = [session for code, session in sessions.items() if code in wanted]
    for session in chosen:
        if session.cancelled and session.uid not in current:
            raise Refused("session_cancelled", title=session.title)
    return [session for session in chosen if not session.cancelled]


def _codes(db: Db, forum: Forum, code: str) -> set[str]:
    """The codes of the sessions a person has picked already, of those in the programme."""
    row = application_of(db, forum, code)
    mine = set(db.execute(select(_picks.c.session_uid).where(_picks.c.application_id == row.id)).scalars())
    return {session.code for session in published(db, forum_id(forum)).sessions if session.uid in mine}


def _edition_of(db: Db, application: int) -> int:
    found: int | None = db.execute(
        select(_lists.c.edition).where(_lists.c.application_id == application)
    ).scalar_one_or_none()
    return found or 0


def _write(
    db: Db,
    application: int,
    new: list[PublishedSession],
    gone: list[PublishedSession],
    edition: int,
    *,
    admitted: bool,
    now: datetime,
) -> None:
    """The rows: every new pick asks first (`waiting`) or holds no place; `move_lists` then says which."""
    if edition:
        mine = _lists.c.application_id == application
        db.execute(update(_lists).where(mine).values(edition=edition + 1, changed_at=now))
    else:
        db.execute(insert(_lists).values(application_id=application, edition=1, changed_at=now))
    if gone:
        uids = [session.uid for session in gone]
        db.execute(delete(_picks).where(_picks.c.application_id == application, _picks.c.session_uid.in_(uids)))
    times = times_to_ask(db, [session.uid for session in new], now=now)
    for session in new:
        row = {"application_id": application, "session_uid": session.uid, "number": None}
        state = PickState.WAITING.value
        db.execute(insert(_picks).values(**row, state=state, admitted=admitted, asked_at=times[session.uid]))
