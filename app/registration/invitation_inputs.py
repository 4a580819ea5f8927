"""What organisers send about invitations, validated once for all doors."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, EmailStr, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.kit.i18n import Lang
from app.kit.inputs import Day, Input, Line, Optional, Text
from app.registration.inputs import CategoryCode, FamilyName, Ticked, Titles
from app.registration.rules.invitations import LEAST_LETTERS, normal_code, tidy_code


def _code(typed: str) -> str:
    """A code of the organiser's own; an empty one is made."""
    if typed and len(normal_code(typed)) < LEAST_LETTERS:
        raise PydanticCustomError("code_too_short", "too easy to guess", {"min_length": LEAST_LETTERS})
    return tidy_code(typed)


class InvitationTerms(Input):
    """What every invitation says: to which category, until which day (local, to its end), and whether seats are kept.

    `reason` is filled where seats are to be kept beyond a limit or guarantee (rules §1.7).
    """

    category: CategoryCode
    reference: Line = ""
    reply_by: Day = None
    reserves: Ticked = False
    reason: Line = ""


class Guest(InvitationTerms):
    """A personal invitation, with the name as the form will have it; without an address the link is handed over."""

    email: Annotated[EmailStr | None, Optional] = None
    language: Lang
    titles: Titles = ()
    name_km: Line = ""
    family_name: FamilyName = Field(default="", validate_default=True)
    given_name: Line = ""
    display_name: Line = ""
    institution: Line = ""
    position_title: Line = ""


class CodeInput(InvitationTerms):
    """An invitation by code, to be used so many times."""

    code: Annotated[str, StringConstraints(max_length=24), AfterValidator(_code)] = ""
    uses: Annotated[int, Field(ge=1, le=500)]


class ReplyDate(Input):
    """Another day to reply by; none: no day."""

    reply_by: Day = None


class DeclineInput(Input):
    """An invited person's word with a no."""

    word: Text = ""


class SeveralInput(Input):
    """A list of people to invite, as pasted, with what is the same for all."""

    category: CategoryCode
    reference: Line = ""
    reply_by: Day = None
    reserves: Ticked = False
    reason: Line = ""
    language: Lang
    people: Annotated[str, StringConstraints(max_length=60_000), BeforeValidator(lambda text: text or "")]
