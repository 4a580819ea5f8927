"""The settings of a forum by parts, as an organiser may send them; each part is saved and taken back whole."""

from collections.abc import Mapping
from math import isfinite
from typing import Annotated

from pydantic import AfterValidator, EmailStr, Field, model_validator
from pydantic_core import PydanticCustomError, PydanticKnownError

from app.forum.inputs import Language, ObjectiveInput, TimeZone, TrackInput
from app.kit.i18n import Bilingual
from app.kit.inputs import Day, Input, Line, Optional, ShortText, ShortWords, Words

MOST_LETTERS = 7000
"""The longest text of a forum: so many Khmer letters still fit into one field of a form."""


def _fits(text: Bilingual) -> Bilingual:
    if max(len(text.en), len(text.km)) > MOST_LETTERS:
        raise PydanticKnownError("string_too_long", {"max_length": MOST_LETTERS})
    return text


LongWords = Annotated[Words, AfterValidator(_fits)]


def _finite(degrees: float) -> float:
    if not isfinite(degrees):
        raise PydanticCustomError("not_a_number", "not a number")
    return degrees


Latitude = Annotated[float, Field(ge=-90, le=90), AfterValidator(_finite)]
Longitude = Annotated[float, Field(ge=-180, le=180), AfterValidator(_finite)]


class Pair(Input):
    """A text in both languages, or in neither."""

    en: ShortText = ""
    km: ShortText = ""

    @model_validator(mode="after")
    def _both_or_none(self) -> "Pair":
        if bool(self.en) != bool(self.km):
            raise PydanticCustomError("both_languages", "both languages")
        return self


class WordsPart(Input):
    """What the forum says of itself."""

    format_label: ShortWords
    title: ShortWords
    short_title: ShortWords
    summary: ShortWords
    central_question: ShortWords
    about: LongWords
    participants: ShortWords


class DatesPart(Input):
    """When it is held, both days empty for "to be announced", and which languages are spoken there."""

    starts_on: Day = None
    ends_on: Day = None
    timezone: TimeZone
    languages: Annotated[tuple[Language, ...], AfterValidator(lambda sent: tuple(dict.fromkeys(sent)))]

    @model_validator(mode="after")
    def _makes_sense(self) -> "DatesPart":
        if (self.starts_on is None) != (self.ends_on is None):
            raise PydanticCustomError("both_dates_or_none", "both dates or none")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise PydanticCustomError("ends_before_start", "ends before start")
        return self


class PlacePart(Input):
    """Where it is held, empty for "to be announced"; the point on the map in degrees (WGS 84), both or none."""

    venue_name: Pair
    venue_address: Pair
    venue_note: Pair
    latitude: Annotated[Latitude | None, Optional] = None
    longitude: Annotated[Longitude | None, Optional] = None

    @model_validator(mode="after")
    def _makes_sense(self) -> "PlacePart":
        if (self.latitude is None) != (self.longitude is None):
            raise PydanticCustomError("half_a_point", "half a point")
        return self


class ContactPart(Input):
    """The person named on the forum's page, empty for nobody, and who answers questions about registration."""

    contact_name: Line = ""
    contact_role: Pair
    contact_phones: Annotated[tuple[Line, ...], Field(max_length=5)] = ()
    office_name: ShortWords
    office_email: EmailStr
    office_phone: Line = ""
    office_note: Pair

    @model_validator(mode="after")
    def _makes_sense(self) -> "ContactPart":
        if self.contact_name and not self.contact_role.en:
            raise PydanticCustomError("contact_without_role", "a contact without a role")
        return self


class TopicsPart(Input):
    """Objectives, and the main topics with their themes, in the order of the pages."""

    objectives: Annotated[tuple[ObjectiveInput, ...], Field(max_length=40)]
    tracks: Annotated[tuple[TrackInput, ...], Field(max_length=12)]

    @model_validator(mode="after")
    def _each_once(self) -> "TopicsPart":
        themes = [theme.slug for track in self.tracks for theme in track.themes]
        named = ([aim.number for aim in self.objectives], [track.code for track in self.tracks], themes)
        if any(len(set(each)) < len(each) for each in (*named, [track.slug for track in self.tracks])):
            raise PydanticCustomError("topic_twice", "named twice")
        return self


class StandingPart(Input):
    """Whether everybody may see the forum, and whether the first page of the site leads to it."""

    public: bool
    featured: bool


PARTS: Mapping[str, type[Input]] = {
    "words": WordsPart,
    "dates": DatesPart,
    "place": PlacePart,
    "contact": ContactPart,
    "topics": TopicsPart,
    "standing": StandingPart,
}
"""Every part of the settings that this room keeps, in the order of the desk."""
