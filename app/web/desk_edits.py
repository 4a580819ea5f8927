"""The history of the programme at the desk: edits in words, of one session or of all; each can be taken back."""

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Conflict, Expired, NotFound, Refused
from app.kit.inputs import parse
from app.programme import remembering
from app.programme.editing import Edited
from app.programme.inputs import ActInput
from app.programme.models import Revision
from app.programme.remembering import Edit, from_snapshot
from app.programme.reverting import bring_back
from app.registration.pick_queries import sign_up_counts
from app.reports.history import who
from app.web import deps
from app.web.deps import Desk
from app.web.desk_programme import edition_in, query_of
from app.web.desk_session_words import Difference, Names, differences
from app.web.forms import Form, read_form, refilled
from app.web.pages import code as code_of
from app.web.working import Working, read_working

router = APIRouter(include_in_schema=False)
Side = Literal["before", "after"]
AT_ONCE = 60
"""Edits on one page."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An edit in words: who did what, the fields that differ, and what may be done with it."""

    edit: Revision
    who: str
    title: str
    changes: list[Difference]
    edition: int
    """Of the session as it stands, 0 where it is not there: what an undo is held against."""
    is_last: bool
    stands: bool


@router.get("/desk/{forum}/programme/edits")
async def edits(request: Request, forum: str) -> Response:
    """The last edits of the programme."""
    before = edition_in(request.query_params.get("before")) or None
    desk, working, found = await _read(
        request, forum, lambda db, own: remembering.recent(db, own, most=AT_ONCE + 1, before=before)
    )
    values: dict[str, Any] = {"edits": _shown(working, found[:AT_ONCE]), "code": "", "refused": None, "new": []}
    older = found[AT_ONCE - 1].id if len(found) > AT_ONCE else None
    return deps.show_at_desk(request, desk, "desk/programme_edits.html", older=older, form=Form(), **values)


@router.get("/desk/{forum}/programme/sessions/{code}/history")
async def history(request: Request, forum: str, code: str) -> Response:
    """The edits of one session, also of one that was removed."""
    known = code_of(code)

    def query(db: Db, own: int) -> list[Revision]:
        uid = remembering.uid_of_code(db, own, known)
        return remembering.history_of(db, own, uid) if uid else []

    desk, working, found = await _read(request, forum, query)
    if not found and working.session(known) is None:
        raise NotFound
    values: dict[str, Any] = {"edits": _shown(working, found), "code": known, "older": None, "refused": None, "new": []}
    return deps.show_at_desk(request, desk, "desk/programme_edits.html", form=Form(), **values)


@router.post("/desk/{forum}/programme/edits/{number}/undo")
async def undo(request: Request, forum: str, number: str) -> Response:
    """Bring a session to what it was before an edit."""
    return await _bring_back(request, forum, number, "before")


@router.post("/desk/{forum}/programme/edits/{number}/return")
async def bring(request: Request, forum: str, number: str) -> Response:
    """Bring a session to what it was after an edit."""
    return await _bring_back(request, forum, number, "after")


async def _bring_back(request: Request, forum: str, number: str, side: Side) -> Response:
    sent, now, known = await read_form(request), clock.now(), edition_in(number)
    desk, working, (edit, *_) = await _read(request, forum, lambda db, own: [remembering.revision(db, own, known)])
    try:
        reason = parse(ActInput, {"reason": sent.get("reason", "")}).reason
        edition = edition_in(sent.get("edition"))

        def deed(db: Db, found: Forum) -> Edited:
            taken, by = sign_up_counts(db, found), desk.actor
            return bring_back(db, by, found, known, edition=edition, now=now, side=side, reason=reason, taken=taken)

        done = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        form, new = (
            refilled(desk.lang, sent, refused),
            [working.obstacle(one) for one in refused.values.get("found", ())],
        )
        values: dict[str, Any] = {
            "edits": _shown(working, [edit]),
            "code": edit.code,
            "older": None,
            "refused": side,
            "new": new,
        }
        stale = isinstance(refused, Conflict)
        return deps.show_at_desk(
            request, desk, "desk/programme_edits.html", status=refused.status, form=form, stale=stale, **values
        )
    desk, working = await deps.read_at_desk(request, forum, lambda db, desk: read_working(db, desk, now))
    there = working.session(done.code)
    day = working.local_day(there.starts_at) if there and there.starts_at else None
    return deps.back(f"{desk.base}/programme?{query_of(day, done)}#s-{done.code}")


async def _read(request: Request, forum: str, query: Any) -> tuple[Desk, Working, list[Revision]]:
    now = clock.now()

    def read(db: Db, desk: Desk) -> tuple[Working, list[Revision]]:
        own = forum_id(desk.forum)
        desk.actor.must(Permission.EDIT_PROGRAMME, own)
        return read_working(db, desk, now), query(db, own)

    desk, (working, found) = await deps.read_at_desk(request, forum, read)
    return desk, working, found


def _shown(working: Working, found: list[Revision]) -> list[Shown]:
    names = Names(working.lang, working.page, working.speakers)
    there = {session.uid for session in working.sessions}
    shown = []
    for edit in found:
        before, after = (from_snapshot(each) if each else None for each in (edit.before, edit.after))
        named = after or before
        edition = working.editions.get(edit.session_uid, 0)
        whole = edit.kind in {Edit.CREATED, Edit.REMOVED} or before is None or after is None
        shown.append(
            Shown(
                edit=edit,
                who=who(working.lang, edit.by, edit.by_name),
                title=named.title.of(working.lang) if named else "",
                changes=[] if whole else differences(names, before, after),
                edition=edition,
                is_last=edition == edit.edition or (not edition and after is None),
                stands=edit.session_uid in there,
            )
        )
    return shown
