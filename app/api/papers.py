"""The letters that participants asked for: which there are, and each as its person has it."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from app.api.calling import Door, FileAnswer, Reading
from app.api.giving import PDF, file_answer
from app.api.shapes.general import Page
from app.api.shapes.lists import PaperShape
from app.kit.db import Db
from app.registration.lettering import deserves_letters, desk_letter, desk_letters, reference

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["registrations"])
LetterCode = Annotated[str, Path(pattern=r"^[A-Z0-9]{1,16}$", examples=["K3TP9QA"])]


@router.get("/letters", response_model=Page[PaperShape])
async def list_letters(call: Reading) -> Response:
    """The letters that participants asked for, the newest first; the list is whole. Takes `see_sensitive`."""

    def read(db: Db) -> tuple[list[Any], str]:
        rows = desk_letters(db, call.by, call.forum)
        return [
            PaperShape(
                code=row.code,
                reference=reference(call.forum, row),
                kind=row.kind,
                language=row.language,
                registration=row.registration,
                asked_at=row.asked_at,
                is_given=row.purged_at is None and deserves_letters(row),
            )
            for row in rows
        ], ""

    return await call.page(PaperShape, read)


@router.get("/letters/{code}/file", response_class=FileAnswer, responses={200: {"content": {PDF: {}}}})
async def get_letter(call: Reading, code: LetterCode) -> Response:
    """A letter as its person has it, while they have a final seat and their passport is kept. Takes
    `see_sensitive`."""
    from app.kit.printing import pdf  # noqa: PLC0415 - typefaces are read only where somebody has something printed
    from app.reports.letters import letter_name, letter_values  # noqa: PLC0415 - as above

    letter, row, category = await call.behind.read(lambda db: desk_letter(db, call.by, call.forum, code))
    values = letter_values(call.forum, row, category, letter)
    made = await call.behind.apart(lambda: pdf("print/letter.typ", values, at=letter.asked_at))
    answer = file_answer(call, letter_name(call.forum, letter), made, PDF)
    answer.headers["content-language"] = letter.language
    return answer
