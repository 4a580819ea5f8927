"""The desk's meeting rooms: seats, set-ups and the time to change between them, in the order of the columns."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum import furnishing
from app.forum.inputs import SETUPS, RoomInput
from app.forum.models import Forum
from app.forum.queries import RoomView, forum_id, rooms_of
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Conflict, Expired, Fault, Invalid, NotFound, Refused
from app.kit.i18n import Lang, latin_digits, number, text_of
from app.kit.inputs import parse
from app.programme.queries import Using, rooms_used
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.pages import slug

router = APIRouter(include_in_schema=False)
DONE = frozenset({"added", "changed", "placed", "removed", "same"})
NEW = "new"
"""Where the empty form stands; no room bears it as a code."""
Seen = tuple[list[RoomView], list[Using]]


@router.get("/desk/{forum}/rooms")
async def rooms(request: Request, forum: str) -> Response:
    """The rooms in their order."""
    return await _list(request, forum)


@router.get("/desk/{forum}/rooms/{code}")
async def room(request: Request, forum: str, code: str) -> Response:
    """The form of one room, or the empty one."""
    desk, (there, using) = await deps.read_at_desk(request, forum, _read_to_change)
    one = None if code == NEW else _named(there, slug(code))
    return _form(request, desk, one, using, Form(_kept(one)))


@router.post("/desk/{forum}/rooms/{code}")
async def save(request: Request, forum: str, code: str) -> Response:
    """Add a room, or change one if nobody else did meanwhile."""
    sent, now = await read_form(request), clock.now()
    desk, (there, _) = await deps.read_at_desk(request, forum, _read_to_change)
    one = None if code == NEW else _named(there, slug(code))
    try:
        read = _parsed(sent, one)

        def deed(db: Db, found: Forum) -> bool:
            if one is None:
                furnishing.add_room(db, desk.actor, found, read, now=now)
                return True
            used = _setups_used(rooms_used(db, forum_id(found)), one.code)
            return furnishing.change_room(db, desk.actor, found, read, _edition(sent), used=used, now=now)

        changed = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _form_again(request, forum, code, sent, refused)
    done = ("added" if one is None else "changed") if changed else "same"
    return deps.back(f"{desk.base}/rooms?done={done}")


@router.post("/desk/{forum}/rooms/{code}/place")
async def place(request: Request, forum: str, code: str) -> Response:
    """One place up or down."""
    known, now = slug(code), clock.now()

    def deed(db: Db, desk: Desk, found: Forum, sent: FormData) -> str:
        if sent.get("to") not in {"up", "down"}:
            raise Refused("not_a_choice")
        moved = furnishing.place_room(db, desk.actor, found, known, up=sent.get("to") == "up", now=now)
        return "placed" if moved else "same"

    return await _act(request, forum, deed)


@router.post("/desk/{forum}/rooms/{code}/removal")
async def remove(request: Request, forum: str, code: str) -> Response:
    """Remove a room that no session uses."""
    known, now = slug(code), clock.now()

    def deed(db: Db, desk: Desk, found: Forum, _sent: FormData) -> str:
        using = [one for one in rooms_used(db, forum_id(found)) if one.room == known]
        titles = [f"{one.code} {one.title.of(desk.lang)}" for one in using]
        furnishing.remove_room(db, desk.actor, found, known, used_by=titles, now=now)
        return "removed"

    return await _act(request, forum, deed)


async def _act(request: Request, forum: str, deed: Callable[[Db, Desk, Forum, FormData], str]) -> Response:
    """A button of the list."""
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, _read_to_change)
    try:
        done = await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk, found, sent))
    except (Refused, Expired) as refused:
        return await _list(request, forum, refilled(desk.lang, FormData(), refused), refused.status)
    return deps.back(f"{desk.base}/rooms?done={done}")


def _read(db: Db, desk: Desk) -> Seen:
    """The rooms and the sessions that use them. Two queries."""
    own = forum_id(desk.forum)
    return rooms_of(db, own), rooms_used(db, own)


def _read_to_change(db: Db, desk: Desk) -> Seen:
    desk.actor.must(Permission.EDIT_FORUM, forum_id(desk.forum))
    return _read(db, desk)


def _setups_used(using: Sequence[Using], code: str) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in using:
        if one.room == code and one.setup:
            found.setdefault(one.setup, []).append(one.code)
    return found


async def _list(request: Request, forum: str, form: Form | None = None, status: int = 200) -> Response:
    desk, (there, using) = await deps.read_at_desk(request, forum, _read)
    done = request.query_params.get("done", "")
    values: dict[str, Any] = {
        "rooms": there,
        "counts": {room.code: sum(one.room == room.code for one in using) for room in there},
        "edits": desk.may(Permission.EDIT_FORUM),
        "form": form or Form(),
        "done": done if form is None and done in DONE else "",
    }
    return deps.show_at_desk(request, desk, "desk/rooms.html", status=status, **values)


async def _form_again(request: Request, forum: str, code: str, sent: FormData, refused: Answer) -> Response:
    """The form as it was sent; after a save of somebody else's with the room as it stands now beside it."""
    desk, (there, using) = await deps.read_at_desk(request, forum, _read_to_change)
    one = None if code == NEW else _named(there, slug(code))
    form = refilled(desk.lang, sent, _placed(refused))
    quicker = isinstance(refused, Conflict) and one is not None
    theirs = _in_words(desk.lang, one) if quicker and one else []
    edition = one.edition if quicker and one else _edition(sent)
    return _form(request, desk, one, using, form, refused.status, theirs=theirs, edition=edition)


def _form(
    request: Request,
    desk: Desk,
    one: RoomView | None,
    using: Sequence[Using],
    form: Form,
    status: int = 200,
    *,
    theirs: Sequence[tuple[str, str]] = (),
    edition: int | None = None,
) -> Response:
    values: dict[str, Any] = {
        "one": one,
        "setups": SETUPS,
        "used_by": [each for each in using if one and each.room == one.code],
        "form": form,
        "theirs": theirs,
        "edition": edition if edition is not None else one.edition if one else 0,
    }
    return deps.show_at_desk(request, desk, "desk/room.html", status=status, **values)


def _in_words(lang: Lang, one: RoomView) -> list[tuple[str, str]]:
    """A room as (label, words)."""

    def named(setup: str) -> str:
        return text_of(lang, f"rooms.setup_names.{setup}")

    parts = [
        ("name_en", one.name.en),
        ("name_km", one.name.km),
        ("seats_in", number(one.seats, lang)),
        ("setup", named(one.setup)),
        ("setups", ", ".join(f"{named(setup)} {number(seats, lang)}" for setup, seats in one.setups)),
        ("changeover_minutes", number(one.changeover_minutes, lang)),
        ("listed", text_of(lang, "rooms.yes" if one.listed else "rooms.no")),
    ]
    return [(text_of(lang, f"rooms.{name}"), words or "–") for name, words in parts]


def _named(there: Sequence[RoomView], code: str) -> RoomView:
    for one in there:
        if one.code == code:
            return one
    raise NotFound


def _kept(one: RoomView | None) -> dict[str, str | Sequence[str]]:
    """A stored room as the form's fields."""
    if one is None:
        return {"setup": "theatre", "changeover_minutes": "15", "listed": "yes"}
    return {
        "name_en": one.name.en,
        "name_km": one.name.km,
        "seats": str(one.seats),
        "setup": one.setup,
        "changeover_minutes": str(one.changeover_minutes),
        "listed": "yes" if one.listed else "",
        **{f"in_{setup}": str(seats) for setup, seats in one.setups},
    }


def _parsed(sent: FormData, one: RoomView | None) -> RoomInput:
    """The form as a room; the seats beside its usual set-up are those of `seats`. Raises Invalid."""
    text = {name: value.strip() for name, value in sent.items() if isinstance(value, str)}
    code = one.code if one else text.get("code", "")
    if code == NEW:
        raise Invalid([Fault("code", "not_this_form")])
    faults: list[Fault] = []
    setups = []
    for setup in SETUPS:
        seats = latin_digits(text.get(f"in_{setup}", ""))
        if not seats or setup == text.get("setup"):
            continue
        if not (seats.isascii() and seats.isdigit() and len(seats) < 6):
            faults.append(Fault(f"in_{setup}", "not_a_number"))
            continue
        setups.append({"setup": setup, "seats": int(seats)})
    fields: dict[str, Any] = {
        "code": code,
        "name": {"en": text.get("name_en", ""), "km": text.get("name_km", "")},
        "seats": latin_digits(text.get("seats", "")),
        "listed": text.get("listed") == "yes",
        "setup": text.get("setup", ""),
        "changeover_minutes": latin_digits(text.get("changeover_minutes", "")),
        "setups": setups,
    }
    try:
        read = parse(RoomInput, fields)
    except Invalid as invalid:
        raise Invalid([*invalid.faults, *faults]) from None
    if faults:
        raise Invalid(faults)
    return read


def _edition(sent: FormData) -> int:
    """The edition the form was opened on; 0, which none is, where that is not said."""
    text = sent.get("edition")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else 0


_PLACES = {"room_twice": "code", "setup_used": "setup"}


def _placed(refused: Answer) -> Answer:
    """The same refusal with its faults beside the form's fields."""
    if not isinstance(refused, Refused) or refused.status != Refused.status:
        return refused
    faults = []
    for fault in refused.faults:
        name = fault.field.split(".")[0]
        place = "name_en" if name == "name" else name or _PLACES.get(fault.code, "")
        faults.append(Fault(place, fault.code, fault.values))
    return Invalid(faults)
