"""One registration at the desk, beside the queue: seated beyond limits, put on a held-back seat, given priority."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.registration import holding, overriding
from app.registration.inputs import HeldBackInput, PriorityInput, ReasonInput
from app.web.desk_registration import act

router = APIRouter(include_in_schema=False)


@router.post("/desk/{forum}/registrations/{code}/seat")
async def seat_beyond(request: Request, forum: str, code: str) -> Response:
    """Seat beyond limit or guarantees, with a reason."""
    now = clock.now()

    def deed(db: Db, by: Actor, found: Forum, code: str, read: ReasonInput) -> str:
        overriding.seat_beyond(db, by, found, code, read.reason, now=now)
        return "seated_beyond"

    return await act(request, forum, code, ReasonInput, deed)


@router.post("/desk/{forum}/registrations/{code}/hold-back")
async def seat_held_back(request: Request, forum: str, code: str) -> Response:
    """Seat on one of a hold-back's seats."""
    now = clock.now()

    def deed(db: Db, by: Actor, found: Forum, code: str, read: HeldBackInput) -> str:
        holding.give_held(db, by, found, read.hold_back, code, now=now)
        return "seated_held_back"

    return await act(request, forum, code, HeldBackInput, deed)


@router.post("/desk/{forum}/registrations/{code}/priority")
async def set_priority(request: Request, forum: str, code: str) -> Response:
    """Let somebody go before others in the queue, with a reason."""
    now = clock.now()

    def deed(db: Db, by: Actor, found: Forum, code: str, read: PriorityInput) -> str:
        changed = overriding.set_priority(db, by, found, code, read, now=now)
        return "priority" if changed else "priority_as_before"

    return await act(request, forum, code, PriorityInput, deed)
