"""What organisers and focal points may send about delegations (rules §3)."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, EmailStr, Field, StringConstraints

from app.kit.i18n import Lang, latin_digits
from app.kit.inputs import Filled, Input, Instant, Line, Optional, Text
from app.registration.inputs import CategoryCode, Person, country_code, ticked

MOST_SEATS = 1000
"""More seats than any delegation is given."""


def _number(value: object) -> object:
    """A number as typed, in either script."""
    return latin_digits(value).strip() if isinstance(value, str) else value


Number = Annotated[int, BeforeValidator(_number), Field(ge=1, le=MOST_SEATS)]
Ticked = Annotated[bool, BeforeValidator(ticked)]
Address = Annotated[EmailStr, StringConstraints(max_length=254)]


class DelegationInput(Input):
    """Who is invited and who keeps the seats; the deadline is an instant."""

    institution: Filled
    institution_km: Line = ""
    country: Annotated[str, AfterValidator(country_code)] = ""
    reference: Line = ""
    deadline: Instant
    focal_name: Filled
    focal_email: Address
    language: Lang


class SeatsInput(Input):
    """How many seats; why another number than the other parties'; and, beyond a limit or guarantee, why."""

    seats: Number
    uneven_reason: Line = ""
    over: Ticked = False
    over_reason: Line = ""


class InvitingInput(DelegationInput, SeatsInput):
    """A new delegation with its seats in a category."""

    category: CategoryCode


class ShareInput(Input):
    """The seats every party has."""

    seats: Number


class HandBackInput(Input):
    """How many unnamed seats a focal point gives back."""

    seats: Number


class WithdrawalInput(Input):
    """Whether those who are named lose their seats as well; the note is for the history and not sent."""

    people: Ticked = False
    note: Text = ""


class DelegateInput(Person):
    """Somebody whom a focal point names. Without an address of their own, mail about them goes to the focal point."""

    email: Annotated[Address | None, Optional] = None
    language: Annotated[Lang | None, Optional] = None
    heads: Ticked = False
