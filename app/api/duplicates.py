"""Registrations that may be one person's: found, merged, or said to be two people's."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Door, Reading, Writing
from app.api.inputs import MergeInput, sent
from app.api.registrations import After, Code, standing
from app.api.shapes.general import Changed, Page
from app.api.shapes.people import AlikeShape, ComparedShape, JoinShape, PairShape, Standing
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import NotFound
from app.registration import merging
from app.registration.carrying import Luggage
from app.registration.desk_queries import Whole
from app.registration.duplicates import Alike, compared, doubles
from app.registration.pick_queries import attendance_told
from app.registration.rules.merges import Joined

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["registrations"])


@router.get("/duplicates", response_model=Page[AlikeShape])
async def list_duplicates(call: Reading, after: After = "") -> Response:
    """Groups of registrations that may be one person's. Takes `see_people`."""

    def read(db: Db) -> tuple[list[Any], str]:
        found = doubles(db, call.by, call.forum, after=after)
        return [_alike(one) for one in found.groups], found.following

    return await call.page(AlikeShape, read, long=True)


@router.get("/duplicates/{first}/{second}", response_model=ComparedShape)
async def compare(call: Reading, first: Code, second: Code) -> Response:
    """Two registrations and what merging them would do, with the editions that it takes. Takes `see_people`."""
    return await call.one(lambda db: compared_shape(db, call.by, call.forum, first, second))


@router.post("/duplicates/{first}/{second}/merge", response_model=Standing)
async def merge(
    call: Writing, first: Code, second: Code, how: Annotated[MergeInput, sent(keep="K3TP9QA", editions=[1, 1])]
) -> Response:
    """Keep one of two registrations of one person, `keep`; the other ends, and there is no way back. Takes
    `decide_registrations`."""

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


def compared_shape(db: Db, by: Actor, forum: Forum, first: str, second: str) -> ComparedShape:
    """Two registrations side by side as they would be merged. Raises NotFound."""
    found, told = compared(db, by, forum, first, second), by.may(Permission.SEE_SENSITIVE, forum_id(forum))
    picks, attended = found.brings_first.editions, attendance_told(db, forum)
    return ComparedShape(
        reasons=[reason.value for reason in found.reasons],
        first=_part(found.first, picks[0], found.keeping_first, found.brings_first, found.second, attended, told=told),
        second=_part(
            found.second, picks[1], found.keeping_second, found.brings_second, found.first, attended, told=told
        ),
    )


def _part(
    one: Whole, picks: int, does: Joined, brings: Luggage, other: Whole, attended: Collection[str], *, told: bool
) -> JoinShape:
    """One of the two and what keeping it does. Sensitive answers are named to those who may see them; what is not said
    of whoever attends in a private capacity is not said to come along either, and of sessions those alone that are
    `attended`: of which it may be told who is there."""

    def named(picks: Collection[Any]) -> list[str]:
        return [code for code in brings.codes(picks) if code in attended]

    private = other.row.attends_as == "private"
    return JoinShape(
        code=one.row.code,
        edition=one.row.edition,
        picks=picks,
        takes_over=does.takes_over,
        moves_seat=does.moves_seat,
        frees_seat=does.frees_kept_seat,
        fields=[name for name in brings.columns if not (private and name in {"institution", "position_title"})],
        answers=[question.code for question in brings.answers if told or not question.sensitive],
        sessions=named([*brings.picks, *(theirs for _, theirs in brings.better)]),
        left_sessions=named(brings.clashing),
        companions=brings.companions,
        letters=brings.letters,
    )


def _alike(found: Alike) -> AlikeShape:
    pairs = [
        PairShape(first=one.first.code, second=one.second.code, reasons=[reason.value for reason in one.reasons])
        for one in found.pairs
    ]
    return AlikeShape(people=[one.code for one in found.people], pairs=pairs)
