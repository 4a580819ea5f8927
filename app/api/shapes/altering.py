"""What bringing several sessions to something would change, and what it did."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.api.shapes.general import WHEN, example
from app.api.shapes.programme import ConflictShape
from app.programme.inputs import SessionInput


class AlterationNoteShape(BaseModel):
    """What could not be brought along, or was put in another's place: the session's field, a code, and a sentence in
    the caller's language."""

    model_config = example(field="room", code="left_out", detail="Left out, as it is not there any more: annex.")

    field: str
    code: str
    detail: str


class AlteredSession(BaseModel):
    """One session that would change: what happens to it, and it before and after; null where it is not there. `row` is
    its row in a table that was sent, 0 without one."""

    kind: Literal["new", "changed", "cancelled", "removed"]
    code: str
    row: int
    before: SessionInput | None
    after: SessionInput | None
    notes: list[AlterationNoteShape]


class AlterationShape(BaseModel):
    """What would change, and the `mark` of just this, which doing it takes. `conflicts` are the hard ones that it would
    make: they take a reason. `gaps` are closed sessions' codes that would come to be missed: they stand in its way, as
    does where nothing would change; `can_be_done` says whether anything does."""

    model_config = example(
        mark="0f3c9d0e3b6a4b1f8f0f2b7f4a0e1d2c",
        can_be_done=True,
        changes=[],
        untouched=["D1-01", "D1-02"],
        conflicts=[],
        gaps=[],
    )

    mark: str
    can_be_done: bool
    changes: list[AlteredSession]
    untouched: list[str]
    conflicts: list[ConflictShape]
    gaps: list[str]


class CellShape(BaseModel):
    """One thing wrong with a table: row from 1 and column letter as a spreadsheet shows them, the column's name, a code
    and a sentence in the caller's language."""

    model_config = example(
        row=4, letter="G", column="room", code="not_known_word", detail="“Ballrom” is not known here."
    )

    row: int
    letter: str
    column: str
    code: str
    detail: str


class ImportShape(BaseModel):
    """What a table would change. `alteration` is null where something in it is wrong: `faults` are the first of these,
    `wrong` says how many there are. `ignored` are columns that mean none; `table` is what was read, sealed, to be
    sent back for the import; null where there is nothing to import."""

    model_config = example(
        alteration={
            "mark": "0f3c9d0e3b6a4b1f8f0f2b7f4a0e1d2c",
            "can_be_done": True,
            "changes": [],
            "untouched": ["D1-01"],
            "conflicts": [],
            "gaps": [],
        },
        faults=[],
        wrong=0,
        ignored=[],
        unchanged=28,
        table="eJyLjlZKzk9JVdJRSk…",
    )

    alteration: AlterationShape | None
    faults: list[CellShape]
    wrong: int
    ignored: list[str]
    unchanged: int = Field(description="Rows of the table that say what is so already.")
    table: str | None


class CopyShape(BaseModel):
    """What copying another edition's programme would change; `speakers` are the codes of those who would be new."""

    model_config = example(
        alteration={
            "mark": "0f3c9d0e3b6a4b1f8f0f2b7f4a0e1d2c",
            "can_be_done": True,
            "changes": [],
            "untouched": ["D1-01"],
            "conflicts": [],
            "gaps": [],
        },
        speakers=["minister-of-examples"],
    )

    alteration: AlterationShape
    speakers: list[str]


class TogetherShape(BaseModel):
    """Edits that were made together, and what taking them back would change. `since` are the codes of sessions that
    were edited again, which would stay as they are."""

    model_config = example(
        number=3,
        kind="imported",
        at=WHEN,
        by_name="Sokha Meas",
        since=[],
        alteration={
            "mark": "0f3c9d0e3b6a4b1f8f0f2b7f4a0e1d2c",
            "can_be_done": True,
            "changes": [],
            "untouched": ["D1-01"],
            "conflicts": [],
            "gaps": [],
        },
    )

    number: int
    kind: str
    at: datetime
    by_name: str
    since: list[str]
    alteration: AlterationShape


class AlteredShape(BaseModel):
    """What was done: the number that the edits share, by which they can be taken back together, and how many there
    are."""

    model_config = example(number=3, sessions=12)

    number: int
    sessions: int
