"""What changed from version to version of the programme, for everybody to read."""

from dataclasses import asdict, dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.forum.queries import forum_id
from app.kit.i18n import text_of
from app.programme.comparing import Step, steps
from app.programme.queries import history
from app.programme.rules.changes import Change
from app.programme.rules.visibility import PUBLIC
from app.programme.worded import Words, words_of
from app.web.public import Public, public, show
from app.web.site import site_of

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Line(Words):
    """One change in words, and where its session is to be found ("" where it is not)."""

    href: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A version with its lines; the first one has a number of sessions instead."""

    number: int
    published_at: datetime | None
    note: str
    summary: str
    lines: tuple[Line, ...]


@router.get("/{lang}/{forum}/programme/changes")
async def changes(request: Request, lang: str, forum: str) -> Response:
    seen = await public(request, lang, forum)
    past = await site_of(request).read(lambda db: history(db, forum_id(seen.forum)))
    return show(request, seen, "programme/changes.html", entries=[entry_of(seen, step) for step in steps(past, PUBLIC)])


def entry_of(seen: Public, step: Step) -> Entry:
    """A version with its changes in the reader's language."""
    version = step.programme
    key, count = ("first", step.sessions) if step.first else ("some" if step.changes else "none", len(step.changes))
    return Entry(
        number=version.public_number,
        published_at=version.public_at,
        note=version.note.of(seen.lang) if version.note else "",
        summary=text_of(seen.lang, f"programme.history.{key}", n=count),
        lines=tuple(line(seen, change) for change in step.changes),
    )


def line(seen: Public, change: Change) -> Line:
    """A change in the reader's language; the session is linked while it is still to be found."""
    words = words_of(change, seen.lang, seen.forum.timezone)
    there = seen.programme.session(words.code)
    return Line(**asdict(words), href=f"{seen.base}/programme/{words.code}" if there else "")
