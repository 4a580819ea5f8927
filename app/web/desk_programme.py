"""The desk's timetable of the working copy: one day of it, what waits for a time, and the form that moves a session."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Conflict, Expired, Fault, Invalid, NotFound, Refused
from app.kit.i18n import latin_digits
from app.kit.inputs import parse
from app.programme import editing, overriding
from app.programme.inputs import MoveInput, ReasonInput
from app.programme.models import Revision
from app.programme.publishing import conflicts_of
from app.programme.remembering import Edit, revision
from app.registration.pick_queries import sign_up_counts
from app.web import deps
from app.web.deps import Desk
from app.web.desk_timetable import block, board, days_of, waiting
from app.web.forms import Form, read_form, refilled
from app.web.local_times import instant
from app.web.pages import code as code_of
from app.web.working import Working, read_working

router = APIRouter(include_in_schema=False)
DONE = frozenset({*(kind.value for kind in Edit), "as_before", "explained", "unexplained"})


@router.get("/desk/{forum}/programme")
async def timetable(request: Request, forum: str) -> Response:
    """One day of the working copy. Raises NotFound for a day that is none of its."""
    now, asked = clock.now(), request.query_params.get("day", "")
    number = edition_in(request.query_params.get("edit"))
    desk, (working, edit) = await deps.read_at_desk(
        request, forum, lambda db, desk: (read_working(db, desk, now), edit_of(db, desk, number))
    )
    days = days_of(working)
    on = _day_among(days, asked) or next((day for day in days if _busy(working, day)), days[0] if days else None)
    if asked and (on is None or on.isoformat() != asked):
        raise NotFound("no_such_filter")
    values: dict[str, Any] = {
        "on": on,
        "days": [(day, _busy(working, day), _calls(working, day)) for day in days],
        "board": board(working, on) if on else None,
        "waiting": waiting(working),
        "obstacles": [one for one in working.obstacles if not one.intended],
        "meant": [one for one in working.obstacles if one.intended],
        "rooms": room_choices(working),
        "edits": desk.may(Permission.EDIT_PROGRAMME),
        "public": working.public,
        "differing": sum(working.standing(session) != "" for session in working.sessions),
        **said(request, working, edit),
    }
    return deps.show_at_desk(request, desk, "desk/programme.html", **values)


@router.post("/desk/{forum}/programme/sessions/{code}/place")
async def place(request: Request, forum: str, code: str) -> Response:
    """Move a session, or say what stands in the way."""
    sent, now, known = await read_form(request), clock.now(), code_of(code)
    desk, _ = await deps.read_at_desk(request, forum, must_edit)
    try:
        day, to = read_day(sent), _read_place(sent, desk)

        def deed(db: Db, found: Forum) -> editing.Edited:
            taken = sign_up_counts(db, found)
            edition = edition_in(sent.get("edition"))
            return editing.move(db, desk.actor, found, known, to, edition=edition, now=now, taken=taken)

        done = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _in_the_way(request, forum, known, sent, refused)
    shown = to.starts_at.astimezone(ZoneInfo(desk.forum.timezone)).date() if to.starts_at else day
    return deps.back(f"{desk.base}/programme?{query_of(shown, done)}#s-{known}")


@router.post("/desk/{forum}/programme/reasons")
async def reason(request: Request, forum: str) -> Response:
    """Say why a conflict may stand, or take that back."""
    sent, now = await read_form(request), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, must_edit)
    read = parse(ReasonInput, {name: sent.get(name, "") for name in ReasonInput.model_fields})
    named, day = overriding.conflict_from(read.kind, read.codes, read.place), read_day(sent)

    def deed(db: Db, found: Forum) -> None:
        present = conflicts_of(db, found)
        overriding.explain(db, desk.actor, found, named, read.reason, now=now, present=present)

    await deps.write_at_desk(request, desk, sent, deed)
    done = "explained" if read.reason else "unexplained"
    return deps.back(f"{desk.base}/programme?{f'day={day.isoformat()}&' if day else ''}done={done}#conflicts")


def must_edit(_db: Db, desk: Desk) -> None:
    """Raises Forbidden for whoever may only look, before anything is said of what was sent."""
    desk.actor.must(Permission.EDIT_PROGRAMME, forum_id(desk.forum))


def said(request: Request, working: Working, edit: Revision | None) -> dict[str, Any]:
    """What a page says was just done, and the edit that its Undo takes back: only while nothing was edited since."""
    done = request.query_params.get("done", "")
    stands = working.editions.get(edit.session_uid, edit.edition if edit.after is None else 0) if edit else 0
    last = edit if edit is not None and stands == edit.edition else None
    return {
        "done": done if done in DONE else "",
        "edit": last,
        "undo_edition": undo_edition(working, last),
        "together": edition_in(request.query_params.get("together")),
    }


def undo_edition(working: Working, edit: Revision | None) -> int:
    """The edition that an undo is held against: 0 where the session is not there."""
    return working.editions.get(edit.session_uid, 0) if edit else 0


def edit_of(db: Db, desk: Desk, number: int) -> Revision | None:
    """The edit that a page was opened with, for whoever may undo it."""
    if not number or not desk.may(Permission.EDIT_PROGRAMME):
        return None
    try:
        return revision(db, forum_id(desk.forum), number)
    except NotFound:
        return None


def query_of(day: date | None, done: editing.Edited) -> str:
    """The query of a page that says what was done."""
    words = f"done={done.kind.value}&edit={done.number}" if done.number else "done=as_before"
    return f"day={day.isoformat()}&{words}" if day else words


def edition_in(text: Any) -> int:
    """A number in a hidden field or query; 0, which no edition or edit has, for anything else."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 else 0


def read_day(sent: FormData) -> date | None:
    """The day the form was on. Raises Invalid for what is none."""
    text = sent.get("day", "")
    try:
        return date.fromisoformat(str(text)) if text else None
    except ValueError:
        raise Invalid([Fault("day", "not_a_day")]) from None


def room_choices(working: Working) -> list[tuple[str, str]]:
    """The rooms a session may be in, as (code, name)."""
    return [(room.code, room.name.of(working.lang)) for room in working.page.rooms.values()]


def _read_place(sent: FormData, desk: Desk) -> MoveInput:
    texts = {name: str(sent.get(name, "")) for name in ("starts_at", "minutes", "room", "reason")}
    begins = instant(texts["starts_at"], desk.forum.timezone, "starts_at")
    minutes = latin_digits(texts["minutes"]).strip()
    return parse(MoveInput, {**texts, "starts_at": begins, "minutes": minutes})


async def _in_the_way(request: Request, forum: str, code: str, sent: FormData, refused: Answer) -> Response:
    """The move again with what stands in its way; where others moved the session meanwhile, with how it stands now."""
    now = clock.now()
    desk, working = await deps.read_at_desk(request, forum, lambda db, desk: read_working(db, desk, now))
    session = working.session(code)
    if session is None:
        raise NotFound
    stands, stale = block(working, session), isinstance(refused, Conflict)
    form = refilled(desk.lang, sent, refused)
    values = {
        "form": Form({**form.kept, "edition": str(stands.edition)} if stale else form.kept, form.faults),
        "stands": stands,
        "stale": stale,
        "new": [working.obstacle(one) for one in refused.values.get("found", ())],
        "rooms": room_choices(working),
    }
    return deps.show_at_desk(request, desk, "desk/programme_move.html", status=refused.status, **values)


def _day_among(days: list[date], text: str) -> date | None:
    return next((day for day in days if day.isoformat() == text), None)


def _busy(working: Working, on: date) -> int:
    """How many sessions a day has."""
    return sum(s.starts_at is not None and working.local_day(s.starts_at) == on for s in working.sessions)


def _calls(working: Working, on: date) -> bool:
    """Does a conflict of this day wait for a reason?"""
    codes = {code for one in working.obstacles if one.calls for code in one.codes}
    return any(
        s.code in codes and s.starts_at is not None and working.local_day(s.starts_at) == on for s in working.sessions
    )
