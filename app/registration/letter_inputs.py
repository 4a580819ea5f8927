"""What a person gives for a letter, validated once for all doors."""

import unicodedata
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from app.kit.i18n import Lang, latin_digits
from app.kit.inputs import Day, Filled, Input
from app.kit.printing import can_be_set
from app.registration.inputs import country_code

_BESIDE = frozenset(" -'’.,\u02bb\u02bc")


def _as_in_passport(name: str) -> str:
    """Passports are read by machines: Latin letters, spaces, hyphens and apostrophes; kept as typed, and printed so."""
    for letter in name:
        latin = letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN")
        if not (latin or letter in _BESIDE or unicodedata.name(letter, "").startswith("COMBINING")):
            raise PydanticCustomError("not_latin", "not in Latin letters")
    if not any(letter.isalpha() for letter in name):
        raise PydanticCustomError("not_latin", "not in Latin letters")
    if not can_be_set(name):
        raise PydanticCustomError("not_printable", "not in our typefaces")
    return name


def _number(text: object) -> object:
    return latin_digits(text).replace(" ", "").upper() if isinstance(text, str) else text


def _nationality(code: str, sent: ValidationInfo) -> str:
    if not code and sent.data.get("kind") == "visa":
        raise PydanticCustomError("not_chosen", "not chosen")
    return country_code(code)


def _of_somebody_alive(day: date | None) -> date | None:
    if day is not None and not date(1900, 1, 1) <= day <= date(2100, 1, 1):
        raise PydanticCustomError("not_a_day", "not a date of birth")
    return day


class LetterInput(Input):
    """A letter to make. The name is printed exactly as given; number and date of birth are for who wants them printed.

    An embassy asks for the nationality, so a letter for a visa needs it.
    """

    kind: Literal["visa", "invitation"]
    language: Lang
    passport_name: Annotated[Filled, StringConstraints(max_length=120), AfterValidator(_as_in_passport)]
    passport_number: Annotated[
        str, BeforeValidator(_number), StringConstraints(pattern=r"^([A-Z0-9]{5,20})?$", max_length=20)
    ] = ""
    nationality: Annotated[str, AfterValidator(_nationality)] = Field(default="", validate_default=True)
    birth_date: Annotated[Day, AfterValidator(_of_somebody_alive)] = None
