"""Places in sessions: how many there are, and who is on a session's list."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from app.accounts.rules import Permission
from app.api.calling import Door, Reading, Writing
from app.api.inputs import sent
from app.api.registrations import Code
from app.api.shapes.general import Changed, Page
from app.api.shapes.people import NamedShape, SignUpShape
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import Forbidden, NotFound
from app.programme.published import PublishedSession
from app.programme.queries import published
from app.programme.rules.visibility import withholds_attendance
from app.registration import picking
from app.registration.inputs import ListInput, PlacesInput
from app.registration.pick_queries import Count, counts_of, names_in

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["programme"])


@router.get("/sign-ups", response_model=Page[SignUpShape])
async def list_sign_ups(call: Reading) -> Response:
    """Every session of the published programme with its places; the list is whole."""

    def read(db: Db) -> tuple[list[Any], str]:
        own = forum_id(call.forum)
        call.by.must(Permission.SEE_DESK, own)
        counts = counts_of(db, own)
        return [_line(one, counts.get(one.uid, Count(None))) for one in published(db, own).sessions], ""

    return await call.page(SignUpShape, read)


@router.get("/sign-ups/{code}/names", response_model=Page[NamedShape])
async def list_names(call: Reading, code: Code) -> Response:
    """Who is in a session: places, then the queue, then who only chose it; the list is whole. Refused of a session
    whose attribution rule lets nobody outside learn it, which the desk shows to people. Takes `see_people`."""

    def read(db: Db) -> tuple[list[Any], str]:
        call.by.must(Permission.SEE_PEOPLE, forum_id(call.forum))
        found = published(db, forum_id(call.forum)).session(code)
        if found is None:
            raise NotFound
        if withholds_attendance(found.attribution):
            raise Forbidden("attendance_withheld")
        return names_in(db, call.by, call.forum, found.uid), ""

    return await call.page(NamedShape, read)


@router.post("/sign-ups/{code}/places", response_model=Changed)
async def change_places(call: Writing, code: Code, to: Annotated[PlacesInput, sent(places=40)]) -> Response:
    """Set how many places a session has, null for open seating. Takes `edit_programme`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=picking.change_places(db, call.by, forum, code, to.places, now=now))

    return await call.write(deed)


@router.post("/sign-ups/{code}/names", response_model=Changed)
async def add_name(
    call: Writing, code: Code, who: Annotated[ListInput, sent(registration="K3TP9QA", forced=False)]
) -> Response:
    """Put a person on a session's list. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        call.by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
        done = picking.pick(db, call.by, forum, who.registration, code, now=now, forced=who.forced)
        return Changed(changed=done)

    return await call.write(deed)


@router.post("/sign-ups/{code}/names/{registration}/removal", response_model=Changed)
async def remove_name(call: Writing, code: Code, registration: Code) -> Response:
    """Take a person off a session's list; the place goes to the next. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        call.by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
        return Changed(changed=picking.unpick(db, call.by, forum, registration, code, now=now))

    return await call.write(deed)


def _line(session: PublishedSession, count: Count) -> SignUpShape:
    withheld = withholds_attendance(session.attribution)
    figures = {name: None if withheld else getattr(count, name) for name in ("taken", "waiting", "picked")}
    return SignUpShape(session=session.code, places=count.places, **figures)
