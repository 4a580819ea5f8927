"""Mailings: drafts to a segment, looked at and tried, their time, and how far they have come."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Call, Door, Matching, Reading, Writing
from app.api.inputs import sent
from app.api.invitations import AfterNumber
from app.api.mails import letter
from app.api.registrations import Limit
from app.api.seats import Number
from app.api.shapes.general import Changed, Counted, Numbered, Page
from app.api.shapes.letters import MAILING, MailingLine, MailingShape, MeantShape, MovedShape, ReachShape
from app.correspondence import mailing
from app.correspondence.mailing import MailingInput
from app.correspondence.mailing_queries import batch_of, mailing_of, mailings_of
from app.correspondence.previewing import preview_mailing
from app.correspondence.recipients import Reach, reach_of
from app.correspondence.rules.segments import from_kept
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Forbidden
from app.kit.inputs import Input, Instant
from app.mail.outbox import batch_counts
from app.registration.pick_queries import attendance_told

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["mail"])
WORDS = ("subject_en", "text_en", "subject_km", "text_km")
LAST = 2**31 - 1


class SeenInput(Input):
    """The edition of the mailing as you have seen it."""

    edition: Annotated[int, Field(ge=1, le=2**31 - 1)]


class TimeInput(SeenInput):
    """The same, and when it is sent: null for now."""

    send_at: Instant | None = None


@router.get("/mailings", response_model=Page[MailingLine])
async def list_mailings(call: Reading, after: AfterNumber = None, limit: Limit = 50) -> Response:
    """The mailings, the newest first. Takes `see_mail`."""

    def read(db: Db) -> tuple[list[Any], str]:
        own = forum_id(call.forum)
        call.by.must(Permission.SEE_MAIL, own)
        rows = mailings_of(db, own, before=after, most=limit + 1)
        return [_line(row) for row in rows[:limit]], str(rows[limit - 1].number) if len(rows) > limit else ""

    return await call.page(MailingLine, read, limit=limit)


@router.get("/mailings/{number}", response_model=MailingShape)
async def get_mailing(call: Reading, number: Number) -> Response:
    """One mailing. Takes `see_mail`."""
    return await call.one(lambda db: _mailing(db, call.by, call.forum, number))


@router.post("/mailings", response_model=Numbered, status_code=201)
async def draft_mailing(call: Writing, draft: Annotated[MailingInput, sent(**MAILING)]) -> Response:
    """Keep a new draft; nobody is written to. Takes `send_mail`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Numbered:
        return Numbered(id=mailing.save(db, call.by, forum, None, draft, 0, now=now))

    return await call.write(deed, status=201, made="id")


@router.put("/mailings/{number}", response_model=MailingShape)
async def change_mailing(call: Matching, number: Number, draft: Annotated[MailingInput, sent(**MAILING)]) -> Response:
    """Bring a draft to what is sent. Takes `see_mail` and `send_mail`."""

    def deed(db: Db, forum: Forum, now: datetime) -> MailingShape:
        mailing.save(db, call.by, forum, number, draft, mailing_of(db, forum, number).edition, now=now)
        return _mailing(db, call.by, forum, number)

    return await call.write(deed, present=lambda db, forum: _mailing(db, call.by, forum, number))


@router.delete("/mailings/{number}", status_code=204)
async def remove_mailing(call: Matching, number: Number) -> Response:
    """A draft goes. Takes `see_mail` and `send_mail`."""

    def deed(db: Db, forum: Forum, now: datetime) -> None:
        mailing.remove(db, call.by, forum, number, mailing_of(db, forum, number).edition, now=now)

    return await call.remove(deed, present=lambda db, forum: _mailing(db, call.by, forum, number))


@router.get("/mailings/{number}/example", response_model=ReachShape)
async def look_at_mailing(call: Reading, number: Number) -> Response:
    """How many a mailing means now, and how it reads: for one of them with `see_people`, else for a made-up reader.
    Takes `send_mail`."""
    return await call.one(lambda db: _looked_at(db, call, number), long=True)


@router.get("/mailings/{number}/people", response_model=Page[MeantShape])
async def list_meant(call: Reading, number: Number, after: AfterNumber = None, limit: Limit = 50) -> Response:
    """Who they are, the newest first; of one delegation without those in a private capacity, who are written to all the
    same. Refused of a session whose attribution rule lets nobody outside learn who is there. Takes `send_mail` and
    `see_people`."""

    def read(db: Db) -> tuple[list[Any], str]:
        call.by.must(Permission.SEE_PEOPLE, forum_id(call.forum))
        row, reach = _reach(db, call, number)
        if _tells_who_attends(db, call, row):
            raise Forbidden("attendance_withheld")
        rows = [one for one in reach.named if one.id < (LAST if after is None else after)]
        return rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else ""

    return await call.page(MeantShape, read, long=True, limit=limit)


@router.post("/mailings/{number}/test", response_model=Changed)
async def try_mailing(call: Writing, number: Number) -> Response:
    """Send it to the token's own user, in each language, as one of those meant would read it. Takes `send_mail`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        mailing.try_out(db, call.by, forum, number, call.secret, now=now)
        return Changed(changed=True)

    return await call.write(deed)


@router.post("/mailings/{number}/schedule", response_model=MovedShape)
async def schedule_mailing(
    call: Writing, number: Number, at: Annotated[TimeInput, sent(edition=1, send_at=None)]
) -> Response:
    """Have the draft that was looked at sent at its time, by the worker; until then it can be taken back. Takes
    `send_mail`."""
    return await _moved(
        call,
        number,
        lambda db, forum, now: mailing.schedule(db, call.by, forum, number, at.edition, at.send_at or now, now=now),
    )


@router.post("/mailings/{number}/withdrawal", response_model=MovedShape)
async def take_back_mailing(call: Writing, number: Number, seen: Annotated[SeenInput, sent(edition=2)]) -> Response:
    """A mailing that has not begun is a draft again. Takes `send_mail`."""
    return await _moved(
        call, number, lambda db, forum, now: mailing.take_back(db, call.by, forum, number, seen.edition, now=now)
    )


@router.post("/mailings/{number}/stop", response_model=Counted)
async def stop_mailing(call: Writing, number: Number) -> Response:
    """Nobody more is written to; what waits in the outbox does not leave, and the answer says how many mails that are.
    Takes `send_mail`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Counted:
        return Counted(number=mailing.stop(db, call.by, forum, number, now=now))

    return await call.write(deed)


async def _moved(call: Call, number: int, deed: Any) -> Response:
    def done(db: Db, forum: Forum, now: datetime) -> MovedShape:
        deed(db, forum, now)
        row = mailing_of(db, forum, number)
        return MovedShape(id=row.number, edition=row.edition, state=row.state)

    return await call.write(done)


def _line(row: Any) -> MailingLine:
    return MailingLine.model_validate({**row._mapping, "id": row.number})  # noqa: SLF001 - its public name


def _mailing(db: Db, by: Actor, forum: Forum, number: int) -> MailingShape:
    by.must(Permission.SEE_MAIL, forum_id(forum))
    row = mailing_of(db, forum, number)
    counted = batch_counts(db, batch_of(forum, number))
    mails = {state: n for state, n in counted.items() if n}
    return MailingShape(**_line(row).model_dump(), mailing=mailing.as_sent(row), mails=mails)


def _reach(db: Db, call: Call, number: int) -> tuple[Any, Reach]:
    """The mailing's row and whom it means now. Raises Forbidden, NotFound."""
    call.by.must(Permission.SEND_MAIL, forum_id(call.forum))
    row = mailing_of(db, call.forum, number)
    segment = from_kept(row.segment)
    return row, reach_of(db, call.by, call.forum, segment, call.secret, essential=row.essential)


def _tells_who_attends(db: Db, call: Call, row: Any) -> bool:
    """Would the names of those meant say who is in a session of which nobody outside may learn it (rules §4.5)?"""
    session = from_kept(row.segment).session
    return bool(session) and session not in attendance_told(db, call.forum)


def _looked_at(db: Db, call: Call, number: int) -> ReachShape:
    row, reach = _reach(db, call, number)
    named = call.by.may(Permission.SEE_PEOPLE, forum_id(call.forum)) and not _tells_who_attends(db, call, row)
    likes = reach if named else Reach()
    words, whose = {name: getattr(row, name) for name in WORDS}, from_kept(row.segment).audience.value
    shown = preview_mailing(
        db, call.forum, words, likes, whose, call.behind.settings, essential=row.essential, now=clock.now()
    )
    return ReachShape(
        people=len(reach.people),
        opted_out=reach.opted_out,
        by_language=dict(reach.by_language),
        letters=[letter(one) for one in shown],
    )
