"""Letters at the desk: who asked for which, and the same PDF."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.registration.lettering import deserves_letters, desk_letter, desk_letters, reference
from app.registration.people import listed_name
from app.web import deps
from app.web.letters import letter_answer
from app.web.pages import code as code_of
from app.web.site import site_of

router = APIRouter(include_in_schema=False)


@router.get("/desk/{forum}/letters")
async def letters(request: Request, forum: str) -> Response:
    """Every letter, the newest first."""
    desk, rows = await deps.read_at_desk(request, forum, lambda db, desk: desk_letters(db, desk.actor, desk.forum))
    lines = [(row, reference(desk.forum, row), listed_name(row), deserves_letters(row)) for row in rows]
    return deps.show_at_desk(request, desk, "desk/letters.html", lines=lines)


@router.get("/desk/{forum}/letters/{letter}.pdf")
async def fetch(request: Request, forum: str, letter: str) -> Response:
    """One letter as its person has it."""
    known = code_of(letter)
    desk, found = await deps.read_at_desk(
        request, forum, lambda db, desk: desk_letter(db, desk.actor, desk.forum, known)
    )
    row, person, category = found
    return await letter_answer(site_of(request), desk.forum, person, category, row)
