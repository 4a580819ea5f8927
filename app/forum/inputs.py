"""What an organiser may send about a forum, validated once for all doors."""

from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, EmailStr, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.accounts.rules import Role
from app.accounts.signing_in import Email
from app.kit.inputs import Filled, Input, KnownDay, Line, ShortWords, Words

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")]
RESERVED = frozenset(
    {"site", "my", "delegations", "invitations", "speaking", "desk", "new", "api", "static", "login", "unsubscribe"}
)
"""What no forum is called: parts of addresses that mean something else, and the name of the site's chain of facts."""


def _free(name: str) -> str:
    if name in RESERVED:
        raise PydanticCustomError("slug_reserved", "reserved")
    return name


NewSlug = Annotated[Slug, AfterValidator(_free)]
Language = Literal["en", "km", "fr"]
Setup = Literal["theatre", "classroom", "boardroom", "u-shape", "hollow-square", "cabaret", "banquet", "reception"]
"""How a room may be set up, in the words that venues use."""
SETUPS: tuple[Setup, ...] = get_args(Setup)
RoomSeats = Annotated[int, Field(ge=0, le=100_000)]
Number = Annotated[int, Field(ge=1, le=99)]


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise PydanticCustomError("not_a_time_zone", "not a time zone")
    return ZoneInfo(name).key


TimeZone = Annotated[str, AfterValidator(_zone)]


class Venue(Input):
    """Where the forum meets; coordinates in degrees (WGS 84)."""

    name: Words
    address: Words
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    note: Words | None = None


class Contact(Input):
    """The person named on the forum's page."""

    name: Filled
    role: Words
    phones: tuple[Line, ...] = ()


class Secretariat(Input):
    """Who answers questions about registration."""

    name: Words
    email: EmailStr
    phone: Line | None = None
    note: Words | None = None


class ForumInput(Input):
    """A forum's own words. Both dates empty means "to be announced"; `public` empty leaves a forum as it stands."""

    slug: Slug
    featured: bool = False
    public: bool | None = None
    format_label: Words
    title: Words
    short_title: Words
    summary: Words
    about: Words
    central_question: Words
    starts_on: KnownDay = None
    ends_on: KnownDay = None
    timezone: TimeZone
    languages: tuple[Language, ...]
    venue: Venue | None = None
    contact: Contact | None = None
    secretariat: Secretariat
    participants: Words

    @model_validator(mode="after")
    def _dates_in_order(self) -> "ForumInput":
        if (self.starts_on is None) != (self.ends_on is None):
            raise PydanticCustomError("both_dates_or_none", "both dates or none")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise PydanticCustomError("ends_before_start", "ends before start")
        return self


class ObjectiveInput(Input):
    """One of the forum's objectives."""

    number: Number
    text: Words


class ThemeInput(Input):
    """A theme of a track."""

    slug: Slug
    title: Words


class TrackInput(Input):
    """A main topic: a letter, a colour of the palette, its themes."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z]$")]
    slug: Slug
    title: Words
    short_title: Words
    colour: Literal["river", "lotus", "rice"]
    themes: Annotated[tuple[ThemeInput, ...], Field(max_length=60)] = ()


class SetupInput(Input):
    """Another set-up of a room, and the seats in it."""

    setup: Setup
    seats: RoomSeats


def _in_order(setups: tuple[SetupInput, ...]) -> tuple[SetupInput, ...]:
    return tuple(sorted(setups, key=lambda one: SETUPS.index(one.setup)))


class RoomInput(Input):
    """A meeting room: its seats in its usual set-up, in other set-ups, and the minutes it takes to change between."""

    code: Slug
    name: ShortWords
    seats: RoomSeats
    listed: bool = True
    setup: Setup = "theatre"
    changeover_minutes: Annotated[int, Field(ge=0, le=480)] = 15
    setups: Annotated[tuple[SetupInput, ...], AfterValidator(_in_order)] = ()

    @model_validator(mode="after")
    def _each_setup_once(self) -> "RoomInput":
        named = [self.setup, *(one.setup for one in self.setups)]
        if len(set(named)) < len(named):
            raise PydanticCustomError("setup_twice", "setup twice")
        return self


class ColleagueInput(Input):
    """A role for whoever has this address; the name is for those who are not known yet, the language for the mail."""

    email: Email
    name: Line = ""
    role: Role
    language: Literal["en", "km"]
