"""What any answer may be: an example for the document, a page of a list, what a deed did.

Times are instants in UTC, days are those of the forum; texts are in both languages.
"""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Item = TypeVar("Item")
WHEN = "2026-12-01T03:00:00Z"


def example(**values: Any) -> ConfigDict:
    """The configuration of a shape with an example in the document."""
    return ConfigDict(from_attributes=True, json_schema_extra={"examples": [values]})


class Page(BaseModel, Generic[Item]):
    """A part of a list. `after` is the mark with which the next part is asked for, null at the end; the Link header
    has the whole address."""

    items: list[Item]
    after: str | None = None


class Numbered(BaseModel):
    """A thing by its number."""

    model_config = example(id=4)

    id: int


class Coded(BaseModel):
    """A thing by its code."""

    model_config = example(code="K3TP9QA")

    code: str


class Changed(BaseModel):
    """Whether anything is other than before."""

    model_config = example(changed=True)

    changed: bool


class Counted(BaseModel):
    """How many were touched."""

    model_config = example(number=3)

    number: int
