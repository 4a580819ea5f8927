"""What an organiser may send about the programme. Instants are UTC here; doors read local times in the forum's zone."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints

from app.forum.inputs import Language, Setup, Slug
from app.kit.inputs import Input, Words

SessionCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9](?:[A-Z0-9-]{0,18}[A-Z0-9])?$")]
SessionType = Literal[
    "registration",
    "opening",
    "keynote",
    "break",
    "panel",
    "questions",
    "lunch",
    "roundtable",
    "forum",
    "reception",
    "working-group",
    "plenary",
    "closing",
    "ceremony",
]
AppearanceRole = Literal["chair", "speaker", "moderator", "rapporteur"]


class SpeakerInput(Input):
    """A person of the programme; the name is empty until it may be announced, the function never is."""

    code: Slug
    name: Words | None = None
    function: Words
    institution: Words | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    bio: Words | None = None


class AppearanceInput(Input):
    """A speaker's part in a session."""

    speaker: Slug
    role: AppearanceRole


class SessionWords(Input):
    """One slot of the programme but for its times. `attribution`: REC on the record, CHR Chatham House, CLO closed;
    empty for breaks."""

    code: SessionCode
    type: SessionType
    title: Words
    abstract: Words | None = None
    guiding_question: Words | None = None
    tracks: tuple[str, ...] = ()
    themes: tuple[Slug, ...] = ()
    objectives: tuple[int, ...] = ()
    facet: Literal["traditional", "non-traditional", "both"] | None = None
    room: Slug | None = None
    setup: Setup | None = None
    attribution: Literal["REC", "CHR", "CLO"] | None = None
    spoken: tuple[Language, ...] = ()
    interpreted: tuple[Language, ...] = ()
    people: tuple[AppearanceInput, ...] = ()
    overlap_intended: bool = False
    cancelled: bool = False


class SessionInput(SessionWords):
    """A session with its times in UTC; both empty: to be announced."""

    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
