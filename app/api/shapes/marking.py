"""Tags, notes, details to be put right, and what is done with many registrations at once."""

from datetime import datetime

from pydantic import BaseModel, Field

from app.api.people_inputs import DetailsInput
from app.api.shapes.general import WHEN, example


class TagShape(BaseModel):
    """A tag of the forum's desk; `used`: how many registrations are marked with it."""

    model_config = example(id=3, name="Front row", letter="F", tone="red", used=12)

    id: int
    name: str
    letter: str
    tone: str
    used: int


class MarksShape(BaseModel):
    """The tags that a registration is marked with, by their numbers."""

    model_config = example(tags=[3])

    tags: list[int]


class NoteShape(BaseModel):
    """A note of the desk about a registration, by whom."""

    model_config = example(id=8, author="Sokha Meas", words="Arrives late on the first day", written_at=WHEN)

    id: int
    author: str
    words: str
    written_at: datetime


class DetailsShape(BaseModel):
    """Details as they would be sent; institution and position are null in a private capacity."""

    model_config = example(
        edition=2,
        details={
            "family_name": "Sok",
            "given_name": "Vanna",
            "name_km": "សុខ វណ្ណា",
            "institution": "A university",
            "position_title": "",
            "country": "KH",
            "attends_as": "official",
        },
    )

    edition: int
    details: DetailsInput


class ExpectedShape(BaseModel):
    """What would become of one registration: an outcome, or a code that says why not (`possible` is false then). `why`
    says of one who would wait what stands in the way: the hall, a limit or guarantees."""

    code: str
    outcome: str
    possible: bool
    why: str


class ProspectShape(BaseModel):
    """What would become of each, in the order in which it would be done, and the mark of just this. `counts` says how
    many come to each outcome, `mails` how many mails would leave to them."""

    model_config = example(
        mark="4f1c5b0a8f1e7d0c4a519a55f3b7a2a2",
        possible=1,
        mails=1,
        counts={"seated": 1, "step_not_possible": 1},
        items=[
            {"code": "K3TP9QA", "outcome": "seated", "possible": True, "why": ""},
            {"code": "HJKMNPQ", "outcome": "step_not_possible", "possible": False, "why": ""},
        ],
    )

    mark: str
    possible: int
    mails: int
    counts: dict[str, int]
    items: list[ExpectedShape]


class BegunShape(BaseModel):
    """Something done with many, by its number: `state` is doing, done, taking_back, taken_back or stopped; `left`: how
    many have not had their turn, which the worker does."""

    model_config = example(id=2, state="doing", left=150)

    id: int
    state: str
    left: int


class ItemShape(BaseModel):
    """What became of one: an outcome or why not, empty before its turn; `back` what became of taking it back, `done` or
    why it stays; `stays` why it could not be taken back now, empty where it could or where there is nothing to."""

    code: str
    outcome: str
    back: str
    reversible: bool
    stays: str


class BulkShape(BaseModel):
    """Something done with many registrations. `until` is up to when the mails of approvals wait, null for what writes
    none."""

    model_config = example(
        id=2,
        act="approve",
        to="",
        with_tag=None,
        state="done",
        begun_at=WHEN,
        until=WHEN,
        left=0,
        counts={"seated": 1},
        items=[{"code": "K3TP9QA", "outcome": "seated", "back": "", "reversible": True, "stays": ""}],
    )

    id: int
    act: str
    to: str
    with_tag: int | None
    state: str
    begun_at: datetime
    until: datetime | None
    left: int
    counts: dict[str, int] = Field(description="How many came to each outcome.")
    items: list[ItemShape]
