"""One mail of the outbox, and writing it once more."""

from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from app.api.calling import Call, Door, Reading, Writing
from app.api.seats import Number
from app.api.shapes.general import Changed
from app.api.shapes.letters import LetterShape, TryShape, WholeMailShape
from app.correspondence.rendering import Rendered
from app.correspondence.resending import resend, whole_message
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["mail"])


@router.get("/outbox/{number}", response_model=WholeMailShape)
async def get_mail(call: Reading, number: Number) -> Response:
    """One mail with its tries, as it reads now. Takes `see_mail`."""
    return await call.one(lambda db: _whole(db, call, number))


@router.post("/outbox/{number}/repetition", response_model=Changed)
async def repeat_mail(call: Writing, number: Number) -> Response:
    """Write a mail once more that has come to its end, to the address its reader has now; `changed` says that it is
    another than before. Takes `send_mail`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=resend(db, call.by, forum, number, now=now))

    return await call.write(deed)


def _whole(db: Db, call: Call, number: int) -> WholeMailShape:
    now, settings = clock.now(), call.behind.settings
    found = whole_message(db, call.by, call.forum, number, settings, now=now, to_program=True)
    told = {name: getattr(found.row, name) for name in WholeMailShape.model_fields if hasattr(found.row, name)}
    told |= {"tries": [TryShape.model_validate(one, from_attributes=True) for one in found.tries]}
    return WholeMailShape(**told, moved_to=found.moved_to, letter=letter(found.shown) if found.shown else None)


def letter(shown: Rendered) -> LetterShape:
    """A rendered mail in plain text."""
    return LetterShape(language=shown.language, subject=shown.subject, text=shown.text)
