"""Editing one session of the working copy: every deed is held against the edition it was opened on, looks for new
conflicts, keeps what was there before and records a fact (rules §4.3, §4.4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id, objective_numbers, rooms_of, tracks_of
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, Invalid, NotFound, Refused
from app.programme.drafting import assign, columns_of, new_uid, published_uids, put_cast, states_of, take_out
from app.programme.inputs import MoveInput, SessionInput
from app.programme.marking import unmark
from app.programme.models import Session, Speaker
from app.programme.overriding import keep_reason, key_of, reasons_of, recode, recoded, unexplained
from app.programme.publishing import conflicts_of
from app.programme.queries import Window
from app.programme.remembering import Edit, State, last_edition, remember
from app.programme.rules import conflicts as rule
from app.programme.rules.visibility import betrayed_by_gap

_sessions, _speakers = table(Session), table(Speaker)
SignUps = Mapping[str, int]
"""Places taken by session code, as the door read them: the programme's floor knows no sign-ups."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit did: to which session, and the number of its revision; 0 where it changed nothing."""

    code: str
    number: int
    kind: Edit


def create(
    db: Db,
    by: Actor,
    forum: Forum,
    sent: SessionInput,
    *,
    now: datetime,
    reason: str = "",
    taken: SignUps | None = None,
) -> Edited:
    """Add a session. Raises Invalid for a code that is taken, otherwise as `change`."""
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    return put(db, by, forum, None, sent, Edit.CREATED, now=now, reason=reason, taken=taken)


def change(
    db: Db,
    by: Actor,
    forum: Forum,
    code: str,
    sent: SessionInput,
    *,
    edition: int,
    now: datetime,
    reason: str = "",
    taken: SignUps | None = None,
) -> Edited:
    """Bring a session to what was sent.

    Raises NotFound, Conflict("session_changed") where its edition is another by now, Refused("new_conflicts") where the
    edit makes hard conflicts for which neither `reason` nor an earlier one speaks (`found` holds them), Invalid for a
    code that is taken or would show a closed session by a gap.
    """
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    was = as_opened(db, forum, code, edition)
    # whether it takes place is not said by its form: others may have cancelled it before this edition
    draft = sent.model_copy(update={"cancelled": was.draft.cancelled})
    return put(db, by, forum, was, draft, Edit.CHANGED, now=now, reason=reason, taken=taken)


def move(
    db: Db,
    by: Actor,
    forum: Forum,
    code: str,
    to: MoveInput,
    *,
    edition: int,
    now: datetime,
    taken: SignUps | None = None,
) -> Edited:
    """Give a session another time, length or room; without a time it waits for one. Raises as `change`."""
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    was = as_opened(db, forum, code, edition)
    ends_at = to.starts_at + timedelta(minutes=to.minutes) if to.starts_at else None
    draft = was.draft.model_copy(update={"starts_at": to.starts_at, "ends_at": ends_at, "room": to.room})
    return put(db, by, forum, was, draft, Edit.MOVED, now=now, reason=to.reason, taken=taken)


def cancel(db: Db, by: Actor, forum: Forum, code: str, *, edition: int, now: datetime) -> Edited:
    """Take a session out: removed if it was never published, cancelled if it was. Raises NotFound and Conflict."""
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    return withdraw(db, by, forum, as_opened(db, forum, code, edition), now=now)


def restore(
    db: Db,
    by: Actor,
    forum: Forum,
    code: str,
    *,
    edition: int,
    now: datetime,
    reason: str = "",
    taken: SignUps | None = None,
) -> Edited:
    """Let a cancelled session take place after all. Raises as `change`."""
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    was = as_opened(db, forum, code, edition)
    draft = was.draft.model_copy(update={"cancelled": False})
    return put(db, by, forum, was, draft, Edit.RESTORED, now=now, reason=reason, taken=taken)


def as_opened(db: Db, forum: Forum, code: str, edition: int) -> State:
    """The session with this code, if it is still what was opened. Raises NotFound and Conflict."""
    (found, *_) = (*states_of(db, forum_id(forum), code=code).values(), None)
    if found is None:
        raise NotFound
    if found.edition != edition:
        raise Conflict("session_changed", edition=found.edition)
    return found


def withdraw(db: Db, by: Actor, forum: Forum, was: State, *, now: datetime, kind: Edit | None = None) -> Edited:
    """Take out a session that stands. Asks nobody; for deeds that have."""
    own, code = forum_id(forum), was.draft.code
    known = published_uids(db, own)
    if was.uid in known and was.draft.cancelled:
        return Edited(code, 0, Edit.CANCELLED)
    row = _row(db, own, was.uid)
    take_out(db, row, known)
    if was.uid in known:
        row.edition = was.edition + 1
    db.flush()
    after = states_of(db, own, uid=was.uid).get(was.uid)
    done = kind or (Edit.CANCELLED if after else Edit.REMOVED)
    return _kept(db, by, forum, was, after, done, now=now)


def put(
    db: Db,
    by: Actor,
    forum: Forum,
    was: State | None,
    draft: SessionInput,
    kind: Edit,
    *,
    now: datetime,
    uid: str = "",
    reason: str = "",
    taken: SignUps | None = None,
) -> Edited:
    """Bring a session to a draft, whether it stands or not, and look what that collides with. Asks nobody."""
    own = forum_id(forum)
    if was is not None and was.draft == draft:
        return Edited(draft.code, 0, kind)
    _all_known(db, own, draft)
    with db.begin_nested():
        around = _windows(was.draft if was else None, draft)
        before = {key_of(one) for one in conflicts_of(db, forum, taken, around=around)}
        gaps = _gaps(db, own)
        known = _write(db, own, was, draft, uid or new_uid())
        if was is not None and was.draft.code != draft.code:
            recode(db, own, codes_now := {was.draft.code: draft.code})
            before = {recoded(key, codes_now) for key in before}
        if set(_gaps(db, own)) - set(gaps):
            raise Invalid([Fault("code", "code_gap", {"codes": ", ".join(_gaps(db, own))})])
        new = [
            one
            for one in unexplained(conflicts_of(db, forum, taken, around=around), reasons_of(db, own))
            if draft.code in one.codes and key_of(one) not in before
        ]
        if new and not reason:
            raise Refused("new_conflicts", codes=_codes(new), found=tuple(new))
        for one in new:
            keep_reason(db, by, forum, one, reason, now=now)
    after = states_of(db, own, uid=known)[known]
    return _kept(db, by, forum, was, after, kind, now=now)


def _windows(*drafts: SessionInput | None) -> list[Window]:
    """The times in which a session may collide, before an edit and after it: so an edit costs what is around it."""
    return [(draft.starts_at, draft.ends_at) for draft in drafts if draft and draft.starts_at and draft.ends_at]


def _write(db: Db, own: int, was: State | None, draft: SessionInput, uid: str) -> str:
    rooms = {room.code: room.id for room in rooms_of(db, own)}
    columns = {**columns_of(draft, rooms), "code": draft.code}
    same_code = select(_sessions.c.uid).where(_sessions.c.forum_id == own, _sessions.c.code == draft.code)
    if db.execute(same_code).scalar() not in {None, was.uid if was else None}:
        raise Invalid([Fault("code", "session_code_taken", {"code": draft.code})])
    if was is None:
        last = db.execute(select(func.max(_sessions.c.position)).where(_sessions.c.forum_id == own)).scalar()
        edition = last_edition(db, own, uid) + 1
        row = Session(forum_id=own, uid=uid, position=(last or 0) + 1, edition=edition, **columns)
        db.add(row)
    else:
        row = _row(db, own, was.uid)
        assign(row, columns)
        row.edition = was.edition + 1
    db.flush()
    people = select(_speakers.c.code, _speakers.c.id).where(_speakers.c.forum_id == own)
    put_cast(db, row.id or 0, draft.people, {person.code: person.id for person in db.execute(people)})
    return row.uid


def _all_known(db: Db, own: int, draft: SessionInput) -> None:
    """Raises Invalid for a topic, theme or objective that the forum does not have, and for a part given twice."""
    tracks = tracks_of(db, own)
    known: dict[str, set[Any]] = {
        "tracks": {track.code for track in tracks},
        "themes": {slug for track in tracks for slug, _ in track.themes},
        "objectives": objective_numbers(db, own),
    }
    faults = [
        Fault(name, "not_a_choice", {"choices": ""}) for name, ours in known.items() if {*getattr(draft, name)} - ours
    ]
    if len({(part.speaker, part.role) for part in draft.people}) < len(draft.people):
        faults.append(Fault("people", "part_twice"))
    if faults:
        raise Invalid(faults)


def _row(db: Db, own: int, uid: str) -> Session:
    row: Session = db.execute(select(Session).where(_sessions.c.forum_id == own, _sessions.c.uid == uid)).scalar_one()
    return row


def _gaps(db: Db, own: int) -> list[str]:
    """The closed sessions that a gap between public codes would show (rules §4.5)."""
    wanted = select(_sessions.c.code, _sessions.c.attribution).where(_sessions.c.forum_id == own)
    coded: list[Any] = list(db.execute(wanted))  # rows that have both names
    return betrayed_by_gap(coded)


def _codes(found: list[rule.Conflict]) -> str:
    return ", ".join(sorted({code for one in found for code in one.codes}))


def _kept(
    db: Db, by: Actor, forum: Forum, was: State | None, after: State | None, kind: Edit, *, now: datetime
) -> Edited:
    """Keep the edit in the history, record it, and let go of the form it was made in."""
    own = forum_id(forum)
    state = after or was
    assert state is not None  # noqa: S101 - an edit is of something
    number = remember(db, by, own, was, after, kind, now=now)
    unmark(db, by, own, state.uid)
    told = {"number": state.edition, "changed": changed_fields(was, after)}
    code = state.draft.code
    record(db, forum.slug, by.signature, f"session.{kind.value}", f"session:{code}", now=now, after=told)
    return Edited(code, number, kind)


def changed_fields(was: State | None, after: State | None) -> list[str]:
    """The names of what differs between two states; none where one of them is not there."""
    if was is None or after is None:
        return []
    return [name for name in SessionInput.model_fields if getattr(was.draft, name) != getattr(after.draft, name)]
