"""The settings by parts and the changes of them, and a new edition."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from app.api.shapes.general import WHEN, example

Part = TypeVar("Part")


class SettingShape(BaseModel, Generic[Part]):
    """A part of the settings as it would be sent."""

    part: str
    setting: Part


class SettingChangeLine(BaseModel):
    """A change of the settings: of which part, what of it, by whom. `last`: nothing of the part was changed since, so
    it may be taken back."""

    model_config = example(id=7, part="dates", at=WHEN, by_name="Sokha Meas", changed=["ends_on"], last=True)

    id: int
    part: str
    at: datetime
    by_name: str
    changed: list[str] = Field(description="Empty where its words are kept no more, as earlier contacts are not.")
    last: bool


class SettingChangeShape(BaseModel):
    """A change of the settings with the part before and after it, in the form in which it is sent."""

    model_config = example(
        change={"id": 7, "part": "dates", "at": WHEN, "by_name": "Sokha Meas", "changed": ["ends_on"], "last": True},
        before={"starts_on": "2027-03-23", "ends_on": "2027-03-24"},
        after={"starts_on": "2027-03-23", "ends_on": "2027-03-25"},
    )

    change: SettingChangeLine
    before: dict[str, Any]
    after: dict[str, Any]


class CopyableShape(BaseModel):
    """How many of each there are that a new edition may take along."""

    model_config = example(
        takes={"place": 12, "topics": 8, "numbers": 11, "programme": 28, "closed": 1, "speakers": 40}
    )

    takes: dict[str, int]


class OpenedShape(BaseModel):
    """A new edition. `programme`: its sessions came along; null where none were asked for, false where they could not.

    A token is for one forum, so what is done there is done by another.
    """

    model_config = example(slug="phnom-penh-2028", programme=True)

    slug: str
    programme: bool | None
