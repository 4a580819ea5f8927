"""What a forum asks beside the usual details, and the day on which what is sensitive is purged."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Door, Matching, Reading, Writing
from app.api.inputs import PlaceInput, RetentionInput, RetiredInput, sent
from app.api.shapes.forum import QuestionShape, RetentionShape
from app.api.shapes.general import Changed, Coded, Page
from app.api.speakers import Slug
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import NotFound
from app.registration import questioning
from app.registration.inputs import QuestionInput
from app.registration.question_queries import QuestionView, questions_of
from app.registration.retaining import EMPTIED, dry_run, put_retention, retention_of

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["forum"])
QUESTION = {
    "code": "arrival",
    "kind": "date",
    "label": {"en": "When do you arrive?", "km": "តើលោកអ្នកមកដល់ពេលណា?"},
    "why": {"en": "So that somebody meets you.", "km": "ដើម្បីឱ្យមានអ្នកទទួល។"},
}


@router.get("/questions", response_model=Page[QuestionShape])
async def list_questions(call: Reading) -> Response:
    """The questions in order, retired ones too; the list is whole. Takes `edit_forum`."""
    return await call.page(QuestionShape, lambda db: (_questions(db, call.by, call.forum), ""))


@router.get("/questions/{code}", response_model=QuestionShape)
async def get_question(call: Reading, code: Slug) -> Response:
    """One question. Takes `edit_forum`."""
    return await call.one(lambda db: question_shape(db, call.by, call.forum, code))


@router.post("/questions", response_model=Coded, status_code=201)
async def add_question(call: Writing, question: Annotated[QuestionInput, sent(**QUESTION)]) -> Response:
    """One more question, behind the others."""

    def deed(db: Db, forum: Forum, now: datetime) -> Coded:
        questioning.save_question(db, call.by, forum, question, now=now)
        return Coded(code=question.code)

    return await call.write(deed, status=201, made="code")


@router.put("/questions/{code}", response_model=QuestionShape)
async def change_question(call: Matching, code: Slug, question: Annotated[QuestionInput, sent(**QUESTION)]) -> Response:
    """Bring a question to what is sent; its code stays."""

    def deed(db: Db, forum: Forum, now: datetime) -> QuestionShape:
        edition, mine = question_shape(db, call.by, forum, code).edition, question.model_copy(update={"code": code})
        questioning.save_question(db, call.by, forum, mine, now=now, edition=edition)
        return question_shape(db, call.by, forum, code)

    return await call.write(deed, present=lambda db, forum: question_shape(db, call.by, forum, code))


@router.post("/questions/{code}/place", response_model=Changed)
async def place_question(call: Writing, code: Slug, to: Annotated[PlaceInput, sent(up=True)]) -> Response:
    """One place up or down in the order of questions."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=questioning.place_question(db, call.by, forum, code, up=to.up, now=now))

    return await call.write(deed)


@router.post("/questions/{code}/retirement", response_model=Changed)
async def retire_question(call: Writing, code: Slug, to: Annotated[RetiredInput, sent(retired=True)]) -> Response:
    """Ask it no more, or again; its answers stay."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        done = questioning.retire_question(db, call.by, forum, code, retired=to.retired, now=now)
        return Changed(changed=done)

    return await call.write(deed)


@router.get("/retention", response_model=RetentionShape)
async def get_retention(call: Reading) -> Response:
    """The day of the purge, and how much would be emptied if it were now. Takes `edit_forum`."""

    def read(db: Db) -> RetentionShape:
        call.by.must(Permission.EDIT_FORUM, forum_id(call.forum))
        found = dry_run(db, call.by, call.forum, now=clock.now())
        emptied = {name: int(getattr(found, name)) for name in EMPTIED}
        return RetentionShape(retention_on=retention_of(db, call.forum), emptied=emptied)

    return await call.one(read)


@router.post("/retention", response_model=Changed)
async def set_retention(call: Writing, to: Annotated[RetentionInput, sent(retention_on="2027-06-30")]) -> Response:
    """Set the day of the purge, or none."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=put_retention(db, call.by, forum, to.retention_on, now=now))

    return await call.write(deed)


def _questions(db: Db, by: Actor, forum: Forum) -> list[QuestionShape]:
    by.must(Permission.EDIT_FORUM, forum_id(forum))
    return [_question(one) for one in questions_of(db, forum_id(forum), retired=True)]


def question_shape(db: Db, by: Actor, forum: Forum, code: str) -> QuestionShape:
    """A question as it would be sent. Raises NotFound. One query."""
    found = next((one for one in _questions(db, by, forum) if one.question.code == code), None)
    if found is None:
        raise NotFound
    return found


def _question(view: QuestionView) -> QuestionShape:
    names = ("code", "categories", "label", "why", "required", "sensitive", "shown_if", "shown_for")
    told: dict[str, Any] = {name: getattr(view, name) for name in names}
    options = [{"value": value, "label": label} for value, label in view.options]
    told |= {"kind": view.kind, "help": view.help or None, "options": options}
    return QuestionShape(edition=view.edition, retired=view.retired, question=QuestionInput.model_validate(told))
