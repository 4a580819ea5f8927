"""What protocol sends about the order of precedence."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from app.forum.inputs import Slug
from app.kit.inputs import Day, Filled, Input, Line, ShortWords
from app.registration.inputs import CategoryCode, ticked

MOST_WORDS, MOST_RUNGS = 40, 60


def _each_line(value: object) -> object:
    """Words typed one to a line."""
    return [line for line in value.splitlines() if line.strip()] if isinstance(value, str) else value


Beginnings = Annotated[tuple[Filled, ...], Field(max_length=MOST_WORDS), BeforeValidator(_each_line)]
"""How titles or functions begin, one to a line."""


class RungInput(Input):
    """A rung of the ladder and who stands on it; what is left empty is not asked."""

    name: ShortWords
    categories: Annotated[tuple[CategoryCode, ...], Field(max_length=MOST_WORDS)] = ()
    titles: Beginnings = ()
    functions: Beginnings = ()
    heads: Annotated[bool, BeforeValidator(ticked)] = False


class CodedRung(RungInput):
    """A rung as a forum's file has it, with the code that stays its own."""

    code: Slug


class LadderInput(Input):
    """A whole ladder, the highest rung first."""

    alphabet: Literal["en", "fr", "km"] = "en"
    rungs: Annotated[tuple[CodedRung, ...], Field(max_length=MOST_RUNGS)]


class RankInput(Input):
    """A person's rung, by its code; "" where the ladder's own rule holds. Put on one by hand only with a reason."""

    rung: Line = ""
    since: Day = None
    reason: Line = ""
