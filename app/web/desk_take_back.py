"""Taking much back at the desk: all edits that were made together, or a version's sessions; looked at first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, NotFound, Refused
from app.kit.i18n import moment, text_of
from app.programme.altering import Alteration, Altered, foresee
from app.programme.inputs import AlterInput
from app.programme.reverting import (
    Since,
    Together,
    before_together,
    of_version,
    take_back_together,
    take_back_version,
)
from app.reports.history import who
from app.web import deps
from app.web.alterations import agreed, asked_again, preview_of
from app.web.deps import Desk
from app.web.desk_programme import edition_in, must_edit
from app.web.forms import Form, read_form
from app.web.working import Working, read_working

router = APIRouter(include_in_schema=False)
Done = Literal["imported", "copied", "taken_back", "brought_back"]
Deed = Callable[[Db, Desk, Forum, AlterInput], Altered]


@dataclass(frozen=True, slots=True)
class Looked:
    """What the page is made of, read on one view of the database."""

    working: Working
    alteration: Alteration
    together: Together | None = None


@router.get("/desk/{forum}/programme/edits/together/{number}")
async def together(request: Request, forum: str, number: str) -> Response:
    """What taking edits back that were made together would change."""
    return await _together(request, forum, edition_in(number))


@router.post("/desk/{forum}/programme/edits/together/{number}")
async def undo_together(request: Request, forum: str, number: str) -> Response:
    """Take them back."""
    known, now = edition_in(number), clock.now()

    def deed(db: Db, desk: Desk, found: Forum, read: AlterInput) -> Altered:
        return take_back_together(db, desk.actor, found, known, mark=read.mark, now=now, reason=read.reason)

    done = await _do(request, forum, deed, "brought_back")
    return await _together(request, forum, known, *done) if isinstance(done, tuple) else done


@router.get("/desk/{forum}/programme/versions/{number}/return")
async def version(request: Request, forum: str, number: str) -> Response:
    """What taking a version back into the working copy would change."""
    return await _version(request, forum, edition_in(number), _since(request.query_params.get("since", "leave")))


@router.post("/desk/{forum}/programme/versions/{number}/return")
async def take_version_back(request: Request, forum: str, number: str) -> Response:
    """Take the version back into the working copy."""
    known, now = edition_in(number), clock.now()
    since = _since(request.query_params.get("since", "leave"))

    def deed(db: Db, desk: Desk, found: Forum, read: AlterInput) -> Altered:
        return take_back_version(db, desk.actor, found, known, since, mark=read.mark, now=now, reason=read.reason)

    done = await _do(request, forum, deed, "taken_back")
    return await _version(request, forum, known, since, *done) if isinstance(done, tuple) else done


def _since(text: str) -> Since:
    """Raises NotFound for what is no choice."""
    if text not in {"leave", "take_out"}:
        raise NotFound("no_such_filter")
    return "take_out" if text == "take_out" else "leave"


async def _do(request: Request, forum: str, deed: Deed, kind: Done) -> Response | tuple[Form, Answer]:
    """The deed that was agreed to, and back to the working copy; where it is refused, what is asked again."""
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, must_edit)
    try:
        read = agreed(sent)
        done = await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk, found, read))
    except (Refused, Expired) as refused:
        return asked_again(desk.lang, sent, refused), refused
    return deps.back(done_at(desk, done, kind))


def done_at(desk: Desk, done: Altered, kind: Done) -> str:
    """The working copy's page that says what was done, with a way to take it back."""
    return f"{desk.base}/programme?done={kind}&together={done.number}"


async def _together(
    request: Request, forum: str, number: int, form: Form | None = None, refused: Answer | None = None
) -> Response:
    now = clock.now()

    def look(db: Db, desk: Desk) -> Looked:
        must_edit(db, desk)
        found = before_together(db, desk.forum, number)
        return Looked(read_working(db, desk, now), foresee(db, desk.forum, found.wanted), found)

    desk, seen = await deps.read_at_desk(request, forum, look)
    made = seen.together
    assert made is not None  # noqa: S101 - just looked up
    values: dict[str, Any] = {
        "title": text_of(desk.lang, "altering.take_back_title"),
        "lead": text_of(desk.lang, "altering.take_back_lead"),
        "about": text_of(
            desk.lang,
            "altering.take_back_of",
            what=text_of(desk.lang, f"editor.edit.{made.kind}"),
            when=moment(made.at, desk.lang, desk.forum.timezone),
            who=who(desk.lang, made.by, made.by_name),
        ),
        "since": made.since,
        "here": f"{desk.base}/programme/edits/together/{number}",
        "leave": f"{desk.base}/programme/edits",
        "version": 0,
    }
    return _show(request, desk, seen, values, form, refused)


async def _version(
    request: Request,
    forum: str,
    number: int,
    since: Since,
    form: Form | None = None,
    refused: Answer | None = None,
) -> Response:
    now = clock.now()

    def look(db: Db, desk: Desk) -> Looked:
        must_edit(db, desk)
        return Looked(read_working(db, desk, now), foresee(db, desk.forum, of_version(db, desk.forum, number, since)))

    desk, seen = await deps.read_at_desk(request, forum, look)
    values: dict[str, Any] = {
        "title": text_of(desk.lang, "altering.version_title", number=number),
        "lead": text_of(desk.lang, "altering.version_lead", number=number),
        "about": text_of(desk.lang, "altering.version_speakers"),
        "since": (),
        "here": f"{desk.base}/programme/versions/{number}/return?since={since}",
        "leave": f"{desk.base}/programme/versions",
        "version": number,
        "choice": since,
    }
    return _show(request, desk, seen, values, form, refused)


def _show(
    request: Request,
    desk: Desk,
    seen: Looked,
    values: dict[str, Any],
    form: Form | None,
    refused: Answer | None,
) -> Response:
    return deps.show_at_desk(
        request,
        desk,
        "desk/programme_take_back.html",
        status=refused.status if refused else 200,
        form=form or Form(),
        seen=preview_of(seen.working, seen.alteration),
        **values,
    )
