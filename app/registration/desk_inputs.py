"""What people at the desk may send about the table of registrations: tags, notes, views, many at once."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.kit.inputs import Filled, Input, Line, Text
from app.registration.inputs import CategoryCode, Ticked

TONES = ("river", "lotus", "rice", "red", "blue", "green", "purple", "yellow")
"""The tones of tags: those of tracks and of the categories' bands, from the tokens."""
ACTS = ("approve", "decline", "cancel", "move", "tag", "untag")
"""What can be done with many registrations at once."""


def _one_letter(text: str) -> str:
    found = text.strip().upper()
    if len(found) not in {1, 2} or not found.isalnum():
        raise PydanticCustomError("not_a_letter", "one or two letters or figures")
    return found


class TagInput(Input):
    """A tag: its name, one or two letters or figures, and a tone."""

    name: Annotated[Filled, StringConstraints(max_length=60)]
    letter: Annotated[Line, AfterValidator(_one_letter)]
    tone: Literal["river", "lotus", "rice", "red", "blue", "green", "purple", "yellow"]


def _some_words(text: str) -> str:
    if not text:
        raise PydanticCustomError("missing", "missing")
    return text


class NoteInput(Input):
    """A note about a registration, for the desk alone."""

    words: Annotated[Text, AfterValidator(_some_words)]


class ViewInput(Input):
    """A view's name, who has it, and whether it is what its owner sees first."""

    name: Annotated[Filled, StringConstraints(max_length=60)]
    shared: Ticked = False
    usual: Ticked = False


Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""The number of a row."""


class BulkInput(Input):
    """What is to be done with many: `to` which group, or `with_tag` which mark; the note stays in each history."""

    act: Literal["approve", "decline", "cancel", "move", "tag", "untag"]
    to: CategoryCode | Literal[""] = ""
    with_tag: Number | None = None
    note: Text = ""
