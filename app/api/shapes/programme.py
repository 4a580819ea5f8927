"""Speakers, sessions and versions of the programme."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from app.api.shapes.general import WHEN, example
from app.kit.i18n import Bilingual
from app.programme.inputs import SessionInput


class SpeakerShape(BaseModel):
    """A speaker as the desk knows them: the name may be there before it is announced. `reply` is what they answered."""

    model_config = example(
        code="minister-of-examples",
        edition=1,
        name={"en": "Bopha Chea", "km": "ជា បុប្ផា"},
        function={"en": "Minister of Examples", "km": "រដ្ឋមន្ត្រី"},
        institution=None,
        country="KH",
        bio=None,
        announced=True,
        guest=True,
        email="",
        language="en",
        reply="unasked",
        photo=None,
    )

    code: str
    edition: int
    name: Bilingual | None
    function: Bilingual
    institution: Bilingual | None
    country: str | None
    bio: Bilingual | None
    announced: bool
    guest: bool
    email: str | None = Field(description="Null for those who may not edit the programme.")
    language: str
    reply: str
    photo: str | None = Field(description="A digest of the photograph that the next version shows; null without one.")


class SessionShape(BaseModel):
    """A session of the working copy: its immutable id, the edition it stands at, and all that may be said of it."""

    uid: str
    edition: int
    session: SessionInput


class VersionShape(BaseModel):
    """A published version and what it changed, for those at the desk; the first changed nothing."""

    model_config = example(
        number=3, published_at=WHEN, sessions=29, note=None, changes=[{"kind": "moved", "code": "D1-04"}]
    )

    number: int
    published_at: datetime | None
    sessions: int
    note: Bilingual | None
    changes: list["ChangeShape"]


class PendingShape(BaseModel):
    """What publishing now would change. Publishing takes the `mark`, so that nobody publishes what they have not
    seen; hard `conflicts` and `gaps` stand in its way unless it is given a reason."""

    model_config = example(
        mark="0f3c…",
        is_anything=True,
        public_version=2,
        changes=[{"kind": "moved", "code": "D1-04"}],
        gaps=[],
        conflicts=["D1-04"],
    )

    mark: str
    is_anything: bool
    public_version: int
    changes: list["ChangeShape"]
    gaps: list[str]
    conflicts: list[str]


class ChangeShape(BaseModel):
    """One change between versions."""

    kind: str
    code: str


class Edited(BaseModel):
    """What an edit did; `number` is that of the revision, 0 where nothing differed."""

    model_config = example(code="D1-04", number=18, kind="moved")

    code: str
    number: int
    kind: str


class Published(BaseModel):
    """The number of the version that was published."""

    model_config = example(version=3)

    version: int


class PartShape(BaseModel):
    """A speaker's part in a published session; `name` is null where none is announced."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    role: str
    name: Bilingual | None
    function: Bilingual


class PublishedShape(BaseModel):
    """A session as published, with the stamps its calendar entry has."""

    model_config = ConfigDict(from_attributes=True)

    uid: str
    code: str
    type: str
    title: Bilingual
    abstract: Bilingual | None
    tracks: list[str]
    themes: list[str]
    objectives: list[int]
    room: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    attribution: str | None
    people: list[PartShape]
    cancelled: bool
    sequence: int
    changed_at: datetime


class ProgrammeShape(BaseModel):
    """A published version; `number` is 0 where nothing is published yet."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    published_at: datetime | None
    sessions: list[PublishedShape]


class EditShape(BaseModel):
    """An edit of the working copy: which session, what was done, by whom. Edits made together share a number."""

    model_config = example(id=18, code="D1-04", kind="moved", edition=3, at=WHEN, by_name="Sokha Meas", together=None)

    id: int
    code: str
    kind: str
    edition: int
    at: datetime
    by_name: str
    together: int | None


class ConflictShape(BaseModel):
    """What is in the way in the working copy; `reason` is why it may stand, null where none was given."""

    model_config = example(
        kind="room_taken", hard=True, codes=["D1-04", "D1-05"], where=["grand-ballroom"], by=30, reason=None
    )

    kind: str
    hard: bool
    codes: list[str]
    where: list[str]
    by: int
    reason: str | None
