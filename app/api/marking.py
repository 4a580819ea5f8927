"""What the desk writes down about registrations: tags, notes, and details that are put right."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Door, Matching, Reading, Writing
from app.api.inputs import sent
from app.api.people_inputs import DetailsInput, MarksInput
from app.api.registrations import Code
from app.api.seats import Number
from app.api.shapes.general import Numbered, Page
from app.api.shapes.marking import DetailsShape, MarksShape, NoteShape, TagShape
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import NotFound
from app.registration import correcting, noting, tagging
from app.registration.correcting import FIELDS
from app.registration.desk_inputs import NoteInput, TagInput

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["registrations"])
TAG = {"name": "Front row", "letter": "F", "tone": "red"}
WITHHELD = frozenset({"institution", "position_title"})
"""What of somebody in a private capacity no list and no answer tells (rules §2)."""


@router.get("/tags", response_model=Page[TagShape])
async def list_tags(call: Reading) -> Response:
    """The forum's tags by name; the list is whole. Takes `see_people`."""
    return await call.page(TagShape, lambda db: (tagging.tags_of(db, call.by, call.forum), ""))


@router.get("/tags/{number}", response_model=TagShape)
async def get_tag(call: Reading, number: Number) -> Response:
    """One tag."""
    return await call.one(lambda db: _tag(db, call.by, call.forum, number))


@router.post("/tags", response_model=Numbered, status_code=201)
async def make_tag(call: Writing, tag: Annotated[TagInput, sent(**TAG)]) -> Response:
    """One more tag. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Numbered:
        return Numbered(id=tagging.put_tag(db, call.by, forum, tag, now=now))

    return await call.write(deed, status=201, made="id")


@router.put("/tags/{number}", response_model=TagShape)
async def change_tag(call: Matching, number: Number, tag: Annotated[TagInput, sent(**TAG)]) -> Response:
    """Another name, letter or tone; what it marks stays marked. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> TagShape:
        tagging.put_tag(db, call.by, forum, tag, number, now=now)
        return _tag(db, call.by, forum, number)

    return await call.write(deed, present=lambda db, forum: _tag_to_change(db, call.by, forum, number))


@router.delete("/tags/{number}", status_code=204)
async def remove_tag(call: Matching, number: Number) -> Response:
    """A tag goes, and with it its marks. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> None:
        tagging.remove_tag(db, call.by, forum, number, now=now)

    return await call.remove(deed, present=lambda db, forum: _tag_to_change(db, call.by, forum, number))


@router.get("/registrations/{code}/tags", response_model=MarksShape)
async def get_marks(call: Reading, code: Code) -> Response:
    """The tags that a registration is marked with. Takes `see_people`."""
    return await call.one(lambda db: MarksShape(tags=tagging.tags_on(db, call.by, call.forum, code)))


@router.put("/registrations/{code}/tags", response_model=MarksShape)
async def change_marks(call: Matching, code: Code, marks: Annotated[MarksInput, sent(tags=[])]) -> Response:
    """Bring a registration's tags to these. Takes `decide_registrations`."""

    def present(db: Db, forum: Forum) -> MarksShape:
        call.by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
        return MarksShape(tags=tagging.tags_on(db, call.by, forum, code))

    def deed(db: Db, forum: Forum, now: datetime) -> MarksShape:
        tagging.put_tags(db, call.by, forum, code, marks.tags, now=now)
        return present(db, forum)

    return await call.write(deed, present=present)


@router.get("/registrations/{code}/notes", response_model=Page[NoteShape])
async def list_notes(call: Reading, code: Code) -> Response:
    """The desk's notes about a registration, the newest first; the list is whole. Takes `see_people`."""
    return await call.page(NoteShape, lambda db: (noting.notes_about(db, call.by, call.forum, code), ""))


@router.get("/registrations/{code}/notes/{number}", response_model=NoteShape)
async def get_note(call: Reading, code: Code, number: Number) -> Response:
    """One note."""
    return await call.one(lambda db: _note(db, call.by, call.forum, code, number))


@router.post("/registrations/{code}/notes", response_model=Numbered, status_code=201)
async def write_note(
    call: Writing, code: Code, note: Annotated[NoteInput, sent(words="Arrives late on the first day")]
) -> Response:
    """Write a note down, for colleagues; whom it is about reads it among what is held of them. Takes `see_people`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Numbered:
        return Numbered(id=noting.write_note(db, call.by, forum, code, note, now=now))

    return await call.write(deed, status=201, made="id")


@router.delete("/registrations/{code}/notes/{number}", status_code=204)
async def remove_note(call: Matching, code: Code, number: Number) -> Response:
    """Take a note out: one of the user's own, or any with `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> None:
        noting.remove_note(db, call.by, forum, code, number, now=now)

    return await call.remove(deed, present=lambda db, forum: _note(db, call.by, forum, code, number))


@router.get("/registrations/{code}/details", response_model=DetailsShape)
async def get_details(call: Reading, code: Code) -> Response:
    """The details that may be put right. Takes `decide_registrations`."""
    return await call.one(lambda db: _details(db, call.by, call.forum, code))


@router.put("/registrations/{code}/details", response_model=DetailsShape)
async def correct_details(
    call: Matching,
    code: Code,
    details: Annotated[
        DetailsInput,
        sent(
            family_name="Sok",
            given_name="Vanna",
            name_km="សុខ វណ្ណា",
            institution="A university",
            position_title="",
            country="KH",
            attends_as="official",
        ),
    ],
) -> Response:
    """Put details right; everything else of the person stays. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> DetailsShape:
        edition = correcting.to_correct(db, call.by, forum, code).edition
        correcting.put_right(db, call.by, forum, code, details.model_dump(exclude_none=True), edition, now=now)
        return _details(db, call.by, forum, code)

    return await call.write(deed, present=lambda db, forum: _details(db, call.by, forum, code))


def _tag(db: Db, by: Actor, forum: Forum, number: int) -> TagShape:
    return TagShape.model_validate(tagging.tag_of(db, by, forum, number))


def _tag_to_change(db: Db, by: Actor, forum: Forum, number: int) -> TagShape:
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    return _tag(db, by, forum, number)


def _note(db: Db, by: Actor, forum: Forum, code: str, number: int) -> NoteShape:
    for note in noting.notes_about(db, by, forum, code):
        if note.id == number:
            return NoteShape.model_validate(note)
    raise NotFound


def _details(db: Db, by: Actor, forum: Forum, code: str) -> DetailsShape:
    row = correcting.to_correct(db, by, forum, code)
    private = row.attends_as == "private"
    told: dict[str, Any] = {name: None if private and name in WITHHELD else getattr(row, name) for name in FIELDS}
    return DetailsShape(edition=row.edition, details=DetailsInput.model_construct(**told))
