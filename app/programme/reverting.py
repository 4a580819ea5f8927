"""Taking edits back, one or all of an import, and bringing back a state of a session or the sessions of a version:
edits themselves, with revisions of their own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id, objective_numbers, rooms_of, tracks_of
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, NotFound, Refused
from app.programme.altering import Altered, Wanted, carry_out, foresee
from app.programme.drafting import published_uids, states_of
from app.programme.editing import Edited, SignUps, put, withdraw
from app.programme.inputs import AppearanceInput, SessionInput
from app.programme.models import Speaker
from app.programme.published import PublishedSession
from app.programme.queries import published
from app.programme.remembering import Edit, State, from_snapshot, made_together, revision
from app.programme.rules.codes import next_code, split

_speakers = table(Speaker)
_SAME = frozenset(SessionInput.model_fields) - {"people", "setup", "attribution"}
Since = Literal["leave", "take_out"]
"""What becomes of sessions that came after a version which is taken back."""


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
    draft = Known.of(db, own).possible(from_snapshot(snapshot))
    uid = edit.session_uid
    return put(db, by, forum, was, draft, Edit.BROUGHT_BACK, now=now, uid=uid, reason=reason, taken=taken)


@dataclass(frozen=True, slots=True)
class Known:
    """What sessions of a forum may name."""

    choices: Mapping[str, frozenset[Any]]

    @classmethod
    def of(cls, db: Db, own: int) -> "Known":
        """What this forum has. Five queries."""
        tracks = tracks_of(db, own)
        speakers = db.execute(select(_speakers.c.code).where(_speakers.c.forum_id == own)).scalars()
        return cls(
            {
                "room": frozenset(room.code for room in rooms_of(db, own)),
                "people": frozenset(speakers),
                "tracks": frozenset(track.code for track in tracks),
                "themes": frozenset(slug for track in tracks for slug, _ in track.themes),
                "objectives": frozenset(objective_numbers(db, own)),
            }
        )

    def possible(self, draft: SessionInput) -> SessionInput:
        """The draft without what the forum does not have."""
        kept: dict[str, Any] = {
            name: tuple(each for each in getattr(draft, name) if each in self.choices[name])
            for name in ("tracks", "themes", "objectives")
        }
        kept["room"] = draft.room if draft.room in self.choices["room"] else None
        kept["people"] = tuple(part for part in draft.people if part.speaker in self.choices["people"])
        return draft.model_copy(update=kept)

    def left_out(self, draft: SessionInput) -> tuple[Fault, ...]:
        """What `possible` leaves out, one note for each kind of thing: the field and what was named there."""
        lost: dict[str, list[str]] = {
            name: [str(each) for each in getattr(draft, name) if each not in self.choices[name]]
            for name in ("tracks", "themes", "objectives")
        }
        lost["room"] = [draft.room] if draft.room and draft.room not in self.choices["room"] else []
        lost["people"] = [part.speaker for part in draft.people if part.speaker not in self.choices["people"]]
        return tuple(Fault(name, "left_out", {"named": ", ".join(gone)}) for name, gone in lost.items() if gone)


@dataclass(frozen=True, slots=True)
class Together:
    """Edits made together as they can be taken back: what each session goes back to, and the codes of sessions that
    were edited again since, which stay as they are."""

    kind: str
    at: datetime
    by: str
    by_name: str
    wanted: tuple[Wanted, ...]
    since: tuple[str, ...]


def before_together(db: Db, forum: Forum, number: int) -> Together:
    """How the sessions of these edits stood before them. Raises NotFound where there are none."""
    own = forum_id(forum)
    edits = made_together(db, own, number)
    if not edits:
        raise NotFound
    states, known = states_of(db, own), Known.of(db, own)
    wanted, since = [], []
    for edit in edits:
        stands = states.get(edit.session_uid)
        if (stands.edition if stands else None) != (edit.edition if edit.after else None):
            since.append(stands.draft.code if stands else edit.code)
            continue
        then = from_snapshot(edit.before) if edit.before else None
        notes = known.left_out(then) if then else ()
        wanted.append(Wanted(edit.session_uid, stands, known.possible(then) if then else None, notes=notes))
    first = edits[0]
    return Together(first.kind, first.at, first.by, first.by_name, tuple(wanted), tuple(since))


def take_back_together(
    db: Db, by: Actor, forum: Forum, number: int, *, mark: str, now: datetime, reason: str = ""
) -> Altered:
    """Take edits back that were made together. Raises NotFound, and as `altering.carry_out`."""
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    seen = foresee(db, forum, before_together(db, forum, number).wanted)
    return carry_out(db, by, forum, seen, Edit.BROUGHT_BACK, mark=mark, now=now, reason=reason)


def of_version(db: Db, forum: Forum, number: int, since: Since) -> list[Wanted]:
    """What the working copy is to become so that it holds a version's sessions again. Raises NotFound.

    A session is found by its uid, so that calendars know it again. One whose code another has by now keeps the code it
    has, or gets the next free one. What came since is left, or taken out. The speakers' own words are not the
    version's: they stay as they are.
    """
    own = forum_id(forum)
    version = published(db, own, number)
    if not number or version.number != number:
        raise NotFound
    states, known = states_of(db, own), Known.of(db, own)
    then = {session.uid for session in version.sessions}
    newer = [state for uid, state in states.items() if uid not in then]
    stay = published_uids(db, own)  # what is cancelled keeps its code
    taken = {state.draft.code for state in newer if since == "leave" or state.uid in stay}
    wanted = []
    for session in version.sessions:
        stands = states.get(session.uid)
        draft = _drafted(session, stands)
        notes = known.left_out(draft)
        if draft.code in taken:
            code = _another_code(draft.code, stands, taken | {one.code for one in version.sessions})
            notes = (*notes, Fault("code", "code_is_anothers", {"code": draft.code}))
            draft = draft.model_copy(update={"code": code})
        taken.add(draft.code)
        wanted.append(Wanted(session.uid, stands, known.possible(draft), notes=notes))
    return wanted + [Wanted(state.uid, state, None) for state in newer if since == "take_out"]


def take_back_version(
    db: Db,
    by: Actor,
    forum: Forum,
    number: int,
    since: Since,
    *,
    mark: str,
    now: datetime,
    reason: str = "",
) -> Altered:
    """Take a version's sessions back into the working copy. Raises NotFound, and as `altering.carry_out`."""
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    seen = foresee(db, forum, of_version(db, forum, number, since))
    told = {"version": number}
    return carry_out(db, by, forum, seen, Edit.TAKEN_BACK, mark=mark, now=now, reason=reason, told=told)


def _drafted(session: PublishedSession, stands: State | None) -> SessionInput:
    """A published session as a draft; how the room is set up is no version's business, so that stays."""
    drafted: dict[str, Any] = {name: getattr(session, name) for name in SessionInput.model_fields if name in _SAME}
    drafted["attribution"] = session.attribution.value if session.attribution else None
    drafted["people"] = tuple(AppearanceInput(speaker=one.code, role=one.role) for one in session.people)  # type: ignore[arg-type]
    return SessionInput.model_validate({**drafted, "setup": stands.draft.setup if stands else None})


def _another_code(code: str, stands: State | None, taken: Iterable[str]) -> str:
    if stands and stands.draft.code not in taken:
        return stands.draft.code
    return next_code(taken, split(code)[0])
