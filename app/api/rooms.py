"""Rooms and their set-ups."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Door, Matching, Reading, Writing
from app.api.inputs import PlaceInput, sent
from app.api.shapes.forum import RoomShape
from app.api.shapes.general import Changed, Coded, Page
from app.api.speakers import Slug
from app.forum import furnishing
from app.forum.inputs import RoomInput
from app.forum.models import Forum
from app.forum.queries import RoomView, forum_id, rooms_of
from app.kit.db import Db
from app.programme.queries import Using, rooms_used

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["programme"])
ROOM = {"code": "annex", "name": {"en": "Annex", "km": "អគារបន្ថែម"}, "seats": 40}


@router.get("/rooms", response_model=Page[RoomShape])
async def list_rooms(call: Reading) -> Response:
    """The rooms in order; the list is whole."""

    def read(db: Db) -> tuple[list[Any], str]:
        call.by.must(Permission.SEE_DESK, forum_id(call.forum))
        return [_room(room) for room in rooms_of(db, forum_id(call.forum))], ""

    return await call.page(RoomShape, read)


@router.get("/rooms/{code}", response_model=RoomShape)
async def get_room(call: Reading, code: Slug) -> Response:
    """One room."""
    return await call.one(lambda db: room_shape(db, call.by, call.forum, code))


@router.post("/rooms", response_model=Coded, status_code=201)
async def add_room(call: Writing, room: Annotated[RoomInput, sent(**ROOM)]) -> Response:
    """One more room, behind the others. Takes `edit_forum`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Coded:
        furnishing.add_room(db, call.by, forum, room, now=now)
        return Coded(code=room.code)

    return await call.write(deed, status=201, made="code")


@router.put("/rooms/{code}", response_model=RoomShape)
async def change_room(call: Matching, code: Slug, room: Annotated[RoomInput, sent(**ROOM)]) -> Response:
    """Bring a room to what is sent; its code stays. Takes `edit_forum`."""

    def deed(db: Db, forum: Forum, now: datetime) -> RoomShape:
        there, mine = furnishing.room_of(db, forum_id(forum), code), room.model_copy(update={"code": code})
        used = _setups_used(rooms_used(db, forum_id(forum)), code)
        furnishing.change_room(db, call.by, forum, mine, there.edition, used=used, now=now)
        return room_shape(db, call.by, forum, code)

    return await call.write(deed, present=lambda db, forum: room_shape(db, call.by, forum, code))


@router.delete("/rooms/{code}", status_code=204)
async def remove_room(call: Matching, code: Slug) -> Response:
    """A room goes in which nothing takes place."""

    def deed(db: Db, forum: Forum, now: datetime) -> None:
        using = [one.code for one in rooms_used(db, forum_id(forum)) if one.room == code]
        furnishing.remove_room(db, call.by, forum, code, used_by=using, now=now)

    return await call.remove(deed, present=lambda db, forum: room_shape(db, call.by, forum, code))


@router.post("/rooms/{code}/place", response_model=Changed)
async def place_room(call: Writing, code: Slug, to: Annotated[PlaceInput, sent(up=True)]) -> Response:
    """One place up or down in the order of rooms."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=furnishing.place_room(db, call.by, forum, code, up=to.up, now=now))

    return await call.write(deed)


def room_shape(db: Db, by: Actor, forum: Forum, code: str) -> RoomShape:
    """A room. Raises NotFound."""
    by.must(Permission.SEE_DESK, forum_id(forum))
    return _room(furnishing.room_of(db, forum_id(forum), code))


def _room(room: RoomView) -> RoomShape:
    return RoomShape(edition=room.edition, room=furnishing.as_input(room))


def _setups_used(using: list[Using], code: str) -> dict[str, list[str]]:
    """The codes of the sessions that ask for a set-up of this room, by that set-up."""
    found: dict[str, list[str]] = {}
    for one in using:
        if one.room == code and one.setup:
            found.setdefault(one.setup, []).append(one.code)
    return found
