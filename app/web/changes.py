"""What changed from version to version of the programme, for everybody to read."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.forum.queries import forum_id
from app.kit.i18n import Lang, clock_time, day, text_of
from app.programme.comparing import Step, place_name, steps
from app.programme.queries import history
from app.programme.rules.changes import Change, Kind, Published
from app.programme.rules.visibility import PUBLIC
from app.web.public import Public, public, show
from app.web.site import site_of

router = APIRouter()
_SIGNS = {
    Kind.ADDED: ("good", "+"),
    Kind.RESTORED: ("good", "+"),
    Kind.CANCELLED: ("bad", "×"),
    Kind.WITHDRAWN: ("bad", "×"),
    Kind.MOVED: ("wait", "→"),
}
_TITLES: tuple[Lang, Lang] = ("en", "km")
"""The languages of a published title, in its order."""


@dataclass(frozen=True, slots=True)
class Line:
    """One change in words: what kind, which session, and for a move from where to where.

    `lang` is the language of `before` and `after`: not the reader's where only the other title changed.
    """

    tone: str
    sign: str
    kind: str
    title: str
    href: str
    before: str
    after: str
    lang: Lang


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
    tone, sign = _SIGNS.get(change.kind, ("still", "✎"))
    one = change.entry
    before = after = ""
    kind, lang = change.kind.value, seen.lang
    if change.kind is Kind.RETITLED and change.before:
        changed = [lang for lang, old, new in zip(_TITLES, change.before.title, one.title, strict=True) if old != new]
        before = _title(seen, change.before)
        if len(changed) == 1:
            kind = f"retitled_{changed[0]}"
        if seen.lang not in changed:
            (lang,) = changed
            at = _TITLES.index(lang)
            before, after = change.before.title[at], one.title[at]
    elif change.kind is Kind.MOVED:
        before, after = where(seen, change.before), where(seen, change.after)
    return Line(
        tone=tone,
        sign=sign,
        kind=text_of(seen.lang, f"programme.change.{kind}"),
        title=_title(seen, one),
        href=f"{seen.base}/programme/{one.code}" if seen.programme.session(one.code) else "",
        before=before,
        after=after,
        lang=lang,
    )


def _title(seen: Public, one: Published) -> str:
    en, km = one.title
    return (km or en) if seen.lang == "km" else (en or km)


def where(seen: Public, one: Published | None) -> str:
    """Day, hours and room of a session as it was or is."""
    if one is None:
        return ""
    room = place_name(one.room).of(seen.lang)
    parts = [text_of(seen.lang, "programme.time_open")]
    if one.start and one.end:
        start, end = (clock_time(at, seen.lang, seen.forum.timezone) for at in (one.start, one.end))
        parts = [day(seen.local_day(one.start), seen.lang, "day"), f"{start}–{end}"]
    return ", ".join([*parts, room or text_of(seen.lang, "programme.room_open")])
