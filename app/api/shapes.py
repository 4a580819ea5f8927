"""How things look in JSON. Times are instants in UTC, days are those of the forum; texts are in both languages.

A list's shape has no more than the desk's list shows; in a private capacity a person's institution is left out
(rules §2).
"""

from datetime import date, datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.forum.inputs import RoomInput
from app.kit.i18n import Bilingual
from app.programme.inputs import SessionInput
from app.registration.inputs import CategoryInput, QuestionInput, TermsInput

Item = TypeVar("Item")
WHEN = "2026-12-01T03:00:00Z"
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
}


def example(**values: Any) -> ConfigDict:
    """The configuration of a shape with an example in the document."""
    return ConfigDict(from_attributes=True, json_schema_extra={"examples": [values]})


class Page(BaseModel, Generic[Item]):
    """A part of a list. `after` is the mark with which the next part is asked for, null at the end; the Link header
    has the whole address."""

    items: list[Item]
    after: str | None = None


class TokenShape(BaseModel):
    """The token that was sent: in which forum, until when, and what it may do at this moment."""

    model_config = example(
        forum="phnom-penh-2027", user="Sokha Meas (API)", permissions=["see_desk", "see_people"], id=3
    )

    id: int
    user: str
    forum: str
    permissions: list[str]


class ForumShape(BaseModel):
    """A forum: its words and dates."""

    model_config = example(
        slug="phnom-penh-2027",
        title={"en": "A forum", "km": "វេទិកា"},
        short_title={"en": "Forum", "km": "វេទិកា"},
        summary={"en": "", "km": ""},
        starts_on="2027-03-23",
        ends_on="2027-03-24",
        timezone="Asia/Phnom_Penh",
        venue_name={"en": "A hotel", "km": "សណ្ឋាគារ"},
        venue_address={"en": "Phnom Penh", "km": "ភ្នំពេញ"},
        public_version=1,
        tracks=[{"code": "A", "slug": "security", "title": {"en": "Security", "km": "សន្តិសុខ"}}],
    )

    slug: str
    title: Bilingual
    short_title: Bilingual
    summary: Bilingual
    starts_on: date | None
    ends_on: date | None
    timezone: str
    venue_name: Bilingual
    venue_address: Bilingual
    public_version: int = Field(description="The number of the published programme that everybody sees; 0: none yet.")
    tracks: list["TrackShape"]


class TrackShape(BaseModel):
    """A main topic."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    slug: str
    title: Bilingual


class CategoryShape(BaseModel):
    """A category's seats against its numbers, at this moment. `left`: how many could be given if only it asked."""

    model_config = example(
        code="STU",
        letter="S",
        name={"en": "Students", "km": "និស្សិត"},
        in_hall=True,
        guarantee=40,
        limit=90,
        lapsed=False,
        taken=31,
        confirmed=25,
        unconfirmed=6,
        held=0,
        left=59,
        by_standing={"confirmed": 25, "unconfirmed": 6, "cancelled": 2},
    )

    code: str
    letter: str
    name: Bilingual
    in_hall: bool
    guarantee: int
    limit: int | None
    lapsed: bool
    taken: int
    confirmed: int
    unconfirmed: int
    held: int
    left: int | None = Field(description="Null for badges outside the hall that have no limit.")
    by_standing: dict[str, int]


class FiguresShape(BaseModel):
    """The hall and every category at this moment."""

    model_config = ConfigDict(from_attributes=True)

    capacity: int
    target: int
    categories: list[CategoryShape]


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

    def model_post_init(self, _context: Any) -> None:
        """In a private capacity nobody is told where the person works."""
        if self.attends_as == "private":
            self.institution = self.position_title = ""


class FactShape(BaseModel):
    """What happened: who did what to what, and when. `personal` is empty once it was purged; of a registration it says
    nothing of where its person works, who may attend in a private capacity."""

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

    def model_post_init(self, _context: Any) -> None:
        """What was corrected tells of a registration what the registration itself may not."""
        if self.subject.startswith("registration:"):
            self.personal = _without_workplace(self.personal)


def _without_workplace(told: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in told.items() if name not in {"institution", "position_title"}}
    return {name: _without_workplace(value) if isinstance(value, dict) else value for name, value in kept.items()}


class AnswerShape(BaseModel):
    """What was answered to a question of the forum."""

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


class HoldBackShape(BaseModel):
    """Seats kept back: `kept` nobody sits on yet, `given` people were put on."""

    model_config = example(
        id=4, category="GOV", purpose="Late dignitaries", kept=5, given=1, release_at=WHEN, released_at=None
    )

    id: int
    category: str
    purpose: str
    kept: int
    given: int
    release_at: datetime | None
    released_at: datetime | None


class Numbered(BaseModel):
    """A thing by its number."""

    model_config = example(id=4)

    id: int


class Coded(BaseModel):
    """A thing by its code."""

    model_config = example(code="K3TP9QA")

    code: str


class Changed(BaseModel):
    """Whether anything is other than before."""

    model_config = example(changed=True)

    changed: bool


class Counted(BaseModel):
    """How many were touched."""

    model_config = example(number=3)

    number: int


class InvitationShape(BaseModel):
    """An invitation: personal, or a code with a number of uses. Its secret link is in no answer."""

    model_config = example(
        id=7,
        code="THK-9QAK3",
        kind="personal",
        state="open",
        category="THK",
        uses=1,
        used=0,
        kept=1,
        reserves=True,
        titles=["Dr."],
        family_name="Chea",
        given_name="Bopha",
        name_km="ជា បុប្ផា",
        display_name="",
        institution="A ministry",
        position_title="Minister",
        email="bopha@ministry.example",
        language="km",
        reference="",
        reply_by=WHEN,
        created_at=WHEN,
        answered_at=None,
    )

    id: int
    code: str
    kind: str
    state: str
    category: str
    uses: int
    used: int
    kept: int
    reserves: bool
    titles: list[str]
    family_name: str
    given_name: str
    name_km: str
    display_name: str
    institution: str
    position_title: str
    email: str
    language: str
    reference: str
    reply_by: datetime | None
    created_at: datetime
    answered_at: datetime | None


class DelegationLine(BaseModel):
    """A delegation in the list: how many of its seats are named."""

    model_config = example(
        code="DK3TP9Q",
        category="DIP",
        institution="An embassy",
        institution_km="",
        country="FR",
        reference="NV 12/2026",
        seats=3,
        named=2,
        unnamed=1,
        uneven_reason="",
        deadline=WHEN,
        focal_name="Dara Lim",
        focal_email="dara@embassy.example",
        language="en",
        released_at=None,
        ended_at=None,
        edition=1,
    )

    code: str
    category: str
    institution: str
    institution_km: str
    country: str
    reference: str
    seats: int
    named: int
    unnamed: int
    uneven_reason: str
    deadline: datetime
    focal_name: str
    focal_email: str
    language: str
    released_at: datetime | None
    ended_at: datetime | None
    edition: int


class MemberShape(BaseModel):
    """Somebody a focal point named."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    state: str
    family_name: str
    given_name: str
    name_km: str
    display_name: str
    heads_delegation: bool
    on_seat: bool


class DelegationShape(BaseModel):
    """A delegation with its people."""

    delegation: DelegationLine
    people: list[MemberShape]


class RoomShape(BaseModel):
    """A room with its usual set-up and the others, and the edition it stands at."""

    model_config = example(
        edition=1,
        room={
            "code": "ballroom",
            "name": {"en": "Ballroom", "km": "សាលធំ"},
            "seats": 300,
            "listed": True,
            "setup": "theatre",
            "changeover_minutes": 15,
            "setups": [],
        },
    )

    edition: int
    room: RoomInput


class MailShape(BaseModel):
    """A mail of the outbox, without its values: links are in no answer."""

    model_config = example(
        id=12,
        template="registration/approved",
        language="km",
        to_address="vanna@university.example",
        to_name="Vanna Sok",
        subject="registration:K3TP9QA",
        state="queued",
        created_at=WHEN,
        due_at=WHEN,
        sent_at=None,
        attempts=0,
        error="",
    )

    id: int
    template: str
    language: str
    to_address: str
    to_name: str
    subject: str
    state: str
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    attempts: int
    error: str


class ColleagueShape(BaseModel):
    """Somebody with a role in the forum, or an owner of the site. `came_at`: signed in last."""

    model_config = example(
        id=2,
        email="chan@institute.example",
        name="Chan Keo",
        roles=["rapporteur"],
        site_owner=False,
        disabled=False,
        second_factor=True,
        came_at=WHEN,
    )

    id: int
    email: str
    name: str
    roles: list[str]
    site_owner: bool
    disabled: bool
    second_factor: bool
    came_at: datetime | None


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


class VersionShape(BaseModel):
    """A published version."""

    model_config = example(number=3, published_at=WHEN, sessions=29)

    number: int
    published_at: datetime | None
    sessions: int


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


class SessionShape(BaseModel):
    """A session of the working copy: its immutable id, the edition it stands at, and all that may be said of it."""

    uid: str
    edition: int
    session: SessionInput


class NumbersShape(BaseModel):
    """The forum's numbers: terms and every category whole, in order."""

    terms: TermsInput
    categories: list[CategoryInput]


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


class WebhookShape(BaseModel):
    """An address that is told what happens: `families` of facts, none for all. Its secret is in no answer."""

    model_config = example(
        id=1,
        address="https://program.example/sala",
        families=["registration"],
        created_at=WHEN,
        failing_since=None,
        paused_at=None,
        waiting=0,
        failed=0,
    )

    id: int
    address: str
    families: list[str]
    created_at: datetime
    failing_since: datetime | None
    paused_at: datetime | None
    waiting: int
    failed: int


class DeliveryShape(BaseModel):
    """A fact told to a webhook, and how that went; `number` is the fact's, 0 for a trial."""

    model_config = example(
        id=9,
        address="https://program.example/sala",
        number=41,
        kind="registration.approved",
        subject="registration:K3TP9QA",
        message="msg_K3TP9QAK3TP9QAK3TP9QAK3T",
        made_at=WHEN,
        state="delivered",
        due_at=WHEN,
        attempts=1,
        status=200,
        error="",
    )

    id: int
    address: str
    number: int
    kind: str
    subject: str
    message: str
    made_at: datetime
    state: str
    due_at: datetime
    attempts: int
    status: int
    error: str


class QuestionShape(BaseModel):
    """A question of the forum as it would be sent, whether it is retired, and its edition."""

    edition: int
    retired: bool
    question: QuestionInput


class RetentionShape(BaseModel):
    """The day of the purge, and how much would be emptied then."""

    model_config = example(retention_on="2027-06-30", emptied={"needs": 12, "answers": 40})

    retention_on: date | None
    emptied: dict[str, int]


class SignUpShape(BaseModel):
    """A session's places: null where it asks for no sign-up; taken, waiting and picked."""

    model_config = example(session="D1-07", places=40, taken=31, waiting=0, picked=33)

    session: str
    places: int | None
    taken: int
    waiting: int
    picked: int


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


class EditShape(BaseModel):
    """An edit of the working copy: which session, what was done, by whom."""

    model_config = example(id=18, code="D1-04", kind="moved", edition=3, at=WHEN, by_name="Sokha Meas")

    id: int
    code: str
    kind: str
    edition: int
    at: datetime
    by_name: str


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
