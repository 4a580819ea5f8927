"""The history of the working copy: every edit of a session with the whole of it before and after (rules §4.4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from app.accounts.actor import Actor
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.programme.inputs import SessionInput
from app.programme.models import Revision

_revisions = table(Revision)


class Edit(StrEnum):
    """What was done to a session."""

    CREATED = "created"
    CHANGED = "changed"
    MOVED = "moved"
    CANCELLED = "cancelled"
    RESTORED = "restored"
    REMOVED = "removed"
    BROUGHT_BACK = "brought_back"
    LOADED = "loaded"
    IMPORTED = "imported"
    COPIED = "copied"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True)
class State:
    """A session of the working copy as it stands: its edition, and all that an organiser may say of it."""

    uid: str
    edition: int
    draft: SessionInput

    @property
    def snapshot(self) -> dict[str, Any]:
        """The session as JSON values."""
        return self.draft.model_dump(mode="json")


def from_snapshot(snapshot: Mapping[str, Any]) -> SessionInput:
    """The session that a snapshot holds; what is no field of a session any more is left out."""
    return SessionInput.model_validate({k: v for k, v in snapshot.items() if k in SessionInput.model_fields})


def remember(
    db: Db, by: Actor, own: int, before: State | None, after: State | None, kind: Edit, *, now: datetime
) -> int:
    """Keep what an edit did; the number of the revision. One of the two states is there."""
    row = _kept(by, own, before, after, kind, now=now)
    db.add(row)
    db.flush()
    return row.id or 0


def remember_together(
    db: Db,
    by: Actor,
    own: int,
    edits: Iterable[tuple[State | None, State | None]],
    kind: Edit,
    *,
    now: datetime,
) -> int:
    """Keep what several edits did, as (before, after); the number they share."""
    last = db.execute(select(func.max(_revisions.c.together)).where(_revisions.c.forum_id == own)).scalar()
    number = int(last or 0) + 1
    db.add_all(_kept(by, own, before, after, kind, now=now, together=number) for before, after in edits)
    db.flush()
    return number


def _kept(
    by: Actor,
    own: int,
    before: State | None,
    after: State | None,
    kind: Edit,
    *,
    now: datetime,
    together: int | None = None,
) -> Revision:
    state = after or before
    assert state is not None  # noqa: S101 - an edit is of something
    signature, name = by.signature
    return Revision(
        forum_id=own,
        session_uid=state.uid,
        code=state.draft.code,
        edition=state.edition + (after is None),
        kind=kind.value,
        before=before.snapshot if before else None,
        after=after.snapshot if after else None,
        by=signature,
        by_name=name,
        at=now,
        together=together,
    )


def made_together(db: Db, own: int, number: int) -> list[Revision]:
    """The edits with this number, in their order; none where there is no such number. One query."""
    wanted = select(Revision).where(_revisions.c.forum_id == own, _revisions.c.together == number)
    return list(db.execute(wanted.order_by(_revisions.c.id)).scalars())


def revision(db: Db, own: int, number: int) -> Revision:
    """One edit of this forum's programme. Raises NotFound."""
    wanted = select(Revision).where(_revisions.c.forum_id == own, _revisions.c.id == number)
    found: Revision | None = db.execute(wanted).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def last_edition(db: Db, own: int, uid: str) -> int:
    """The edition that a session had after its last edit that is known; 0 where none is."""
    wanted = select(_revisions.c.edition).where(_revisions.c.forum_id == own, _revisions.c.session_uid == uid)
    return int(db.execute(wanted.order_by(_revisions.c.id.desc()).limit(1)).scalar() or 0)


def last_editions(db: Db, own: int, uids: Iterable[str]) -> dict[str, int]:
    """The same of several sessions by uid; those that were never edited have none. One query."""
    known = _revisions.c.forum_id == own
    wanted = select(_revisions.c.session_uid, func.max(_revisions.c.edition)).where(known)
    rows = db.execute(wanted.where(_revisions.c.session_uid.in_(list(uids))).group_by(_revisions.c.session_uid))
    return {uid: int(edition) for uid, edition in rows}


def history_of(db: Db, own: int, uid: str, *, most: int = 200) -> list[Revision]:
    """The edits of one session, the newest first. One query."""
    wanted = select(Revision).where(_revisions.c.forum_id == own, _revisions.c.session_uid == uid)
    return list(db.execute(wanted.order_by(_revisions.c.id.desc()).limit(most)).scalars())


def recent(db: Db, own: int, *, most: int = 60, before: int | None = None) -> list[Revision]:
    """The last edits of the programme, the newest first; those with a number below `before`. One query."""
    wanted = select(Revision).where(_revisions.c.forum_id == own)
    if before is not None:
        wanted = wanted.where(_revisions.c.id < before)
    return list(db.execute(wanted.order_by(_revisions.c.id.desc()).limit(most)).scalars())


def uid_of_code(db: Db, own: int, code: str) -> str | None:
    """The session that last bore this code according to the history; None where none did. One query."""
    wanted = select(_revisions.c.session_uid).where(_revisions.c.forum_id == own, _revisions.c.code == code)
    found: str | None = db.execute(wanted.order_by(_revisions.c.id.desc()).limit(1)).scalar()
    return found
