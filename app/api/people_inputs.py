"""What a program sends about registrations where a form of the desk sends something else, and many at once."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.api.asking import Question
from app.kit.inputs import Input, Line
from app.registration.desk_inputs import BulkInput, Number
from app.registration.tagging import MOST


class DetailsInput(Input):
    """The details that the desk's list puts right, whole. Of somebody in a private capacity nobody is told institution
    and position: null leaves them as they are."""

    family_name: Line = ""
    given_name: Line = ""
    name_km: Line = ""
    institution: Line | None = None
    position_title: Line | None = None
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = ""
    attends_as: Literal["official", "private"]


class MarksInput(Input):
    """The tags of a registration, whole, by their numbers."""

    tags: Annotated[list[Number], Field(max_length=MOST)]


class ManyInput(BulkInput):
    """What is to be done with everybody whom `of` means, under the mark of what was looked at."""

    of: Question
    mark: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,64}$")]
