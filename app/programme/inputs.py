"""What an organiser may send about the programme. Instants are UTC here; doors read local times in the forum's zone."""

from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, EmailStr, Field, StringConstraints
from pydantic_core import PydanticCustomError, PydanticKnownError

from app.forum.inputs import Language, Setup, Slug
from app.kit.i18n import Bilingual, Lang
from app.kit.inputs import (
    Chosen,
    EitherWords,
    Filled,
    GivenDay,
    Input,
    Instant,
    Line,
    Optional,
    ShortText,
    ShortWords,
    Text,
    Words,
)
from app.programme.rules.materials import MaterialKind, Release

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
Facet = Literal["traditional", "non-traditional", "both"]
"""Which kind of security a session is about."""
SpeakerKind = Literal[
    "parliament",
    "government",
    "diplomacy",
    "international",
    "academia",
    "civil_society",
    "business",
    "media",
]
"""Whose voice somebody is, for the report on coverage."""


Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


Ticked = Annotated[bool, BeforeValidator(lambda sent: False if sent == "" else sent)]
"""A box: "yes" or nothing."""


class SpeakerInput(Input):
    """A person of the programme; the name may be there long before it is announced, the function always is."""

    code: Slug
    name: EitherWords | None = None
    function: Words
    institution: Words | None = None
    country: Country | None = None
    kind: SpeakerKind | None = None
    bio: EitherWords | None = None
    announced: bool = True
    guest: bool = False


class TypedSpeaker(Input):
    """A speaker as the desk's form sends it, field by field. Without a code one is made of the function."""

    code: Annotated[Slug | None, Optional] = None
    name_en: Line = ""
    name_km: Line = ""
    function_en: Filled
    function_km: Filled
    institution_en: Line = ""
    institution_km: Line = ""
    country: Annotated[Country | None, Optional] = None
    bio_en: Text = ""
    bio_km: Text = ""
    announced: Ticked = False
    guest: Ticked = False
    email: Annotated[EmailStr | None, Optional] = None
    language: Lang = "en"


class BioInput(Input):
    """What a speaker writes about themselves, in one language or both; nothing at all takes it back."""

    bio_en: Text = ""
    bio_km: Text = ""


class AnswerInput(Input):
    """A word to the organisers with the answer."""

    note: ShortText = ""


class AvailabilityInput(Input):
    """When a speaker cannot come: parts of days by key, and what no box says."""

    away: tuple[Annotated[str, StringConstraints(max_length=24)], ...] = ()
    away_note: ShortText = ""


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
    facet: Facet | None = None
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

    starts_at: Instant | None = None
    ends_at: Instant | None = None


def _no_treatise(text: Bilingual) -> Bilingual:
    if max(len(text.en), len(text.km)) > 4000:
        raise PydanticKnownError("string_too_long", {"max_length": 4000})
    return text


class TypedSession(SessionInput):
    """A session as the desk's form sends it: as a file may say it, in as many letters as a form takes."""

    title: ShortWords
    abstract: Annotated[Words, AfterValidator(_no_treatise)] | None = None
    guiding_question: ShortWords | None = None


class MoveInput(Input):
    """Where a session goes: when it begins (UTC; empty: it waits for a time), how many minutes it lasts, its room."""

    starts_at: Instant | None = None
    minutes: Annotated[int, Field(ge=5, le=1440)]
    room: Annotated[Slug | None, Optional] = None
    reason: Line = ""


class ReasonInput(Input):
    """Why a conflict may stand; the conflict by its key. Without words the reason is taken back."""

    kind: Filled
    codes: Filled
    place: Line = ""
    reason: Line = ""


class PublishInput(Input):
    """What goes with a new version: a note for everybody in both languages or in none, why what stands in the way may
    stand, and the mark of the difference that was looked at."""

    note_en: Line = ""
    note_km: Line = ""
    reason: Line = ""
    mark: Filled


class ActInput(Input):
    """A button beside a session's form, with why a conflict it makes may stand."""

    reason: Line = ""


def _https(text: str | None) -> str | None:
    """An https address with a host, without a name and password in it."""
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        whole = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        whole = False
    if not whole or any(letter.isspace() or letter in '\\"<>' for letter in text):
        raise PydanticCustomError("material_link", "not an https address")
    return text


class MaterialInput(Input):
    """What a material is and when it is released. `session` is a code of the working copy, empty for the forum as a
    whole; `release_at` (UTC) goes with the release "at", and with no other."""

    session: Annotated[SessionCode | None, Optional] = None
    kind: MaterialKind
    title: ShortWords
    note: ShortWords | None = None
    link: Annotated[str | None, StringConstraints(max_length=1000), AfterValidator(_https), Optional] = None
    release: Release
    release_at: Instant | None = None
    announced: bool = False
    against_delivery: bool = False
    stays: bool = False


FirstDay = Annotated[GivenDay, Field(ge=date(1990, 1, 1), lt=date(2200, 1, 1))]
"""The day that another edition's first day becomes."""


class CopyInput(Input):
    """Another edition's programme: its forum, the first day here, and whether its speakers and closed sessions come
    along ("yes")."""

    source: Annotated[Slug, Chosen()]
    first_day: FirstDay
    speakers: Literal["yes", ""] = ""
    closed: Literal["yes", ""] = ""


class AlterInput(Input):
    """The button under a preview: the mark of what was looked at, and why conflicts it makes may stand."""

    mark: Filled
    reason: Line = ""


class VoiceInput(Input):
    """Whose voice a speaker is; nothing where it is not known."""

    kind: SpeakerKind | None = None
