"""What people may send about registration, validated once for all doors."""

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Literal, Self

import phonenumbers
from pydantic import (
    AfterValidator,
    BeforeValidator,
    EmailStr,
    Field,
    StringConstraints,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.kit.i18n import Lang, latin_digits
from app.kit.inputs import Chosen, Filled, Input, Instant, Line, ShortWords, Text, Words
from app.registration.rules.countries import COUNTRIES
from app.registration.rules.questions import CHOSEN, Kind

Seats = Annotated[int, Field(ge=0, le=100_000)]
CategoryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,7}$"), Chosen()]
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

    opens_at: Instant | None = None
    closes_at: Instant | None = None


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

    opens_at: Instant | None = None
    closes_at: Instant | None = None
    lapses_at: Instant | None = None


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


def _no_address(text: str) -> str:
    """A name goes to whatever address was typed beside it, in a mail of ours: it is no way to send somebody a link."""
    if _ADDRESS.search(text):
        raise PydanticCustomError("name_is_address", "the address of a page")
    return text


_ADDRESS = re.compile(r"://|\bwww\.|\w\.[a-z]{2,}/", re.IGNORECASE)
NamePart = Annotated[Line, AfterValidator(_no_address)]


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


Titles = Annotated[tuple[NamePart, ...], BeforeValidator(_titles), Field(max_length=8)]
"""Titles in the order they are used."""

FamilyName = Annotated[NamePart, AfterValidator(_some_name)]
"""A family name; it may be empty where there is a `name_km`, which stands before it."""


def _readable(text: str) -> str:
    """A name is empty or has a letter in it: signs and invisible letters alone would be a line without a name."""
    if text and not any(unicodedata.category(letter)[0] == "L" for letter in text if letter not in _NO_LETTERS):
        raise PydanticCustomError("name_missing", "a name")
    return text


_NO_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Fillers that Unicode counts as letters and that draw nothing."""
Name = Annotated[NamePart, AfterValidator(_readable)]


class Person(Input):
    """Who attends, as typed: nothing is re-cased or computed over. The typed display name stands as it is.

    `name_order` is what the person says of the Latin name; empty is nothing said, and nothing is guessed.
    """

    titles: Titles = ()
    name_km: Name = ""
    family_name: Annotated[Name, AfterValidator(_some_name)] = Field(default="", validate_default=True)
    given_name: Name = ""
    name_order: Literal["", "family", "given"] = ""
    display_name: Name = ""
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


Ticked = Annotated[bool, BeforeValidator(ticked)]
"""A box that may be ticked."""


def _is_sure(ticked: bool) -> bool:
    if not ticked:
        raise PydanticCustomError("sure_missing", "sure")
    return ticked


class SureInput(Input):
    """A box to tick before something that cannot be taken back."""

    sure: Annotated[bool, BeforeValidator(ticked), AfterValidator(_is_sure)] = Field(
        default=False, validate_default=True
    )


def _consents(ticked: bool) -> bool:
    if not ticked:
        raise PydanticCustomError("consent_missing", "consent")
    return ticked


_PLAIN = re.compile(
    r"(?=[^@]{1,64}@)(?!.*[^.@]{64})[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@"
    r"(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+(?!(?:arpa|invalid|local|localhost|onion|test)\Z)[a-z]{2,}"
)
"""Addresses as nearly everybody's are: those in which nothing is to be looked up, put right or refused."""


def _mailbox(text: object, look: ValidatorFunctionWrapHandler) -> object:
    """An address as it is where it is a plain one; every other is looked at letter by letter, which is most of what
    reading a form takes."""
    plain = isinstance(text, str) and len(text) <= LONGEST_ADDRESS and _PLAIN.fullmatch(text)
    return text if plain else look(text)


LONGEST_ADDRESS = 254
Mailbox = Annotated[EmailStr, StringConstraints(max_length=LONGEST_ADDRESS), WrapValidator(_mailbox)]
"""An e-mail address."""


def _assistant(name: str, sent: ValidationInfo) -> str:
    """Whoever registers somebody else says who they are; what was typed there before choosing "myself" is dropped."""
    whom = sent.data.get("for_whom")
    if whom == "other" and not name:
        raise PydanticCustomError("assistant_missing", "the assistant's name")
    return "" if whom == "self" else name


class ApplicationInput(Person):
    """A request to attend. `assistant_name` is filled where somebody registers a principal: mail goes to the
    assistant's address, badge and lists name the principal. `for_whom` is the form's choice between the two."""

    category: CategoryCode
    language: Lang
    email: Mailbox
    for_whom: Literal["", "self", "other"] = ""
    assistant_name: Annotated[NamePart, AfterValidator(_assistant)] = Field(default="", validate_default=True)
    consent: Annotated[bool, BeforeValidator(ticked), AfterValidator(_consents)] = Field(
        default=False, validate_default=True
    )


QuestionCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
OptionValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class OptionInput(Input):
    """One of the choices of a question: the value that is kept, and its words."""

    value: OptionValue
    label: ShortWords


class QuestionInput(Input):
    """A question of a forum; `categories` empty: of all. See `models.Question`. A consent's label is its wording."""

    code: QuestionCode
    kind: Kind
    categories: Annotated[tuple[CategoryCode, ...], Field(max_length=60)] = ()
    label: ShortWords
    help: ShortWords | None = None
    why: ShortWords
    required: bool = False
    sensitive: bool = False
    options: Annotated[tuple[OptionInput, ...], Field(max_length=100)] = ()
    shown_if: QuestionCode | Literal[""] = ""
    shown_for: Annotated[tuple[OptionValue, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        values = [option.value for option in self.options]
        if bool(values) != (self.kind in CHOSEN):
            raise PydanticCustomError("options_missing", "options")
        if len(set(values)) != len(values):
            raise PydanticCustomError("options_twice", "options twice")
        if bool(self.shown_if) != bool(self.shown_for):
            raise PydanticCustomError("condition_half", "half a condition")
        return self


class CompanionInput(Person):
    """Somebody who comes along: a person, and the class of badges."""

    category: CategoryCode


class DecisionInput(Input):
    """An organiser's word on an application; the note is for the history and not sent."""

    note: Text = ""


class MoveInput(Input):
    """Another category for an application."""

    category: CategoryCode
    note: Line = ""


def _number(value: object) -> object:
    """A number typed in a field, in the digits of either language; empty is none."""
    if not isinstance(value, str):
        return value
    text = latin_digits(value).strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text


class PlacesInput(Input):
    """How many places a session has for sign-up; empty for open seating."""

    places: Annotated[Seats | None, BeforeValidator(_number)] = None


class ListInput(Input):
    """Whom an organiser puts on a session's list, by the registration's code; `forced` in spite of a clash."""

    registration: Annotated[Line, Field(max_length=32), AfterValidator(str.upper)]
    forced: Annotated[bool, BeforeValidator(ticked)] = False


class HoldBackInput(Input):
    """Seats to keep back: how many, in which category, what for, until when (UTC; None: until released by hand).

    A `reason` takes those beyond limit and guarantees that the rule does not give (rules §1.7).
    """

    category: CategoryCode
    seats: Annotated[int, Field(ge=1, le=500)]
    purpose: Filled
    release_at: Instant | None = None
    reason: Line = ""


class ReasonInput(Input):
    """Why something is done beyond the rule; it stays in the history."""

    reason: Filled


class HeldBackInput(Input):
    """Which hold-back a registration gets a seat of, by its id."""

    hold_back: Annotated[int, Field(ge=1, le=2**31 - 1)]


class PriorityInput(Input):
    """How far somebody goes before others in the queue: 0 is the usual; above it with a reason (rules §1.3)."""

    priority: Annotated[int, Field(ge=0, le=9)]
    reason: Line = ""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.priority and not self.reason:
            raise PydanticCustomError("reason_missing", "a reason")
        return self
