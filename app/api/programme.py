"""The programme: the working copy, its versions, speakers and rooms."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Door, Matching, Reading, Writing
from app.api.inputs import DraftInput, ReasonOnly, SessionMoveInput, VersionInput, sent
from app.api.problems import sent_in
from app.api.registrations import Code
from app.api.seats import Number
from app.api.shapes.general import Page
from app.api.shapes.programme import (
    ChangeShape,
    Edited,
    PendingShape,
    ProgrammeShape,
    Published,
    SessionShape,
    VersionShape,
)
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import NotFound
from app.programme import editing
from app.programme.comparing import steps
from app.programme.drafting import states_of
from app.programme.overriding import reasons_of, unexplained
from app.programme.publishing import conflicts_of, pending, publish
from app.programme.queries import history, published
from app.programme.remembering import State
from app.programme.rules.changes import Change
from app.programme.rules.visibility import Viewer
from app.registration.pick_queries import sign_up_counts
from app.registration.signing_up import move_lists

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["programme"])
SESSION = {
    "code": "EX-01",
    "type": "panel",
    "title": {"en": "A panel", "km": "វេទិកាពិភាក្សា"},
    "room": "grand-ballroom",
    "attribution": "REC",
    "starts_at": "2027-03-23T03:00:00Z",
    "ends_at": "2027-03-23T04:00:00Z",
}


@router.get("/programme", response_model=ProgrammeShape)
async def get_programme(call: Reading) -> Response:
    """The newest published version, closed sessions too: this is for those at the desk."""
    return await call.one(lambda db: programme_shape(db, call.by, call.forum))


@router.get("/sessions", response_model=Page[SessionShape])
async def list_sessions(call: Reading) -> Response:
    """The sessions of the working copy, closed ones too; the list is whole."""

    def read(db: Db) -> tuple[list[Any], str]:
        call.by.must(Permission.SEE_DESK, forum_id(call.forum))
        return [_session(state) for state in states_of(db, forum_id(call.forum)).values()], ""

    return await call.page(SessionShape, read)


@router.get("/sessions/{code}", response_model=SessionShape)
async def get_session(call: Reading, code: Code) -> Response:
    """One session of the working copy."""
    return await call.one(lambda db: session_shape(db, call.by, call.forum, code))


@router.post("/sessions", response_model=Edited, status_code=201)
async def create_session(call: Writing, draft: Annotated[DraftInput, sent(session=SESSION)]) -> Response:
    """Add a session. Takes `edit_programme`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Edited:
        taken = sign_up_counts(db, forum)
        with sent_in("session"):
            done = editing.create(db, call.by, forum, draft.session, now=now, reason=draft.reason, taken=taken)
        return _edited(done)

    return await call.write(deed, status=201, made="code")


@router.put("/sessions/{code}", response_model=SessionShape)
async def change_session(call: Matching, code: Code, draft: Annotated[DraftInput, sent(session=SESSION)]) -> Response:
    """Bring a session to what is sent. Takes `edit_programme`."""

    def deed(db: Db, forum: Forum, now: datetime) -> SessionShape:
        edition, taken = _state(db, call.by, forum, code).edition, sign_up_counts(db, forum)
        with sent_in("session"):
            done = editing.change(
                db, call.by, forum, code, draft.session, edition=edition, now=now, reason=draft.reason, taken=taken
            )
        return session_shape(db, call.by, forum, done.code)

    return await call.write(deed, present=lambda db, forum: session_shape(db, call.by, forum, code))


@router.delete("/sessions/{code}", status_code=204)
async def remove_session(call: Matching, code: Code) -> Response:
    """Take a session out: removed if it was never published, cancelled if it was."""

    def deed(db: Db, forum: Forum, now: datetime) -> None:
        edition = _state(db, call.by, forum, code).edition
        editing.cancel(db, call.by, forum, code, edition=edition, now=now)

    return await call.remove(deed, present=lambda db, forum: session_shape(db, call.by, forum, code))


@router.post("/sessions/{code}/place", response_model=Edited)
async def move_session(
    call: Writing,
    code: Code,
    to: Annotated[
        SessionMoveInput, sent(starts_at="2027-03-23T03:00:00Z", minutes=60, room="grand-ballroom", reason="")
    ],
) -> Response:
    """Give a session another time, length or room, whatever else was changed of it meanwhile."""

    def deed(db: Db, forum: Forum, now: datetime) -> Edited:
        edition, taken = _state(db, call.by, forum, code).edition, sign_up_counts(db, forum)
        return _edited(editing.move(db, call.by, forum, code, to, edition=edition, now=now, taken=taken))

    return await call.write(deed)


@router.post("/sessions/{code}/restoration", response_model=Edited)
async def restore_session(call: Writing, code: Code, why: Annotated[ReasonOnly, sent(reason="")]) -> Response:
    """Let a cancelled session take place after all."""

    def deed(db: Db, forum: Forum, now: datetime) -> Edited:
        edition, taken = _state(db, call.by, forum, code).edition, sign_up_counts(db, forum)
        done = editing.restore(db, call.by, forum, code, edition=edition, now=now, reason=why.reason, taken=taken)
        return _edited(done)

    return await call.write(deed)


@router.get("/versions", response_model=Page[VersionShape])
async def list_versions(call: Reading) -> Response:
    """Every published version, in the order of publication; the list is whole."""

    def read(db: Db) -> tuple[list[Any], str]:
        call.by.must(Permission.SEE_DESK, forum_id(call.forum))
        found = history(db, forum_id(call.forum))
        changes = {step.programme.number: step.changes for step in steps(found, Viewer(desk=True))}
        return [
            VersionShape(
                number=one.number,
                published_at=one.published_at,
                sessions=len(one.sessions),
                note=one.note,
                changes=_changes(changes.get(one.number, ())),
            )
            for one in found
        ], ""

    return await call.page(VersionShape, read)


@router.get("/versions/pending", response_model=PendingShape)
async def get_pending(call: Reading) -> Response:
    """What publishing now would change, and its mark."""
    return await call.one(lambda db: pending_shape(db, call.by, call.forum))


@router.get("/versions/{number}", response_model=ProgrammeShape)
async def get_version(call: Reading, number: Number) -> Response:
    """One published version whole, closed sessions too: this is for those at the desk."""

    def read(db: Db) -> ProgrammeShape:
        call.by.must(Permission.SEE_DESK, forum_id(call.forum))
        found = next((one for one in history(db, forum_id(call.forum)) if one.number == number), None)
        if found is None:
            raise NotFound
        return ProgrammeShape.model_validate(found)

    return await call.one(read)


@router.post("/versions", response_model=Published, status_code=201)
async def publish_version(
    call: Writing, version: Annotated[VersionInput, sent(mark="0f3c9d0e3b6a4b1f8f0f2b7f4a0e1d2c")]
) -> Response:
    """Publish what was looked at. Takes `publish_programme`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Published:
        number = publish(db, call.by, forum, now=now, note=version.note, reason=version.reason, looked_at=version.mark)
        move_lists(db, forum, None, now=now)
        return Published(version=number)

    return await call.write(deed, status=201)


def programme_shape(db: Db, by: Actor, forum: Forum) -> ProgrammeShape:
    """The newest version, whole. One query."""
    by.must(Permission.SEE_DESK, forum_id(forum))
    found = published(db, forum_id(forum))
    return ProgrammeShape.model_validate(found)


def session_shape(db: Db, by: Actor, forum: Forum, code: str) -> SessionShape:
    """A session of the working copy. Raises NotFound. As many queries whatever it holds."""
    return _session(_state(db, by, forum, code))


def _state(db: Db, by: Actor, forum: Forum, code: str) -> State:
    by.must(Permission.SEE_DESK, forum_id(forum))
    found = next(iter(states_of(db, forum_id(forum), code=code).values()), None)
    if found is None:
        raise NotFound
    return found


def _session(state: State) -> SessionShape:
    return SessionShape(uid=state.uid, edition=state.edition, session=state.draft)


def _changes(found: Iterable[Change]) -> list[ChangeShape]:
    return [ChangeShape(kind=one.kind.value, code=one.entry.code) for one in found]


def _edited(done: editing.Edited) -> Edited:
    return Edited(code=done.code, number=done.number, kind=done.kind.value)


def pending_shape(db: Db, by: Actor, forum: Forum) -> PendingShape:
    """What publishing would change, for those at the desk."""
    own = forum_id(forum)
    by.must(Permission.SEE_DESK, own)
    seen = pending(db, forum, now=clock.now())
    in_the_way = unexplained(conflicts_of(db, forum), reasons_of(db, own))
    return PendingShape(
        mark=seen.mark,
        is_anything=seen.is_anything,
        public_version=published(db, own).number,
        changes=_changes(seen.changes),
        gaps=list(seen.gaps),
        conflicts=sorted({code for one in in_the_way for code in one.codes}),
    )
