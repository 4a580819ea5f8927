"""What a program sends where a form of the desk sends something else; everything else is the rooms' own inputs."""

from datetime import date
from typing import Annotated, Literal

from fastapi import Body
from pydantic import Field, StringConstraints

from app.accounts.rules import Role
from app.forum.inputs import Slug
from app.kit.i18n import Bilingual
from app.kit.inputs import Filled, Input, Line, Text
from app.programme.inputs import AlterInput, FirstDay, MoveInput, TypedSession
from app.programme.receiving import LONGEST
from app.programme.reverting import Since
from app.registration.inputs import ApplicationInput, CategoryInput, TermsInput


def sent(**values: object) -> object:
    """The body of a request, with an example in the document."""
    return Body(examples=[values])


class EnteredInput(Input):
    """Somebody whom an organiser registers, with a note that stays in the history."""

    person: ApplicationInput
    note: Text = ""


class NumbersInput(Input):
    """The forum's numbers, whole. What would stand over a limit or the capacity is refused unless that is meant."""

    terms: TermsInput
    categories: Annotated[tuple[CategoryInput, ...], Field(max_length=60)]
    over_is_meant: bool = False


class DraftInput(Input):
    """A session, and why conflicts that it makes may stand."""

    session: TypedSession
    reason: Line = ""


class ReasonOnly(Input):
    """Why conflicts may stand; nothing where there are none."""

    reason: Line = ""


class VersionInput(Input):
    """A new version: the mark of the difference that was looked at, a note in both languages or none, and why what
    stands in the way may stand."""

    mark: Filled
    note: Bilingual | None = None
    reason: Line = ""


class TakenRole(Input):
    """A role that is taken away."""

    role: Role


class LanguageInput(Input):
    """The language of a mail."""

    language: Literal["en", "km"] = "en"


class PlaceInput(Input):
    """One place up in an order, or down."""

    up: bool


class RetiredInput(Input):
    """Whether a question is asked no more."""

    retired: bool


class RetentionInput(Input):
    """The day on which what is sensitive is purged; null for none."""

    retention_on: date | None


class SessionMoveInput(MoveInput):
    """Another time, length or room of a session, and why conflicts that it makes may stand."""


class ConflictReasonInput(Input):
    """Why a hard conflict may stand, which is named as `GET /conflicts` names it. Without words it may no more."""

    kind: Filled
    codes: Annotated[tuple[Filled, ...], Field(min_length=1, max_length=60)]
    where: Annotated[tuple[Filled, ...], Field(max_length=60)] = ()
    reason: Line = ""


class UndoInput(Input):
    """The edition of the session as you have seen it (0 where it is not there), and why conflicts may stand."""

    edition: Annotated[int, Field(ge=0, le=2**31 - 1)]
    reason: Line = ""


class CopyingInput(AlterInput):
    """Another edition's programme: its forum, the first day here, whether its speakers and its closed sessions come
    along; the mark of what was looked at, and why conflicts may stand."""

    source: Slug
    first_day: FirstDay
    speakers: bool = False
    closed: bool = False


class ImportInput(AlterInput):
    """The table that was looked at, sealed as it was given, the mark of what it would change, and why conflicts that it
    makes may stand."""

    table: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]


class ReturnInput(AlterInput):
    """The mark of what was looked at, why conflicts may stand, and what becomes of sessions that came since."""

    since: Since = "leave"


class MergeInput(Input):
    """Which of the two is kept, their editions and those of their chosen sessions (`picks`) as you have seen them in
    `GET /duplicates/{first}/{second}`: that of the kept one first in both."""

    keep: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9-]{0,31}$")]
    editions: tuple[Annotated[int, Field(ge=0, le=2**31 - 1)], Annotated[int, Field(ge=0, le=2**31 - 1)]]
    picks: tuple[Annotated[int, Field(ge=0, le=2**31 - 1)], Annotated[int, Field(ge=0, le=2**31 - 1)]] = (0, 0)
