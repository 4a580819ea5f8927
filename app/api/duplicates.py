"""Registrations that may be one person's: found, merged, or said to be two people's."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from app.accounts.rules import Permission
from app.api.calling import Door, Reading, Writing
from app.api.inputs import MergeInput, sent
from app.api.registrations import After, Code, standing
from app.api.shapes.general import Changed, Page
from app.api.shapes.people import AlikeShape, PairShape, Standing
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import NotFound
from app.registration import merging
from app.registration.duplicates import Alike, doubles

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["registrations"])


@router.get("/duplicates", response_model=Page[AlikeShape])
async def list_duplicates(call: Reading, after: After = "") -> Response:
    """Groups of registrations that may be one person's. Takes `see_people`."""

    def read(db: Db) -> tuple[list[Any], str]:
        found = doubles(db, call.by, call.forum, after=after)
        return [_alike(one) for one in found.groups], found.following

    return await call.page(AlikeShape, read)


@router.post("/duplicates/{first}/{second}/merge", response_model=Standing)
async def merge(
    call: Writing, first: Code, second: Code, how: Annotated[MergeInput, sent(keep="K3TP9QA", editions=[1, 1])]
) -> Response:
    """Keep one of two registrations of one person, `keep`; the other ends. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Standing:
        call.by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
        if how.keep not in {first, second}:
            raise NotFound
        drop = second if how.keep == first else first
        merging.merge(db, call.by, forum, how.keep, drop, how.editions, now=now, picks=how.picks)
        return standing(db, forum, how.keep)

    return await call.write(deed)


@router.post("/duplicates/{first}/{second}/difference", response_model=Changed)
async def say_distinct(call: Writing, first: Code, second: Code) -> Response:
    """Say that two registrations are two people's. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=merging.say_distinct(db, call.by, forum, first, second, now=now))

    return await call.write(deed)


def _alike(found: Alike) -> AlikeShape:
    pairs = [
        PairShape(first=one.first.code, second=one.second.code, reasons=[reason.value for reason in one.reasons])
        for one in found.pairs
    ]
    return AlikeShape(people=[one.code for one in found.people], pairs=pairs)
