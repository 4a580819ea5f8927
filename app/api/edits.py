"""What was done to the working copy, taken back; and what is in its way."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from starlette.responses import Response

from app.accounts.rules import Permission
from app.api.calling import Call, Door, Reading, Writing
from app.api.inputs import ConflictReasonInput, UndoInput, sent
from app.api.invitations import AfterNumber
from app.api.registrations import Limit
from app.api.seats import Number
from app.api.shapes.general import Changed, Page
from app.api.shapes.programme import ConflictShape, Edited, EditShape
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.programme import overriding
from app.programme.overriding import key_of, reasons_of
from app.programme.publishing import conflicts_of
from app.programme.remembering import recent
from app.programme.reverting import bring_back
from app.registration.pick_queries import sign_up_counts

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["programme"])


@router.get("/edits", response_model=Page[EditShape])
async def list_edits(call: Reading, after: AfterNumber = None, limit: Limit = 50) -> Response:
    """The edits of the working copy, the newest first. Takes `edit_programme`."""

    def read(db: Db) -> tuple[list[Any], str]:
        call.by.must(Permission.EDIT_PROGRAMME, forum_id(call.forum))
        rows = recent(db, forum_id(call.forum), most=limit + 1, before=after)
        return rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else ""

    return await call.page(EditShape, read, limit=limit)


@router.post("/edits/{number}/undo", response_model=Edited)
async def undo_edit(call: Writing, number: Number, seen: Annotated[UndoInput, sent(edition=3, reason="")]) -> Response:
    """Bring a session to what it was before an edit, if it is still what you have seen."""
    return await _bring_back(call, number, seen, "before")


@router.post("/edits/{number}/return", response_model=Edited)
async def return_to_edit(
    call: Writing, number: Number, seen: Annotated[UndoInput, sent(edition=3, reason="")]
) -> Response:
    """Bring a session to what it was after an edit, if it is still what you have seen."""
    return await _bring_back(call, number, seen, "after")


async def _bring_back(call: Call, number: int, seen: UndoInput, side: Literal["before", "after"]) -> Response:
    def deed(db: Db, forum: Forum, now: datetime) -> Edited:
        taken = sign_up_counts(db, forum)
        done = bring_back(
            db, call.by, forum, number, edition=seen.edition, now=now, side=side, reason=seen.reason, taken=taken
        )
        return Edited(code=done.code, number=done.number, kind=done.kind.value)

    return await call.write(deed)


@router.get("/conflicts", response_model=Page[ConflictShape])
async def list_conflicts(call: Reading) -> Response:
    """What is in the way in the working copy; the list is whole."""

    def read(db: Db) -> tuple[list[Any], str]:
        own = forum_id(call.forum)
        call.by.must(Permission.SEE_DESK, own)
        reasons, found = reasons_of(db, own), conflicts_of(db, call.forum, sign_up_counts(db, call.forum))
        edits = call.by.may(Permission.EDIT_PROGRAMME, own)
        return [
            ConflictShape(
                kind=one.kind.value,
                hard=one.hard,
                codes=list(one.codes),
                where=list(one.where),
                by=one.by,
                reason=reasons[key_of(one)].words if edits and key_of(one) in reasons else None,
            )
            for one in found
        ], ""

    return await call.page(ConflictShape, read)


@router.post("/conflicts/reasons", response_model=Changed)
async def explain_conflict(
    call: Writing,
    why: Annotated[
        ConflictReasonInput,
        sent(kind="room_taken", codes=["D1-04", "D1-05"], where=["grand-ballroom"], reason="The hall is divided"),
    ],
) -> Response:
    """Say why a hard conflict may stand, or, without words, take that back. Takes `edit_programme`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        call.by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
        named, present = (
            overriding.conflict_from(why.kind, " ".join(why.codes), " ".join(why.where)),
            conflicts_of(db, forum),
        )
        overriding.explain(db, call.by, forum, named, why.reason, now=now, present=present)
        return Changed(changed=True)

    return await call.write(deed)
