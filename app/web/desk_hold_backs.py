"""Hold-backs at the desk: seats kept back for a purpose, until when, and giving them up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, NotFound, Refused
from app.kit.i18n import latin_digits
from app.kit.inputs import parse
from app.registration import holding
from app.registration.desk_queries import Overview, overview
from app.registration.inputs import HoldBackInput
from app.registration.quotas import Beyond
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.local_times import instant, typed
from app.web.seats_left import left_words

router = APIRouter(include_in_schema=False)
DONE = frozenset({"kept", "changed", "as_before", "released"})
_FIELDS = ("category", "seats", "purpose", "reason")


@router.get("/desk/{forum}/hold-backs")
async def hold_backs(request: Request, forum: str) -> Response:
    """The hold-backs, and the form for one more."""
    return await _page(request, forum)


@router.post("/desk/{forum}/hold-backs")
async def keep_back(request: Request, forum: str) -> Response:
    """Keep seats back."""
    now = clock.now()

    def deed(db: Db, desk: Desk, found: Forum, sent: FormData) -> str:
        fields: dict[str, Any] = {name: sent.get(name, "") for name in _FIELDS}
        fields["seats"] = latin_digits(str(fields["seats"]))
        fields["release_at"] = _instant(sent, found, "release_at")
        holding.keep_back(db, desk.actor, found, parse(HoldBackInput, fields), now=now)
        return "kept"

    return await _act(request, forum, deed)


@router.post("/desk/{forum}/hold-backs/{number}/date")
async def change_release(request: Request, forum: str, number: str) -> Response:
    """Move the release, or leave the end open."""
    now, known = clock.now(), _number(number)

    def deed(db: Db, desk: Desk, found: Forum, sent: FormData) -> str:
        at = _instant(sent, found, f"release_at_{known}")
        changed = holding.change_release(db, desk.actor, found, known, at, now=now)
        return "changed" if changed else "as_before"

    return await _act(request, forum, deed)


@router.post("/desk/{forum}/hold-backs/{number}/release")
async def release(request: Request, forum: str, number: str) -> Response:
    """Give the remaining seats up now; they go to those who wait."""
    now, known = clock.now(), _number(number)

    def deed(db: Db, desk: Desk, found: Forum, _sent: FormData) -> str:
        holding.release(db, desk.actor, found, known, now=now)
        return "released"

    return await _act(request, forum, deed)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound
    return int(text)


def _instant(sent: FormData, forum: Forum, name: str) -> Any:
    text = sent.get(name)
    return instant(text if isinstance(text, str) else "", forum.timezone, name)


async def _act(request: Request, forum: str, deed: Callable[[Db, Desk, Forum, FormData], str]) -> Response:
    """A form of the page: its deed, and the page again saying what was done or why not."""
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, lambda _db, _desk: None)
    try:
        done = await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk, found, sent))
    except (Refused, Expired) as refused:
        form = refilled(desk.lang, sent, refused)
        asks_more = refused.code in {"hold_back_too_many", "hold_back_no_place"}
        return await _page(request, forum, form=form, asks_more=asks_more, status=refused.status)
    return deps.back(f"{desk.base}/hold-backs?done={done}")


@dataclass(frozen=True, slots=True)
class Seen:
    """The hold-backs, the seats around them, and what those asked for would take where the rule gave too few."""

    rows: list[Any]
    overview: Overview
    beyond: Beyond | None


def _read(db: Db, desk: Desk, asked: tuple[str, int] | None = None) -> Seen:
    """Four queries, however many there are; two more to say what so many seats in a category would take."""
    by, forum, now = desk.actor, desk.forum, clock.now()
    found = holding.hold_backs(db, by, forum)
    more = holding.takes(db, by, forum, *asked, now=now) if asked else None
    return Seen(found, overview(db, by, forum, now=now), more)


def _asked(form: Form) -> tuple[str, int]:
    category, seats = (str(form.kept.get(name, "")) for name in ("category", "seats"))
    return category, int(seats) if seats.isdigit() and len(seats) < 6 else 1


async def _page(
    request: Request, forum: str, *, form: Form | None = None, asks_more: bool = False, status: int = 200
) -> Response:
    asked = _asked(form) if form and asks_more else None
    desk, found = await deps.read_at_desk(request, forum, lambda db, desk: _read(db, desk, asked))
    rows, seen = found.rows, found.overview
    done = request.query_params.get("done", "")
    values: dict[str, Any] = {
        "live": [row for row in rows if row.released_at is None],
        "past": [row for row in rows if row.released_at is not None],
        "groups": {row.category_id: row.tally for row in seen.seats},
        "seats": seen.seats,
        "beyond": found.beyond,
        "category_names": {row.tally.code: row.tally.name.of(desk.lang) for row in seen.seats},
        "form": form or Form(),
        "done": done if done in DONE and form is None else "",
        "decides": desk.may(Permission.DECIDE_REGISTRATIONS),
        "overrides": desk.may(Permission.SEAT_OVER_LIMITS),
        "left_words": left_words,
        "local": lambda at: typed(at, desk.forum.timezone),
    }
    return deps.show_at_desk(request, desk, "desk/hold_backs.html", status=status, **values)
