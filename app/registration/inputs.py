"""What people may send about registration, validated once for all doors."""

from datetime import datetime
from typing import Annotated, Literal, Self

import phonenumbers
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    EmailStr,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.kit.i18n import Lang, latin_digits
from app.kit.inputs import Input, Line, Text, Words
from app.registration.rules.countries import COUNTRIES

Seats = Annotated[int, Field(ge=0, le=100_000)]
CategoryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,7}$")]
Letter = Annotated[str, StringConstraints(pattern=r"^[A-Z]$")]
Band = Literal["red", "blue", "green", "purple", "yellow"]
Mode = Literal["open", "moderated", "invitation"]


class TermsNumbers(Input):
    """How a forum registers: capacity and target in seats, hours to confirm or to accept an offer.

    The times are local in a forum file and instants everywhere else: those who say which stand below.
    """

    opens_at: datetime | None = None
    closes_at: datetime | None = None
    capacity: Seats
    target: Seats
    confirm_hours: Annotated[int, Field(ge=1, le=24 * 60)] = 48
    promotion: Literal["seat", "offer"] = "seat"
    offer_hours: Annotated[int, Field(ge=1, le=24 * 60)] = 48

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.opens_at and self.closes_at and self.closes_at <= self.opens_at:
            raise PydanticCustomError("ends_before_start", "closes before opening")
        if self.target > self.capacity:
            raise PydanticCustomError("target_above_capacity", "target above capacity")
        return self


class TermsInput(TermsNumbers):
    """The terms with their times in UTC."""

    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None


class CategoryWords(Input):
    """A kind of participant; guarantee and limit in seats. One that is not `in_hall` is a class of badges with its own
    limit: there is nothing to guarantee. Its times, if any, go before the forum's."""

    code: CategoryCode
    letter: Letter
    band: Band
    name: Words
    description: Words
    source: Text = ""
    mode: Mode
    hold_while_reviewing: bool = False
    in_hall: bool = True
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    guarantee: Seats
    limit: Seats | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.opens_at and self.closes_at and self.closes_at <= self.opens_at:
            raise PydanticCustomError("ends_before_start", "closes before opening")
        if not self.in_hall and self.guarantee:
            raise PydanticCustomError("guarantee_outside", "a guarantee outside the hall")
        return self


class CategoryInput(CategoryWords):
    """A category with its times and the lapse of its guarantee in UTC."""

    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None
    lapses_at: AwareDatetime | None = None


class SignUpInput(Input):
    """How many places a session that asks for sign-up has."""

    session: str
    places: Seats


def _phone(text: str) -> str:
    """A number as dialled from Cambodia or abroad, in international form; Khmer digits are read too."""
    if not text:
        return ""
    try:
        number = phonenumbers.parse(latin_digits(text), "KH")
    except phonenumbers.NumberParseException:
        raise PydanticCustomError("not_a_phone", "not a phone number") from None
    if not phonenumbers.is_possible_number(number):
        raise PydanticCustomError("not_a_phone", "not a phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def country_code(code: str) -> str:
    """A country's code from the list, or nothing."""
    if code and code not in COUNTRIES:
        raise PydanticCustomError("not_a_choice", "not a country")
    return code


def _titles(value: object) -> object:
    """Titles typed in one field, one per line or between commas, kept in their order."""
    if isinstance(value, str):
        return [part.strip() for line in value.splitlines() for part in line.split(",") if part.strip()]
    return value


def _some_name(family_name: str, sent: ValidationInfo) -> str:
    """A person has a family name in Latin letters or a name in Khmer; a faulty Khmer name is its own fault."""
    if not family_name and sent.data.get("name_km") == "":
        raise PydanticCustomError("name_missing", "a name")
    return family_name


class Person(Input):
    """Who attends, as typed: nothing is re-cased or computed over. The typed display name stands as it is."""

    titles: Annotated[tuple[Line, ...], BeforeValidator(_titles), Field(max_length=8)] = ()
    name_km: Line = ""
    family_name: Annotated[Line, AfterValidator(_some_name)] = Field(default="", validate_default=True)
    given_name: Line = ""
    display_name: Line = ""
    attends_as: Literal["official", "private"] = "official"
    institution: Line = ""
    position_title: Line = ""
    country: Annotated[str, AfterValidator(country_code)] = ""
    phone: Annotated[Line, AfterValidator(_phone)] = ""
    meals: Line = ""
    access: Text = ""


def ticked(value: object) -> bool:
    """Was a box ticked?"""
    return value is True or value in ("yes", "on", "1")


def _consents(ticked: bool) -> bool:
    if not ticked:
        raise PydanticCustomError("consent_missing", "consent")
    return ticked


class ApplicationInput(Person):
    """A request to attend. `assistant_name` is filled where somebody registers a principal: mail goes to the
    assistant's address, badge and lists name the principal."""

    category: CategoryCode
    language: Lang
    email: Annotated[EmailStr, StringConstraints(max_length=254)]
    assistant_name: Line = ""
    consent: Annotated[bool, BeforeValidator(ticked), AfterValidator(_consents)] = Field(
        default=False, validate_default=True
    )


class DecisionInput(Input):
    """An organiser's word on an application; the note is for the history and not sent."""

    note: Text = ""


class MoveInput(Input):
    """Another category for an application."""

    category: CategoryCode
    note: Line = ""
