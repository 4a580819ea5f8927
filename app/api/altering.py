"""Several sessions brought to something at once: a table, another edition's programme, a version, or what was before
edits made together.

What it would change is looked at first; its mark says to the second request what was seen.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from app.accounts.rules import Permission
from app.api.calling import Call, Door, FileAnswer, Reading, Writing, file_sent
from app.api.inputs import CopyingInput, ImportInput, ReturnInput, sent
from app.api.problems import KEPT_BY_NOBODY, sentence
from app.api.seats import Number
from app.api.shapes.altering import (
    AlterationNoteShape,
    AlterationShape,
    AlteredSession,
    AlteredShape,
    CellShape,
    CopyShape,
    ImportShape,
    TogetherShape,
)
from app.api.shapes.programme import ConflictShape
from app.forum.inputs import Slug
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.i18n import Lang
from app.kit.inputs import parse
from app.kit.sheets import MOST_BYTES, MOST_ROWS, csv_file, workbook
from app.programme.altering import Alteration, Altered, Wanted, foresee
from app.programme.copying import copy_programme, look_at_copy
from app.programme.inputs import AlterInput, CopyInput, FirstDay
from app.programme.receiving import rows_in_file, sealed, unsealed
from app.programme.reverting import Since, before_together, of_version, take_back_together, take_back_version
from app.programme.rules.conflicts import Conflict
from app.programme.tabling import Table, headings, import_table, look_at, rows_of

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["programme"])
EDIT = Permission.EDIT_PROGRAMME
KINDS = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
MARK = "0f3c9d0e3b6a4b1f8f0f2b7f4a0e1d2c"
MOST_FAULTS = 200
"""So many things that are wrong with one table are told: each may have a thousand rows of twenty columns."""
TABLE = file_sent(
    f"The table itself: CSV in UTF-8 or UTF-16, or the first sheet of an XLSX workbook, with the names of its columns"
    f" above; at most {MOST_ROWS} rows and {MOST_BYTES // 1000} kB. `GET /programme/table` gives one to begin with.",
    *KINDS.values(),
    "application/octet-stream",
)


SourceToken = Annotated[
    str,
    Header(
        description="A token of the same user for the other forum: each knows one alone.",
        examples=["sala_…"],
        max_length=200,
    ),
]


@router.get(
    "/programme/table",
    response_class=FileAnswer,
    responses={200: {"content": {kind: {} for kind in KINDS.values()}}},
)
async def get_table(call: Reading, kind: Literal["csv", "xlsx"] = "csv") -> Response:
    """The working copy as a table, which can be edited and sent back to be imported. Takes `edit_programme`."""

    def read(db: Db) -> bytes:
        call.by.must(EDIT, forum_id(call.forum))
        rows = rows_of(db, call.forum)
        return csv_file(headings(), rows) if kind == "csv" else workbook(headings(), rows, call.forum.slug)

    body = await call.behind.read_long(read)
    headers = {**KEPT_BY_NOBODY, "content-disposition": f'attachment; filename="programme.{kind}"'}
    return Response(body, headers=headers, media_type=KINDS[kind])


@router.post("/programme/import/trial", response_model=ImportShape, openapi_extra=TABLE)
async def look_at_import(call: Reading) -> Response:
    """What importing a table would change, or what is wrong with it by row and column; nothing is written, so it takes
    no key. Sessions that it does not name would stay as they are. Takes `edit_programme`."""

    def look(db: Db, body: bytes) -> ImportShape:
        rows = rows_in_file(body)
        found = look_at(db, call.forum, rows)
        seen = found.alteration
        return ImportShape(
            alteration=alteration_shape(call, seen) if seen else None,
            faults=_faults(call.lang, found),
            wrong=len(found.faults),
            ignored=list(found.ignored),
            unchanged=len(found.wanted) - len(seen.wanted) if seen else 0,
            table=sealed(call.secret, call.forum.slug, rows) if seen and seen.can_be_done else None,
        )

    async with call.file(EDIT) as body:
        return await call.foreseen(lambda db: look(db, body), long=True)


@router.post("/programme/import", response_model=AlteredShape)
async def import_programme(
    call: Writing, looked_at: Annotated[ImportInput, sent(table="eJyLjlZKzk9JVdJRSk…", mark=MARK, reason="")]
) -> Response:
    """Import the table that was looked at; 409 `working_copy_changed` where it would change something else by now, so
    look again. A reason lets the conflicts stand that it makes."""

    def deed(db: Db, forum: Forum, now: datetime) -> AlteredShape:
        call.by.must(EDIT, forum_id(forum))
        rows = unsealed(call.secret, forum.slug, looked_at.table)
        return _done(import_table(db, call.by, forum, rows, mark=looked_at.mark, now=now, reason=looked_at.reason))

    return await call.write(deed)


@router.get("/programme/copy", response_model=CopyShape)
async def look_at_copying(
    call: Reading,
    source: Annotated[Slug, Query(description="The other forum.", examples=["siem-reap-2028"])],
    first_day: Annotated[
        FirstDay, Query(description="The day that its first day becomes here.", examples=["2027-03-23"])
    ],
    speakers: Annotated[bool, Query(description="Whether its speakers come along.")] = False,
    closed: Annotated[bool, Query(description="Whether its closed sessions come along.")] = False,
    source_token: SourceToken = "",
) -> Response:
    """What copying another edition's programme would change. Takes `edit_programme`, and a token for the other."""
    by = await call.seeing(source_token)
    what = _copying(source, first_day, speakers, closed)

    def read(db: Db) -> CopyShape:
        found = look_at_copy(db, by, call.forum, what)
        return CopyShape(alteration=alteration_shape(call, found.alteration), speakers=sorted(found.speakers.values()))

    return await call.one(read)


@router.post("/programme/copy", response_model=AlteredShape)
async def copy_sessions(
    call: Writing,
    seen: Annotated[CopyingInput, sent(source="siem-reap-2028", first_day="2027-03-23", mark=MARK)],
    source_token: SourceToken = "",
) -> Response:
    """Copy another edition's programme into the working copy, as it was looked at."""
    by = await call.seeing(source_token)
    what = _copying(seen.source, seen.first_day, seen.speakers, seen.closed)

    def deed(db: Db, forum: Forum, now: datetime) -> AlteredShape:
        return _done(copy_programme(db, by, forum, what, mark=seen.mark, now=now, reason=seen.reason))

    return await call.write(deed)


def _copying(source: str, first_day: date, speakers: bool, closed: bool) -> CopyInput:
    boxes = {name: "yes" for name, ticked in (("speakers", speakers), ("closed", closed)) if ticked}
    return parse(CopyInput, {"source": source, "first_day": first_day, **boxes})


@router.get("/edits/together/{number}", response_model=TogetherShape)
async def get_together(call: Reading, number: Number) -> Response:
    """Edits that were made together, and what taking all of them back would change. Takes `edit_programme`."""

    def read(db: Db) -> TogetherShape:
        call.by.must(EDIT, forum_id(call.forum))
        made = before_together(db, call.forum, number)
        return TogetherShape(
            number=number,
            kind=made.kind,
            at=made.at,
            by_name=made.by_name,
            since=list(made.since),
            alteration=alteration_shape(call, foresee(db, call.forum, made.wanted)),
        )

    return await call.one(read)


@router.post("/edits/together/{number}/undo", response_model=AlteredShape)
async def undo_together(call: Writing, number: Number, seen: Annotated[AlterInput, sent(mark=MARK)]) -> Response:
    """Take edits back that were made together, as it was looked at."""

    def deed(db: Db, forum: Forum, now: datetime) -> AlteredShape:
        return _done(take_back_together(db, call.by, forum, number, mark=seen.mark, now=now, reason=seen.reason))

    return await call.write(deed)


@router.get("/versions/{number}/return", response_model=AlterationShape)
async def look_at_return(
    call: Reading,
    number: Number,
    since: Annotated[Since, Query(description="What becomes of sessions that came since.")] = "leave",
) -> Response:
    """What taking a version's sessions back into the working copy would change. Takes `edit_programme`."""

    def read(db: Db) -> AlterationShape:
        call.by.must(EDIT, forum_id(call.forum))
        return alteration_shape(call, foresee(db, call.forum, of_version(db, call.forum, number, since)))

    return await call.one(read)


@router.post("/versions/{number}/return", response_model=AlteredShape)
async def return_to_version(
    call: Writing, number: Number, seen: Annotated[ReturnInput, sent(mark=MARK, since="leave")]
) -> Response:
    """Take a version's sessions back into the working copy, as it was looked at; nothing is published by it."""

    def deed(db: Db, forum: Forum, now: datetime) -> AlteredShape:
        return _done(
            take_back_version(db, call.by, forum, number, seen.since, mark=seen.mark, now=now, reason=seen.reason)
        )

    return await call.write(deed)


def alteration_shape(call: Call, seen: Alteration) -> AlterationShape:
    """What would change, for a caller who edits the programme."""
    return AlterationShape(
        mark=seen.mark,
        can_be_done=seen.can_be_done,
        changes=[_session(call.lang, one) for one in seen.wanted],
        untouched=list(seen.untouched),
        conflicts=[_conflict(one) for one in seen.found],
        gaps=list(seen.gaps),
    )


def _session(lang: Lang, one: Wanted) -> AlteredSession:
    before, after = one.before.draft if one.before else None, one.after
    named = after or before
    return AlteredSession(
        kind=one.kind,
        code=named.code if named else "",
        row=one.row,
        before=before,
        after=after,
        notes=[
            AlterationNoteShape(field=note.field, code=note.code, detail=sentence(lang, note)) for note in one.notes
        ],
    )


def _conflict(one: Conflict) -> ConflictShape:
    return ConflictShape(
        kind=one.kind.value, hard=one.hard, codes=list(one.codes), where=list(one.where), by=one.by, reason=None
    )


def _faults(lang: Lang, found: Table) -> list[CellShape]:
    return [
        CellShape(
            row=one.row,
            letter=one.letter,
            column=one.column,
            code=one.fault.code,
            detail=sentence(lang, one.fault),
        )
        for one in found.faults[:MOST_FAULTS]
    ]


def _done(altered: Altered) -> AlteredShape:
    return AlteredShape(number=altered.number, sessions=altered.sessions)
