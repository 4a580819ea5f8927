"""The desk's lists as files: each with columns of one's choice, the registrations, and the list of participants."""

from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import Response

from app.api.asking import Question
from app.api.calling import Call, Door, Query, Reading, Writing
from app.api.giving import MEDIA, PDF, file_answer, gives, reader, sealed, table_answer
from app.api.inputs import sent
from app.api.seats import Number
from app.api.shapes.general import Page
from app.api.shapes.lists import ColumnShape, ListShape, ParticipantListShape
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import NotFound
from app.kit.i18n import text_of
from app.kit.inputs import Input, Line
from app.registration import participant_lists
from app.registration.exporting import COLUMNS, note_export, people_to_export
from app.registration.participant_lists import Issue, LayoutInput, kept_issue, kept_lists, lines_kept, lines_now
from app.reports.lists import BY_NAME, LISTS, Column, Listed
from app.reports.registrations import as_row, heading
from app.reports.tables import Cell
from app.reports.taking import columns_chosen, note_taken

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["protocol"])
Name = Annotated[str, Path(pattern=r"^[a-z][a-z-]{0,31}$", description="A name of `GET /lists`.", examples=["rooms"])]
Columns = Annotated[tuple[Line, ...], Field(max_length=60)]
T = TypeVar("T")
Rows = list[list[Cell]]
TABLES = tuple(MEDIA.values())
PRINTED = (PDF, MEDIA["xlsx"])


class ColumnsInput(Input):
    """The columns of a file, in any order; they stand in the list's own."""

    columns: Columns


class ExportInput(Question):
    """Which registrations, with all that `GET /registrations` may be asked, and the columns of the file."""

    columns: Annotated[Columns, Field(description=f"Of these: {', '.join(COLUMNS)}.")]

    @property
    def noted(self) -> dict[str, str]:
        """The question as the fact of an export keeps it: whatever else was asked as an address would have it."""
        asked = self.model_dump(mode="json", exclude={"columns"}, exclude_defaults=True)
        more = urlencode(asked, doseq=True) if self.wanted.further.asked else ""
        return {"state": self.state, "category": self.category, "words": self.q, "question": more}


class IssueInput(LayoutInput):
    """How a list of participants is set out, and whether it is final: kept under a number, as what it says."""

    final: bool = False


@router.get("/lists", response_model=Page[ListShape])
async def list_lists(call: Reading) -> Response:
    """The lists that the token may take as files, each with its columns; the list is whole."""
    who = reader(call)
    shown = [
        ListShape(
            name=one.name,
            title=text_of(who.lang, f"lists.name.{one.name}"),
            columns=[ColumnShape(name=each.name, usual=each.usual) for each in one.offered(who)],
        )
        for one in LISTS
        if one.is_for(who)
    ]
    return await call.page(ListShape, lambda _db: (shown, ""))


@router.post("/lists/{name}/file", **gives(*TABLES))
async def take_list(call: Writing, name: Name, chosen: Annotated[ColumnsInput, sent(columns=["code"])]) -> Response:
    """A list as a workbook or as CSV, as `Accept` says; that it was taken is a fact. Takes what the list needs."""
    listed, who = BY_NAME.get(name), reader(call)
    if listed is None:
        raise NotFound
    columns = columns_chosen(chosen.columns, [one.name for one in _offered(call, listed)])

    def read(db: Db) -> Rows:
        return [[line.get(each) for each in columns] for line in listed.read(db, who)]

    rows, inside = await _read(call, read)

    def deed(db: Db, forum: Forum, now: datetime) -> dict[str, Any]:
        note_taken(db, call.by, forum, name, columns, _kind(call), len(rows), needs=listed.needs, now=now)
        return {}

    await call.note(deed, lambda _db: inside)
    headings = [text_of(who.lang, f"lists.column.{each}") for each in columns]
    title = text_of(who.lang, f"lists.name.{name}")
    return await table_answer(call, f"{call.forum.slug}-{name}", headings, rows, title)


@router.post("/registrations/file", **gives(*TABLES))
async def take_registrations(
    call: Writing, wanted: Annotated[ExportInput, sent(state="confirmed", columns=["code", "listed_name", "category"])]
) -> Response:
    """The registrations as a workbook or as CSV, as `Accept` says; that they were taken is a fact. Takes
    `export_people`."""
    who = reader(call)
    columns = columns_chosen(wanted.columns, COLUMNS)

    def read(db: Db) -> Rows:
        found = (as_row(who, person) for person in people_to_export(db, call.by, call.forum, wanted.wanted))
        return [[row[each] for each in columns] for row in found]

    rows, inside = await _read(call, read)

    def deed(db: Db, forum: Forum, now: datetime) -> dict[str, Any]:
        note_export(db, call.by, forum, columns, len(rows), wanted.noted, now=now)
        return {}

    await call.note(deed, lambda _db: inside)
    headings = [heading(who.lang, each) for each in columns]
    return await table_answer(call, "registrations", headings, rows, text_of(who.lang, "export.sheet"))


@router.get("/participants", response_model=Page[ParticipantListShape])
async def list_participant_lists(call: Reading) -> Response:
    """The final lists of participants there are, the newest first; the list is whole. Takes `export_people`."""

    def read(db: Db) -> tuple[list[ParticipantListShape], str]:
        return [
            ParticipantListShape(number=one.number, made_at=one.made_at, people=one.people, **one.layout.model_dump())
            for one in kept_lists(db, call.by, call.forum)
        ], ""

    return await call.page(ParticipantListShape, read)


@router.post("/participants/file", **gives(*PRINTED))
async def give_participants(
    call: Writing, asked: Annotated[IssueInput, sent(language="both", group="category", all_live=False, final=False)]
) -> Response:
    """The list of participants in protocol's order, as PDF or workbook as `Accept` says. Takes `export_people`, a
    final one, which is kept, `edit_protocol`."""
    layout = LayoutInput(language=asked.language, group=asked.group, all_live=asked.all_live)
    lines, inside = await _read(call, lambda db: lines_now(db, call.by, call.forum, layout))
    given: list[Issue] = []

    def deed(db: Db, forum: Forum, now: datetime) -> dict[str, Any]:
        made = participant_lists.issue(db, call.by, forum, layout, lines, _kind(call), final=asked.final, now=now)
        given.append(made)
        return {"number": made.number, "at": made.made_at.isoformat()}

    told = await call.note(deed, lambda _db: inside)
    # sent again, it is the same list, which was not given out anew
    same = Issue(told["number"], datetime.fromisoformat(told["at"]), layout, [line for _, line in lines])
    return await _issued(call, given[-1] if given else same)


@router.post("/participants/{number}/file", **gives(*PRINTED))
async def give_participants_again(call: Writing, number: Number) -> Response:
    """A final list again, as it was given out but for whoever had themselves erased since. Takes `export_people`."""
    issue = await call.behind.read(lambda db: lines_kept(db, call.by, call.forum, number))

    def deed(db: Db, forum: Forum, now: datetime) -> dict[str, Any]:
        kept_issue(db, call.by, forum, number, _kind(call), now=now)
        return {}

    inside = sealed(call, issue.lines)
    await call.note(deed, lambda _db: inside)
    return await _issued(call, issue)


async def _read(call: Call, query: Query[T]) -> tuple[T, str]:
    """A list and the digest of what is in it, read apart: it may be of a hundred thousand."""

    def read(db: Db) -> tuple[T, str]:
        found = query(db)
        return found, sealed(call, found)

    return await call.behind.read_long(read, replica=True)


def _offered(call: Call, listed: Listed) -> list[Column]:
    """The columns there are for the caller. Raises Forbidden without what the list needs."""
    for need in listed.needs:
        call.by.must(need, forum_id(call.forum))
    return listed.offered(reader(call))


def _kind(call: Call) -> str:
    """The kind of file that the caller takes, as facts name it."""
    return {PDF: "pdf", **{media: kind for kind, media in MEDIA.items()}}[call.kind]


async def _issued(call: Call, issue: Issue) -> Response:
    from app.kit.printing import pdf  # noqa: PLC0415 - typefaces are read only where somebody has something printed
    from app.reports import participants  # noqa: PLC0415 - as above

    kind = _kind(call)

    def made() -> bytes:
        if kind == "xlsx":
            return participants.workbook_of(call.forum, issue)
        return pdf("print/participants.typ", participants.printed_values(call.forum, issue), at=issue.made_at)

    stands = f"final-{issue.number}" if issue.number else "provisional"
    name = f"{call.forum.slug}-participants-{stands}-{issue.layout.language}.{kind}"
    return file_answer(call, name, await call.behind.apart(made), call.kind)
