"""The desk's sign-ups: every session with its places and its list, who is in it, and how many places it has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id, rooms_of
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, Invalid, NotFound, Refused
from app.kit.errors import Fault as Faulty
from app.kit.i18n import clock_time, day, text_of
from app.kit.inputs import Input, parse
from app.programme.published import PublishedSession
from app.programme.queries import published
from app.programme.rules.visibility import Attribution, withholds_attendance
from app.registration import picking
from app.registration.inputs import ListInput, PlacesInput
from app.registration.people import listed_name
from app.registration.pick_queries import Count, counts_of, names_in
from app.registration.rules.picks import PickState
from app.registration.rules.states import HOLDS_SEAT, State
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.pages import code as code_of

router = APIRouter(include_in_schema=False)
DONE = frozenset({"saved", "added", "removed"})
Read = TypeVar("Read", bound=Input)


@dataclass(frozen=True, slots=True)
class Line:
    """One session as the desk lists it, in ready words; `room_seats` is 0 where the room is not known."""

    code: str
    title: str
    when: str
    room: str
    room_seats: int
    closed: bool
    cancelled: bool
    count: Count

    @property
    def over(self) -> bool:
        """Are more places taken than there are?"""
        return self.count.places is not None and self.count.taken > self.count.places

    @property
    def small_room(self) -> bool:
        """Are more places taken than the room has seats?"""
        return 0 < self.room_seats < self.count.taken


@router.get("/desk/{forum}/sign-ups")
async def sign_ups(request: Request, forum: str) -> Response:
    """Every session of the published programme: those that ask for sign-up first, then the others."""
    desk, lines = await deps.read_at_desk(request, forum, _lines)
    asking = [line for line in lines if line.count.places is not None]
    others = [line for line in lines if line.count.places is None and not line.cancelled]
    return deps.show_at_desk(request, desk, "desk/sign_ups.html", asking=asking, others=others)


@router.get("/desk/{forum}/sign-ups/{code}")
async def session(request: Request, forum: str, code: str) -> Response:
    """One session: its places, and, for those who see people, who is in it."""
    return await _page(request, forum, code)


@router.post("/desk/{forum}/sign-ups/{code}/places")
async def places(request: Request, forum: str, code: str) -> Response:
    """Change how many places there are."""
    now, known = clock.now(), code_of(code)

    def deed(db: Db, desk: Desk, found: Forum, read: PlacesInput) -> None:
        picking.change_places(db, desk.actor, found, known, read.places, now=now)

    return await _act(request, forum, code, PlacesInput, "saved", deed)


@router.post("/desk/{forum}/sign-ups/{code}/names")
async def add(request: Request, forum: str, code: str) -> Response:
    """Put a person on the list."""
    now, known = clock.now(), code_of(code)

    def deed(db: Db, desk: Desk, found: Forum, read: ListInput) -> None:
        desk.actor.must(Permission.DECIDE_REGISTRATIONS, forum_id(found))
        try:
            picking.pick(db, desk.actor, found, read.registration, known, now=now, forced=read.forced)
        except NotFound:
            raise Invalid([Faulty("registration", "unknown_registration")]) from None

    return await _act(request, forum, code, ListInput, "added", deed)


@router.post("/desk/{forum}/sign-ups/{code}/names/{registration}/removal")
async def remove(request: Request, forum: str, code: str, registration: str) -> Response:
    """Take a person off the list; the place goes to the next."""
    now, known, person = clock.now(), code_of(code), code_of(registration)

    def deed(db: Db, desk: Desk, found: Forum, _read: Input) -> None:
        picking.unpick(db, desk.actor, found, person, known, now=now)

    return await _act(request, forum, code, Input, "removed", deed)


async def _act(
    request: Request,
    forum: str,
    code: str,
    model: type[Read],
    done: str,
    deed: Callable[[Db, Desk, Forum, Read], None],
) -> Response:
    """A form of a session's page: what was sent, its deed, and the page again saying what was done or why not."""
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, lambda _db, _desk: None)
    try:
        read = parse(model, {name: value for name in model.model_fields if isinstance(value := sent.get(name), str)})
        await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk, found, read))
    except (Refused, Expired) as refused:
        return await _page(request, forum, code, sent, refused)
    return deps.back(f"{desk.base}/sign-ups/{code_of(code)}?done={done}")


async def _page(
    request: Request, forum: str, code: str, sent: FormData | None = None, refused: Answer | None = None
) -> Response:
    known = code_of(code)

    def read(db: Db, desk: Desk) -> tuple[Line, PublishedSession, list[Any]]:
        found = published(db, forum_id(desk.forum)).session(known)
        line = next((line for line in _lines(db, desk) if line.code == known), None)
        if found is None or line is None:
            raise NotFound
        people = names_in(db, desk.actor, desk.forum, found.uid) if desk.may(Permission.SEE_PEOPLE) else []
        return line, found, people

    desk, (line, found, people) = await deps.read_at_desk(request, forum, read)
    form = refilled(desk.lang, sent, refused) if sent is not None and refused is not None else None
    count = "" if line.count.places is None else str(line.count.places)
    done = request.query_params.get("done", "")
    values = {
        "line": line,
        "withheld": withholds_attendance(found.attribution),
        "people": [(row, listed_name(row), _standing(row)) for row in people],
        "sees_people": desk.may(Permission.SEE_PEOPLE),
        "decides": desk.may(Permission.DECIDE_REGISTRATIONS),
        "edits_places": desk.may(Permission.EDIT_PROGRAMME),
        "form": Form({"places": count}) if form is None else Form({"places": count, **form.kept}, form.faults),
        "done": done if form is None and done in DONE else "",
    }
    status = refused.status if refused else 200
    return deps.show_at_desk(request, desk, "desk/sign_up.html", status=status, **values)


def _standing(row: Any) -> tuple[str, str, str]:
    """Where a person stands in a session, as tone, sign and the name of its words."""
    if State(row.state) not in HOLDS_SEAT:
        return "still", "·", "not_yet"
    return {
        PickState.SEATED.value: ("good", "✓", "seated"),
        PickState.WAITING.value: ("wait", "…", "waits"),
        PickState.PICKED.value: ("river", "·", "in_calendar"),
    }[row.pick_state]


def _lines(db: Db, desk: Desk) -> list[Line]:
    """The sessions of the published programme by time, as many queries whatever it holds."""
    own = forum_id(desk.forum)
    counts, lang, zone = counts_of(db, own), desk.lang, desk.forum.timezone
    seats = {room.code: room.seats for room in rooms_of(db, own)}

    def line(session: PublishedSession) -> Line:
        when = text_of(lang, "programme.time_open")
        if session.starts_at and session.ends_at:
            hours = "–".join(clock_time(at, lang, zone) for at in (session.starts_at, session.ends_at))
            when = f"{day(session.starts_at, lang, 'day', zone)}, {hours}"
        return Line(
            code=session.code,
            title=session.title.of(lang),
            when=when,
            room=session.room_name.of(lang) if session.room_name else "",
            room_seats=seats.get(session.room or "", 0),
            closed=session.attribution is Attribution.CLO,
            cancelled=session.cancelled,
            count=counts.get(session.uid, Count(None)),
        )

    sessions = [session for session in published(db, own).sessions if session.attribution is not None]
    ordered = sorted(sessions, key=lambda each: (each.starts_at is None, each.starts_at or 0, each.code))
    return [line(session) for session in ordered]
