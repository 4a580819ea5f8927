"""Taking an edit back, and bringing back a state that a session had: itself an edit, with a revision of its own."""

from datetime import datetime
from typing import Literal

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id, objective_numbers, rooms_of, tracks_of
from app.kit.db import Db, table
from app.kit.errors import Conflict, Refused
from app.programme.drafting import states_of
from app.programme.editing import Edited, SignUps, put, withdraw
from app.programme.inputs import SessionInput
from app.programme.models import Speaker
from app.programme.remembering import Edit, from_snapshot, revision

_speakers = table(Speaker)


def bring_back(
    db: Db,
    by: Actor,
    forum: Forum,
    number: int,
    *,
    edition: int,
    now: datetime,
    side: Literal["before", "after"] = "before",
    reason: str = "",
    taken: SignUps | None = None,
) -> Edited:
    """Bring a session to what it was before (undo) or after an edit.

    `edition` is the session's as whoever asks saw it, 0 for one that is not there. A room or speaker that is there no
    more is left out. Raises NotFound for an edit there is not, Conflict where the session was edited meanwhile, Refused
    and Invalid as `editing.change`; Refused("nothing_there") for a state that was none.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    edit = revision(db, own, number)
    was = states_of(db, own, uid=edit.session_uid).get(edit.session_uid)
    if edition != (was.edition if was else 0):
        raise Conflict("session_changed", edition=was.edition if was else 0)
    snapshot = edit.before if side == "before" else edit.after
    if snapshot is None:
        if was is None:
            raise Refused("nothing_there")
        return withdraw(db, by, forum, was, now=now, kind=Edit.BROUGHT_BACK)
    draft = _possible(db, own, from_snapshot(snapshot))
    uid = edit.session_uid
    return put(db, by, forum, was, draft, Edit.BROUGHT_BACK, now=now, uid=uid, reason=reason, taken=taken)


def _possible(db: Db, own: int, draft: SessionInput) -> SessionInput:
    """The draft without what the forum does not have any more."""
    rooms = {room.code for room in rooms_of(db, own)}
    speakers = set(db.execute(select(_speakers.c.code).where(_speakers.c.forum_id == own)).scalars())
    tracks = tracks_of(db, own)
    slugs, numbers = {slug for track in tracks for slug, _ in track.themes}, objective_numbers(db, own)
    kept = {
        "room": draft.room if draft.room in rooms else None,
        "people": tuple(part for part in draft.people if part.speaker in speakers),
        "tracks": tuple(code for code in draft.tracks if code in {track.code for track in tracks}),
        "themes": tuple(slug for slug in draft.themes if slug in slugs),
        "objectives": tuple(number for number in draft.objectives if number in numbers),
    }
    return draft.model_copy(update=kept)
