"""Many registrations at once: what would become of each, doing just that, and taking it back."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from app.accounts.actor import Actor
from app.api.asking import Question
from app.api.calling import Door, Reading, Writing
from app.api.inputs import sent
from app.api.people_inputs import ManyInput
from app.api.seats import Number
from app.api.shapes.marking import BegunShape, BulkShape, ExpectedShape, ItemShape, ProspectShape
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.registration import deciding_many, foreseeing_many
from app.registration.deciding_many import Report
from app.registration.desk_inputs import BulkInput
from app.registration.desk_inputs import Number as Tag
from app.registration.foreseeing_many import DONE
from app.registration.inputs import CategoryCode

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["registrations"])


class ProspectQuestion(Question):
    """What would be done, with whom: `to` which group they would move, `with_tag` which mark they would get or lose."""

    act: Annotated[Literal["approve", "decline", "cancel", "move", "tag", "untag"], Field(examples=["approve"])]
    to: CategoryCode | Literal[""] = ""
    with_tag: Annotated[Tag | None, Field(description="The number of a tag.")] = None


@router.get("/bulks/prospect", response_model=ProspectShape)
async def look_at_many(call: Reading, asked: Annotated[ProspectQuestion, Query()]) -> Response:
    """What doing this with everybody who is meant would do, by the seat rule as things stand; it is whole, and at most
    two thousand may be meant. Takes `decide_registrations`."""
    meant = BulkInput(act=asked.act, to=asked.to, with_tag=asked.with_tag)

    def read(db: Db) -> ProspectShape:
        seen = foreseeing_many.look_at(db, call.by, call.forum, asked.wanted, meant, now=clock.now())
        return ProspectShape(
            mark=seen.mark,
            possible=seen.possible,
            mails=seen.mails,
            counts=dict(seen.counts),
            items=[
                ExpectedShape(code=one.row.code, outcome=one.outcome, possible=one.possible, why=one.why)
                for one in seen.lines
            ],
        )

    return await call.one(read)


@router.post("/bulks", response_model=BegunShape, status_code=201)
async def do_many(
    call: Writing,
    many: Annotated[
        ManyInput,
        sent(
            act="approve",
            of={"state": "awaiting", "category": "STU"},
            mark="4f1c5b0a8f1e7d0c4a519a55f3b7a2a2",
            note="",
        ),
    ],
) -> Response:
    """Do it with everybody of whom it can be done, if it is still what was looked at under this mark; each goes through
    the deed of one registration. The first fifty at once, the others by the worker. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> BegunShape:
        meant = BulkInput(**{name: getattr(many, name) for name in BulkInput.model_fields})
        number = deciding_many.begin(db, call.by, forum, many.of.wanted, meant, mark=many.mark, now=now)
        return _go_on(db, call.by, forum, number, now)

    return await call.write(deed, status=201, made="id")


@router.get("/bulks/{number}", response_model=BulkShape)
async def get_bulk(call: Reading, number: Number) -> Response:
    """What has become of it, and of whom it could be taken back. Takes `decide_registrations`."""
    return await call.one(lambda db: _bulk(deciding_many.report(db, call.by, call.forum, number)))


@router.post("/bulks/{number}/undo", response_model=BegunShape)
async def undo_many(call: Writing, number: Number) -> Response:
    """Take it back, as far as that can be: approvals until their mails leave, moves and tags later too. Takes
    `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> BegunShape:
        deciding_many.take_back(db, call.by, forum, number)
        return _go_on(db, call.by, forum, number, now)

    return await call.write(deed)


def _go_on(db: Db, by: Actor, forum: Forum, number: int, now: datetime) -> BegunShape:
    """The first piece of it, and how it stands then."""
    left = deciding_many.go_on(db, by, forum, number, now=now)
    return BegunShape(id=number, state=deciding_many.bulk_of(db, forum, number).state, left=left)


def _bulk(found: Report) -> BulkShape:
    bulk = found.bulk
    return BulkShape(
        id=bulk.number,
        act=bulk.act,
        to=bulk.values.get("category", ""),
        with_tag=bulk.values.get("tag"),
        state=bulk.state,
        begun_at=bulk.begun_at,
        until=bulk.until,
        left=found.left,
        counts=dict(found.outcomes),
        items=[
            ItemShape(
                code=row.code,
                outcome=row.outcome,
                back=row.back,
                reversible=row.outcome in DONE and row.application_id in found.can_go_back,
                stays=found.stays.get(row.application_id, ""),
            )
            for row in found.items
        ],
    )
