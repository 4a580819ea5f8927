"""The meeting rooms: their names, seats, set-ups, and how long it takes to change between those."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.inputs import RoomInput
from app.forum.models import Forum, MeetingRoom, RoomSetup
from app.forum.queries import RoomView, forum_id, rooms_of
from app.kit.db import Db, table
from app.kit.errors import Conflict, NotFound, Refused
from app.kit.pen import republish

_rooms, _setups = table(MeetingRoom), table(RoomSetup)
INSIDE = frozenset({"setup", "changeover_minutes", "setups"})
"""What of a room is the desk's own business; the rest the public programme shows."""


def add_room(db: Db, by: Actor, forum: Forum, sent: RoomInput, *, now: datetime) -> None:
    """One more room, behind the others. Raises Refused("room_twice")."""
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    if any(room.code == sent.code for room in rooms_of(db, own)):
        raise Refused("room_twice", room=sent.code)
    last = db.execute(select(func.max(_rooms.c.position)).where(_rooms.c.forum_id == own)).scalar_one()
    _write(db, MeetingRoom(forum_id=own, code=sent.code, name=sent.name, seats=0, position=(last or 0) + 1), sent)
    _told(db, by, forum, "room.added", sent.code, now=now, after={"seats": sent.seats})


def change_room(
    db: Db,
    by: Actor,
    forum: Forum,
    sent: RoomInput,
    edition: int,
    *,
    used: Mapping[str, Sequence[str]],
    now: datetime,
) -> bool:
    """Change the room with this code, if nobody else did since `edition`; says whether anything changed.

    `used` has the codes of the sessions that ask for a set-up of this room by that set-up. Published versions keep the
    room's name as it was. Raises NotFound; Conflict("room_changed"); Refused("setup_used") where one of those would go.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    before = room_of(db, own, sent.code)
    if before.edition != edition:
        raise Conflict("room_changed")
    there = as_input(before)
    changed = sorted(name for name in RoomInput.model_fields if getattr(there, name) != getattr(sent, name))
    if not changed:
        return False
    kept = {sent.setup, *(one.setup for one in sent.setups)}
    for setup in sorted(used.keys() - kept):
        raise Refused("setup_used", sessions=", ".join(used[setup]))
    _write(db, db.execute(select(MeetingRoom).where(_rooms.c.id == before.id)).scalar_one(), sent)
    public = bool(set(changed) - INSIDE)
    _told(db, by, forum, "room.changed", sent.code, now=now, after={"changed": changed}, public=public)
    return True


def place_room(db: Db, by: Actor, forum: Forum, code: str, *, up: bool, now: datetime) -> bool:
    """One place up or down in the order of rooms; False for the first upwards and the last downwards."""
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    order = [room.id for room in rooms_of(db, own)]
    here = order.index(room_of(db, own, code).id)
    there = here + (-1 if up else 1)
    if not 0 <= there < len(order):
        return False
    order[here], order[there] = order[there], order[here]
    for position, room in enumerate(order):
        db.execute(update(_rooms).where(_rooms.c.id == room).values(position=position))
    _told(db, by, forum, "room.placed", code, now=now, after={"place": there + 1})
    return True


def remove_room(db: Db, by: Actor, forum: Forum, code: str, *, used_by: Sequence[str], now: datetime) -> None:
    """A room goes. `used_by` has the titles of the sessions in it, which stand in the way. Raises NotFound;
    Refused("room_used")."""
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    room = room_of(db, own, code)
    if used_by:
        raise Refused("room_used", sessions="; ".join(used_by))
    db.execute(delete(_setups).where(_setups.c.room_id == room.id))
    db.execute(delete(_rooms).where(_rooms.c.id == room.id))
    _told(db, by, forum, "room.removed", code, now=now, after={})


def room_of(db: Db, own: int, code: str) -> RoomView:
    """The room with this code in this forum. Raises NotFound."""
    for room in rooms_of(db, own):
        if room.code == code:
            return room
    raise NotFound


def as_input(room: RoomView) -> RoomInput:
    """A room as somebody would send it."""
    sent = {name: getattr(room, name) for name in RoomInput.model_fields}
    return RoomInput(**{**sent, "setups": [{"setup": setup, "seats": seats} for setup, seats in room.setups]})


def put_rooms(db: Db, own: int, sent: Sequence[RoomInput]) -> bool:
    """Bring the rooms to what was sent, in this order; a room keeps its row while its code stays. Says whether anything
    changed; what calls it asks permission and records. Raises Refused("room_in_use")."""
    there = rooms_of(db, own)
    if [as_input(room) for room in there] == list(sent):
        return False
    rows = {row.code: row for row in db.execute(select(MeetingRoom).where(_rooms.c.forum_id == own)).scalars()}
    known = {room.code: as_input(room) for room in there}
    for code in rows.keys() - {room.code for room in sent}:
        db.execute(delete(_setups).where(_setups.c.room_id == rows[code].id))
        db.delete(rows[code])
    try:
        for position, room in enumerate(sent):
            row = rows.get(room.code) or MeetingRoom(forum_id=own, code=room.code, name=room.name, seats=0, position=0)
            row.position = position
            db.add(row)
            if known.get(room.code) != room:
                _write(db, row, room)
        db.flush()
    except IntegrityError:
        raise Refused("room_in_use") from None
    return True


def _write(db: Db, row: MeetingRoom, sent: RoomInput) -> None:
    """Bring a row and its set-ups to what was sent."""
    row.edition = row.edition + 1 if row.id else 1
    row.name, row.seats, row.listed = sent.name, sent.seats, sent.listed
    row.setup, row.changeover_minutes = sent.setup, sent.changeover_minutes
    db.add(row)
    db.flush()
    db.execute(delete(_setups).where(_setups.c.room_id == row.id))
    db.add_all(RoomSetup(room_id=row.id or 0, setup=one.setup, seats=one.seats) for one in sent.setups)
    db.flush()


def _told(
    db: Db,
    by: Actor,
    forum: Forum,
    kind: str,
    code: str,
    *,
    now: datetime,
    after: Mapping[str, Any],
    public: bool = True,
) -> None:
    record(db, forum.slug, by.signature, kind, f"room:{code}", now=now, after=after)
    if public:
        forum.changed_at = now
        db.add(forum)
        db.flush()
        republish(db, forum.slug)
