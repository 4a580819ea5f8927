"""The forum itself: its words, numbers, rooms and questions, and the token that asks."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from app.api.shapes.general import example
from app.forum.inputs import RoomInput
from app.kit.i18n import Bilingual
from app.registration.inputs import CategoryInput, QuestionInput, TermsInput


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


class NumbersShape(BaseModel):
    """The forum's numbers: terms and every category whole, in order."""

    terms: TermsInput
    categories: list[CategoryInput]


class SimulatedShape(BaseModel):
    """One category in other numbers: seats taken now, given by the change, people still waiting, seats over its limit
    then; and how many people would sit there if all seats were given anew, beside how many sit there now."""

    model_config = example(code="STU", taken=31, given=4, waiting=0, over_limit=0, sitting=31, anew=30)

    code: str
    taken: int
    given: int
    waiting: int
    over_limit: int
    sitting: int
    anew: int


class OverShape(BaseModel):
    """What would stand over: `over_capacity`, `over_guarantees`, or a category's `over_limit`; by so many seats."""

    model_config = example(code="over_limit", category="STU", seats=3)

    code: str
    category: str | None
    seats: int


class TrialShape(BaseModel):
    """What other numbers would do. The people are registrations, best standing first: who would be given a seat, who
    would still wait, and who would gain or lose one if all were given anew; null for who may not `see_people`."""

    model_config = example(
        categories=[{"code": "STU", "taken": 31, "given": 4, "waiting": 0, "over_limit": 0, "sitting": 31, "anew": 30}],
        over=[],
        given=["K3TP9QA"],
        waiting=[],
        gaining=["K3TP9QA"],
        losing=[],
    )

    categories: list[SimulatedShape]
    over: list[OverShape]
    given: list[str] | None
    waiting: list[str] | None
    gaining: list[str] | None
    losing: list[str] | None


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
