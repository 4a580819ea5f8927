"""Registrations: read, decided, moved, entered; beside the queue too."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.asking import ListQuestion
from app.api.calling import Call, Door, FileAnswer, Reading, Writing
from app.api.inputs import EnteredInput, sent
from app.api.problems import KEPT_BY_NOBODY
from app.api.shapes.general import Page
from app.api.shapes.people import AnswerShape, FactShape, RegistrationLine, RegistrationShape, Standing
from app.audit.recording import history
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import NotFound
from app.registration import applying, entering, erasing, holding, overriding, reviewing
from app.registration.desk_queries import counted_by, desk_list, desk_registration, tallies
from app.registration.filing import Filed, desk_file
from app.registration.inputs import (
    DecisionInput,
    HeldBackInput,
    MoveInput,
    PriorityInput,
    ReasonInput,
    SureInput,
)
from app.registration.pick_queries import attendance_told
from app.registration.question_queries import Answered
from app.registration.quotas import house_of
from app.registration.rules.files import FileKind
from app.registration.tagging import tagged
from app.reports.history import leaving

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["registrations"])
Code = Annotated[str, Path(pattern=r"^[A-Z0-9][A-Z0-9-]{0,31}$", examples=["K3TP9QA"])]
QuestionCode = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", examples=["passport"])]
After = Annotated[str, Query(pattern=r"^[A-Za-z0-9-]{0,32}$", description="The mark of the part before.")]
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]


@router.get("/registrations", response_model=Page[RegistrationLine])
async def list_registrations(call: Reading, asked: Annotated[ListQuestion, Query()]) -> Response:
    """The registrations, with the questions and orders that the desk's list takes. Takes `see_people`."""
    wanted = asked.wanted

    def read(db: Db) -> tuple[list[Any], str]:
        call.by.must(Permission.SEE_PEOPLE, forum_id(call.forum))
        of = counted_by(tallies(db, call.by, call.forum), wanted)
        rows, more = desk_list(db, call.by, call.forum, wanted, most=asked.limit, of=of)
        marks = tagged(db, [row.id for row in rows])
        lines = [{**row._mapping, "tags": [tag.id for tag in marks.get(row.id, ())]} for row in rows]  # noqa: SLF001 - its public name
        return lines, rows[-1].code if more else ""

    again = asked.model_dump(mode="json", exclude={"after"}, exclude_unset=True)
    return await call.page(RegistrationLine, read, **again)


@router.get("/registrations/{code}", response_model=RegistrationShape)
async def get_registration(call: Reading, code: Code) -> Response:
    """One registration whole. Takes `see_people`; what is sensitive `see_sensitive`."""
    return await call.one(lambda db: whole(db, call.by, call.forum, code))


@router.get(
    "/registrations/{code}/answers/{question}/file",
    response_class=FileAnswer,
    responses={200: {"content": {kind.value: {} for kind in FileKind}}},
)
async def get_answer_file(call: Reading, code: Code, question: QuestionCode) -> Response:
    """The file that was sent as an answer. Takes `see_people`; of a sensitive question `see_sensitive`."""

    def read(db: Db) -> Filed:
        answers = desk_registration(db, call.by, call.forum, code).answers
        number = next((one.file for one in answers if one.question.code == question), None)
        if number is None:
            raise NotFound
        return desk_file(db, call.by, call.forum, code, number)

    found = await call.behind.read(read)
    headers = {"content-disposition": f'attachment; filename="{found.name}"'}
    headers["content-security-policy"] = "sandbox; default-src 'none'"
    return Response(found.body, headers={**KEPT_BY_NOBODY, **headers}, media_type=found.kind.value)


@router.post("/registrations", response_model=Standing, status_code=201)
async def enter_registration(
    call: Writing,
    entered: Annotated[
        EnteredInput,
        sent(
            person={
                "category": "STU",
                "language": "en",
                "family_name": "Sok",
                "given_name": "Vanna",
                "email": "vanna@university.example",
                "country": "KH",
                "institution": "A university",
                "consent": True,
            },
            note="By telephone",
        ),
    ],
) -> Response:
    """Register somebody: seated where the seat rule allows, else waiting. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Standing:
        asked = entering.enter(db, call.by, forum, entered.person, entered.note, call.key, call.secret, now=now)
        return standing(db, forum, asked.code)

    return await call.write(deed, status=201, made="code")


@router.post("/registrations/{code}/approval", response_model=Standing)
async def approve(call: Writing, code: Code, decision: Annotated[DecisionInput, sent(note="")]) -> Response:
    """Approve: a seat where one may be given, else a place in the queue."""
    return await _act(
        call, code, lambda db, forum, now: reviewing.approve(db, call.by, forum, code, now=now, note=decision.note)
    )


@router.post("/registrations/{code}/refusal", response_model=Standing)
async def decline(call: Writing, code: Code, decision: Annotated[DecisionInput, sent(note="")]) -> Response:
    """Decline; what it held goes to the next."""
    return await _act(
        call, code, lambda db, forum, now: reviewing.decline(db, call.by, forum, code, now=now, note=decision.note)
    )


@router.post("/registrations/{code}/cancellation", response_model=Standing)
async def cancel(call: Writing, code: Code, decision: Annotated[DecisionInput, sent(note="")]) -> Response:
    """Cancel on the person's behalf; the seat goes to the next."""
    return await _act(
        call, code, lambda db, forum, now: applying.cancel(db, call.by, forum, code, now=now, note=decision.note)
    )


@router.post("/registrations/{code}/category", response_model=Standing)
async def move(call: Writing, code: Code, to: Annotated[MoveInput, sent(category="THK", note="")]) -> Response:
    """Move to another category, the seat with it."""
    return await _act(
        call,
        code,
        lambda db, forum, now: reviewing.move(db, call.by, forum, code, to.category, now=now, note=to.note),
    )


@router.post("/registrations/{code}/confirmation", response_model=Standing)
async def confirm(call: Writing, code: Code) -> Response:
    """Confirm the address by hand."""
    return await _act(call, code, lambda db, forum, now: applying.confirm(db, call.by, forum, code, now=now))


@router.post("/registrations/{code}/seat", response_model=Standing)
async def seat_beyond(call: Writing, code: Code, why: Annotated[ReasonInput, sent(reason="A speaker")]) -> Response:
    """Seat beyond limit or guarantees, never beyond the capacity. Takes `seat_over_limits`."""
    return await _act(
        call, code, lambda db, forum, now: overriding.seat_beyond(db, call.by, forum, code, why.reason, now=now)
    )


@router.post("/registrations/{code}/hold-back", response_model=Standing)
async def seat_held_back(call: Writing, code: Code, on: Annotated[HeldBackInput, sent(hold_back=4)]) -> Response:
    """Seat on one of a hold-back's seats."""
    return await _act(
        call, code, lambda db, forum, now: holding.give_held(db, call.by, forum, on.hold_back, code, now=now)
    )


@router.post("/registrations/{code}/priority", response_model=Standing)
async def set_priority(
    call: Writing, code: Code, priority: Annotated[PriorityInput, sent(priority=1, reason="Speaks on the first day")]
) -> Response:
    """Let somebody go before others in the queue, or (0) no longer."""
    return await _act(
        call, code, lambda db, forum, now: overriding.set_priority(db, call.by, forum, code, priority, now=now)
    )


@router.post("/registrations/{code}/erasure", response_model=Standing)
async def erase(call: Writing, code: Code, sure: Annotated[SureInput, sent(sure=True)]) -> Response:
    """Erase what is personal about it, at the person's own wish; a live one ends."""
    assert sure.sure  # noqa: S101 - the input takes nothing else
    return await _act(call, code, lambda db, forum, now: erasing.erase(db, call.by, forum, code, now=now))


async def _act(call: Call, code: str, deed: Any) -> Response:
    """A deed about one registration, answered with how it stands then."""

    def done(db: Db, forum: Forum, now: datetime) -> Standing:
        deed(db, forum, now)
        return standing(db, forum, code)

    return await call.write(done)


def standing(db: Db, forum: Forum, code: str) -> Standing:
    """How a registration stands. Three queries."""
    row = applying.application_of(db, forum, code)
    category = house_of(db, forum_id(forum)).category_by_id(row.category_id)
    return Standing(code=row.code, state=row.state, category=category.code)


def whole(db: Db, by: Actor, forum: Forum, code: str) -> RegistrationShape:
    """A registration as this caller may see it. At most eight queries."""
    found, own = desk_registration(db, by, forum, code), forum_id(forum)
    told = by.may(Permission.SEE_FACTS, own) or by.may(Permission.DECIDE_REGISTRATIONS, own)
    meals, access = found.needs or (None, None)
    row = {**found.row._mapping, "category": found.category.code, "place": found.place}  # noqa: SLF001 - its public name
    row["tags"] = [tag.id for tag in tagged(db, [found.row.id]).get(found.row.id, ())]
    facts = history(db, forum.slug, f"registration:{code}") if told else None
    attended = attendance_told(db, forum) if facts else frozenset()
    return RegistrationShape(
        registration=RegistrationLine.model_validate(row),
        place_in_queue=found.place_in_queue,
        # whoever attends for themselves stands without the institution, and so without its delegation
        delegation=None if found.row.attends_as == "private" else found.row.delegation,
        decision_note=found.row.decision_note,
        meals=meals,
        access=access,
        answers=[AnswerShape(question=one.question.code, value=_value(one)) for one in found.answers],
        history=None
        if facts is None
        else [FactShape.model_validate(leaving(fact, attended), from_attributes=True) for fact in facts],
    )


def _value(answered: Answered) -> Any:
    """An answer's value; of a file its name, and the file itself stands at its own address."""
    return answered.file_name if answered.file is not None else answered.value
