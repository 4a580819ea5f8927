"""Registrations, what was done to them, and lists of names.

A list's shape has no more than the desk's list shows; in a private capacity a person's institution is left out
(rules §2).
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, field_validator

from app.api.shapes.general import WHEN, example

PERSON: dict[str, Any] = {
    "code": "K3TP9QA",
    "state": "seated",
    "category": "STU",
    "titles": [],
    "family_name": "Sok",
    "given_name": "Vanna",
    "name_km": "សុខ វណ្ណា",
    "display_name": "",
    "attends_as": "official",
    "institution": "A university",
    "position_title": "",
    "country": "KH",
    "email": "vanna@university.example",
    "phone": "",
    "language": "km",
    "assistant_name": "",
    "asked_at": WHEN,
    "confirmed_at": None,
    "erased_at": None,
    "priority": 0,
    "place": 12,
    "tags": [3],
}


class RegistrationLine(BaseModel):
    """A registration in a list."""

    model_config = example(**PERSON)

    code: str
    state: str
    category: str
    titles: list[str]
    family_name: str
    given_name: str
    name_km: str
    display_name: str
    attends_as: str
    institution: str
    position_title: str
    country: str
    email: str
    phone: str
    language: str
    assistant_name: str
    asked_at: datetime
    confirmed_at: datetime | None
    erased_at: datetime | None
    priority: int
    place: int | None = Field(description="The place in the hall; null without one, or outside the hall.")
    tags: list[int] = Field(description="The numbers of the tags that it is marked with.")

    def model_post_init(self, _context: Any) -> None:
        """In a private capacity nobody is told where the person works."""
        if self.attends_as == "private":
            self.institution = self.position_title = ""


class FactShape(BaseModel):
    """What happened: who did what to what, and when. `personal` is empty once it was purged. Of a registration it says
    nothing of where its person works or which delegation named them, who may attend in a private capacity, and of the
    sessions they chose those alone of which it may be told who is there; of a delegation nothing of whom it named."""

    model_config = example(
        number=41,
        at=WHEN,
        actor="user:1",
        actor_name="Sokha Meas (API)",
        kind="registration.approved",
        subject="registration:K3TP9QA",
        before={"state": "awaiting"},
        after={"state": "seated"},
        personal={},
        hash="3f5a…",
    )

    number: int
    at: datetime
    actor: str
    actor_name: str
    kind: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    personal: dict[str, Any]
    hash: str

    @field_validator("before", "after", "personal", mode="before")
    @classmethod
    def _nothing(cls, value: Any) -> Any:
        return value or {}


class AnswerShape(BaseModel):
    """What was answered to a question of the forum; of a file its name, and the file is at its own address."""

    question: str
    value: Any


class RegistrationShape(BaseModel):
    """A registration whole. `meals`, `access` and sensitive answers are there for those who may see them, `history` for
    those who decide or may see facts; null otherwise."""

    model_config = example(
        registration=PERSON,
        place_in_queue=None,
        delegation=None,
        decision_note="",
        meals=None,
        access=None,
        answers=[{"question": "arrival", "value": "2027-03-22"}],
        history=None,
    )

    registration: RegistrationLine
    place_in_queue: int | None
    delegation: str | None
    decision_note: str
    meals: str | None
    access: str | None
    answers: list[AnswerShape]
    history: list[FactShape] | None


class Standing(BaseModel):
    """How a registration stands after a deed."""

    model_config = example(code="K3TP9QA", state="seated", category="STU")

    code: str
    state: str
    category: str


class SignUpShape(BaseModel):
    """A session's places: null where it asks for no sign-up; taken, waiting and picked: null where nobody outside may
    learn who is there (Chatham House, closed)."""

    model_config = example(session="D1-07", places=40, taken=31, waiting=0, picked=33)

    session: str
    places: int | None
    taken: int | None
    waiting: int | None
    picked: int | None


class NamedShape(BaseModel):
    """Somebody on a session's list."""

    model_config = example(
        code="K3TP9QA",
        family_name="Sok",
        given_name="Vanna",
        name_km="សុខ វណ្ណា",
        display_name="",
        pick_state="placed",
        number=3,
        pick_asked_at=WHEN,
    )

    code: str
    family_name: str
    given_name: str
    name_km: str
    display_name: str
    pick_state: str
    number: int | None
    pick_asked_at: datetime


class AlikeShape(BaseModel):
    """Registrations that may be one person's, and the pairs that look so, each with why."""

    model_config = example(
        people=["K3TP9QA", "HJKMNPQ"], pairs=[{"first": "K3TP9QA", "second": "HJKMNPQ", "reasons": ["phone"]}]
    )

    people: list[str]
    pairs: list["PairShape"]


class PairShape(BaseModel):
    """Two registrations that look like one person's."""

    first: str
    second: str
    reasons: list[str]


class JoinShape(BaseModel):
    """One of two registrations, and what keeping it would do: `takes_over` the other's standing, group and place in the
    queue; `moves_seat` the other's seat becomes its own; `frees_seat` its own is given back. What the other brings:
    `fields` it leaves empty itself, answers (questions by code), chosen sessions, companions, letters. `left_sessions`
    are at the time of one of its own. `edition` and `picks` are what merging takes."""

    model_config = example(
        code="K3TP9QA",
        edition=1,
        picks=0,
        takes_over=False,
        moves_seat=False,
        frees_seat=False,
        fields=["phone"],
        answers=["arrival"],
        sessions=["D1-07"],
        left_sessions=[],
        companions=0,
        letters=0,
    )

    code: str
    edition: int
    picks: int
    takes_over: bool
    moves_seat: bool
    frees_seat: bool
    fields: list[str]
    answers: list[str]
    sessions: list[str]
    left_sessions: list[str]
    companions: int
    letters: int


class ComparedShape(BaseModel):
    """Two registrations that may be one person's, and why they look so."""

    reasons: list[str]
    first: JoinShape
    second: JoinShape
