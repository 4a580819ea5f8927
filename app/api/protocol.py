"""What protocol keeps: the order of precedence with its ladder, one person's rank, and the head table."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Door, Matching, Reading, Writing
from app.api.inputs import PlaceInput, sent
from app.api.registrations import After, Code, Limit
from app.api.shapes.general import Changed, Coded, Page
from app.api.shapes.protocol import (
    RUNG,
    HeadTableShape,
    LadderShape,
    RankedLine,
    RankShape,
    RungShape,
    SeatShape,
)
from app.api.speakers import Slug
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import NotFound
from app.kit.inputs import Input, Line
from app.registration import head_table, ranking
from app.registration.desk_queries import desk_registration
from app.registration.head_table import ExchangeInput, TableInput
from app.registration.rank_inputs import RankInput, RungInput
from app.registration.rank_queries import Ranked, RungView, ladder_of, people_in_order, rank_of, rung_now

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["protocol"])


class AlphabetInput(Input):
    """The language in which countries are put in order."""

    alphabet: Literal["en", "fr", "km"]


class SetTableInput(TableInput):
    """Who sits at the head table, by the codes of their registrations; the host "" where they are not registered."""

    guests: Annotated[tuple[Line, ...], Field(max_length=200)]
    host: Line = ""


class SeenExchangeInput(ExchangeInput):
    """Two seats to be exchanged, and the edition of the table as you have seen it."""

    edition: Annotated[int, Field(ge=0, le=2**31 - 1)]


@router.get("/precedence", response_model=Page[RankedLine])
async def list_precedence(call: Reading, after: After = "", limit: Limit = 50) -> Response:
    """Everybody seated in the hall, in the order of precedence. Takes `see_people`.

    The mark is of a person: 404 where they stand there no more."""

    def read(db: Db) -> tuple[list[RankedLine], str]:
        lines = _lines(people_in_order(db, call.by, call.forum, ladder_of(db, forum_id(call.forum))))
        begin = next((at for at, line in enumerate(lines, 1) if line.code == after), None) if after else 0
        if begin is None:
            raise NotFound
        part = lines[begin : begin + limit]
        return part, part[-1].code if begin + limit < len(lines) else ""

    return await call.page(RankedLine, read, limit=limit)


@router.get("/ladder", response_model=LadderShape)
async def get_ladder(call: Reading) -> Response:
    """The rungs by which people stand in order. Takes `see_people`."""

    def read(db: Db) -> LadderShape:
        call.by.must(Permission.SEE_PEOPLE, forum_id(call.forum))
        ladder = ladder_of(db, forum_id(call.forum))
        rungs = [_rung(one) for one in ladder.rungs]
        return LadderShape(alphabet=ladder.alphabet, is_usual=ladder.is_usual, rungs=rungs)

    return await call.one(read)


@router.post("/ladder/alphabet", response_model=Changed)
async def choose_alphabet(call: Writing, to: Annotated[AlphabetInput, sent(alphabet="fr")]) -> Response:
    """Choose in which language countries are put in order. Takes `edit_protocol`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=ranking.choose_alphabet(db, call.by, forum, to.alphabet, now=now))

    return await call.write(deed)


@router.get("/rungs/{code}", response_model=RungShape)
async def get_rung(call: Reading, code: Slug) -> Response:
    """One rung. Takes `see_people`."""
    return await call.one(lambda db: rung_shape(db, call.by, call.forum, code))


@router.post("/rungs", response_model=Coded, status_code=201)
async def add_rung(call: Writing, rung: Annotated[RungInput, sent(**RUNG)]) -> Response:
    """One more rung, under the others. Takes `edit_protocol`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Coded:
        return Coded(code=ranking.add_rung(db, call.by, forum, rung, now=now))

    return await call.write(deed, status=201, made="code")


@router.put("/rungs/{code}", response_model=RungShape)
async def change_rung(call: Matching, code: Slug, rung: Annotated[RungInput, sent(**RUNG)]) -> Response:
    """Bring a rung to what is sent; its code and its place stay. Takes `edit_protocol`."""

    def deed(db: Db, forum: Forum, now: datetime) -> RungShape:
        edition = rung_shape(db, call.by, forum, code).edition
        ranking.change_rung(db, call.by, forum, code, rung, edition, now=now)
        return rung_shape(db, call.by, forum, code)

    return await call.write(deed, present=lambda db, forum: rung_shape(db, call.by, forum, code))


@router.delete("/rungs/{code}", status_code=204)
async def remove_rung(call: Matching, code: Slug) -> Response:
    """A rung goes on which nobody was put by hand. Takes `edit_protocol`."""

    def deed(db: Db, forum: Forum, now: datetime) -> None:
        ranking.remove_rung(db, call.by, forum, code, now=now)

    return await call.remove(deed, present=lambda db, forum: rung_shape(db, call.by, forum, code))


@router.post("/rungs/{code}/place", response_model=Changed)
async def place_rung(call: Writing, code: Slug, to: Annotated[PlaceInput, sent(up=True)]) -> Response:
    """One place up or down on the ladder. Takes `edit_protocol`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=ranking.place_rung(db, call.by, forum, code, up=to.up, now=now))

    return await call.write(deed)


@router.get("/registrations/{code}/precedence", response_model=RankShape)
async def get_rank(call: Reading, code: Code) -> Response:
    """Where one person stands, and what was said of it by hand. Takes `see_people`."""
    return await call.one(lambda db: rank_shape(db, call.by, call.forum, code))


@router.put("/registrations/{code}/precedence", response_model=RankShape)
async def put_rank(
    call: Matching,
    code: Code,
    rank: Annotated[RankInput, sent(rung="", since="2023-08-22", reason="")],
) -> Response:
    """Put one person on a rung with a reason, or ("") back under the ladder's own rule. Takes `edit_protocol`."""

    def deed(db: Db, forum: Forum, now: datetime) -> RankShape:
        # what the caller has seen was held against the present before
        said = rank_of(db, desk_registration(db, call.by, forum, code).row.id)
        ranking.rank_person(db, call.by, forum, code, rank, seen=ranking.rank_seen(said), now=now)
        return rank_shape(db, call.by, forum, code)

    return await call.write(deed, present=lambda db, forum: rank_shape(db, call.by, forum, code))


@router.get("/head-table", response_model=HeadTableShape)
async def get_head_table(call: Reading) -> Response:
    """The head table as it is set. Takes `see_people`."""
    return await call.one(lambda db: table_shape(db, call.by, call.forum))


@router.put("/head-table", response_model=HeadTableShape)
async def set_head_table(
    call: Matching,
    table: Annotated[SetTableInput, sent(seats=8, shape="row", guests=[], host="")],
) -> Response:
    """Set the table for these people in their order of precedence; exchanges are undone. Takes `edit_protocol`."""

    def deed(db: Db, forum: Forum, now: datetime) -> HeadTableShape:
        edition = head_table.table_of(db, call.by, forum).edition
        head_table.set_table(db, call.by, forum, table, table.guests, table.host, edition, now=now)
        return table_shape(db, call.by, forum)

    return await call.write(deed, present=lambda db, forum: table_shape(db, call.by, forum))


@router.post("/head-table/exchange", response_model=Changed)
async def exchange_seats(
    call: Writing,
    seats: Annotated[SeenExchangeInput, sent(first=1, second=2, reason="They asked to", edition=3)],
) -> Response:
    """Let the people of two seats change places, or one move to an empty seat. Takes `edit_protocol`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        head_table.exchange(db, call.by, forum, seats, seats.edition, now=now)
        return Changed(changed=True)

    return await call.write(deed)


def rung_shape(db: Db, by: Actor, forum: Forum, code: str) -> RungShape:
    """A rung. Raises NotFound. Two queries."""
    by.must(Permission.SEE_PEOPLE, forum_id(forum))
    found = ladder_of(db, forum_id(forum)).named(code)
    if found is None:
        raise NotFound
    return _rung(found)


def rank_shape(db: Db, by: Actor, forum: Forum, code: str) -> RankShape:
    """One person's rank. Raises NotFound, of whoever was erased too. Eight queries at most."""
    found, own = desk_registration(db, by, forum, code), forum_id(forum)
    if found.row.erased_at is not None:
        raise NotFound
    said = rank_of(db, found.row.id)
    stands, put = rung_now(db, own, found.row, found.category.code) if found.category.in_hall else (None, False)
    return RankShape(
        code=code,
        stands_on=stands.code if stands else None,
        put=put,
        rung=(said.rung or "") if said else "",
        since=said.since if said else None,
        reason=said.reason if said else "",
    )


def table_shape(db: Db, by: Actor, forum: Forum) -> HeadTableShape:
    """The head table. Five queries at most."""
    there = head_table.table_of(db, by, forum)
    lines = {line.code: line for line in _lines(there.people)}
    at = {seat: lines[one.row.code] for seat, one in there.at.items()}
    plan = there.plan
    return HeadTableShape(
        edition=there.edition,
        seats=there.seats,
        shape=there.shape.value,
        head=list(plan.head),
        left_arm=list(plan.left_arm),
        right_arm=list(plan.right_arm),
        at=[SeatShape(seat=seat, guest=at.get(seat)) for seat in range(there.seats + 1)],
    )


def _rung(one: RungView) -> RungShape:
    return RungShape(code=one.code, edition=one.edition, rung=ranking.as_input(one))


def _lines(people: Sequence[Ranked]) -> list[RankedLine]:
    return [_line(place, one) for place, one in enumerate(people, 1)]


def _line(place: int, one: Ranked) -> RankedLine:
    """Somebody in the order; in a private capacity without function, institution and delegation (rules §2)."""
    row, is_private = one.row, one.row.attends_as == "private"
    return RankedLine(
        place=place,
        code=row.code,
        titles=list(row.titles or ()),
        family_name=row.family_name,
        given_name=row.given_name,
        name_km=row.name_km,
        display_name=row.display_name,
        category=row.category,
        attends_as=row.attends_as,
        position_title="" if is_private else row.position_title,
        institution="" if is_private else row.delegation_name or row.institution,
        heads_delegation=row.heads_delegation and not is_private,
        since=row.since,
        rung=one.rung.code if one.rung else None,
        put=one.put,
    )
