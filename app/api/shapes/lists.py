"""The lists that may be taken as files, and the final lists of participants there are."""

from datetime import datetime

from pydantic import BaseModel

from app.api.shapes.general import WHEN, example


class ColumnShape(BaseModel):
    """A column of a list, and whether the desk's form has it ticked to begin with."""

    name: str
    usual: bool


class ListShape(BaseModel):
    """A list that the token may take as a file: its name, its title in your language, and its columns in order."""

    model_config = example(
        name="rooms", title="Rooms", columns=[{"name": "code", "usual": True}, {"name": "seats", "usual": True}]
    )

    name: str
    title: str
    columns: list[ColumnShape]


class ParticipantListShape(BaseModel):
    """A final list of participants: the first is 1, a higher number revises it. `people` are those still on it."""

    model_config = example(number=1, made_at=WHEN, language="both", group="category", all_live=False, people=240)

    number: int
    made_at: datetime
    language: str
    group: str
    all_live: bool
    people: int


class PaperShape(BaseModel):
    """A letter that a participant asked for; nothing of a passport stands here. `is_given`: its file is there."""

    model_config = example(
        code="K3TP9QA",
        reference="PHNOM-PENH-2027/0004",
        kind="visa",
        language="en",
        registration="HJKMNPQ",
        asked_at=WHEN,
        is_given=True,
    )

    code: str
    reference: str
    kind: str
    language: str
    registration: str
    asked_at: datetime
    is_given: bool
