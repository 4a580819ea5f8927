"""The words of the groups of participants at the desk: names, descriptions, letters and colours on badges.

What a group may have of the hall stands in its numbers (`arranging.py`); this is all that people read of it.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.forum.setting import State, edit_of, mark_of, remember
from app.kit.db import Db, table
from app.kit.errors import Conflict, Refused
from app.kit.i18n import Bilingual
from app.kit.inputs import Input, ShortWords, parse
from app.kit.pen import republish
from app.registration.inputs import Band, CategoryCode, Letter
from app.registration.models import Category

GROUPS = "groups"
"""The part of the settings that this room keeps."""
_categories = table(Category)
_SAID = ("letter", "band", "name", "description")


class GroupInput(Input):
    """What is said of one group."""

    code: CategoryCode
    letter: Letter
    band: Band
    name: ShortWords
    description: ShortWords


class GroupsPart(Input):
    """What is said of every group, in their order. No two have one letter."""

    groups: Annotated[tuple[GroupInput, ...], Field(max_length=60)]

    @model_validator(mode="after")
    def _a_letter_each(self) -> "GroupsPart":
        if len({group.letter for group in self.groups}) < len(self.groups):
            raise PydanticCustomError("letter_twice", "a letter twice")
        return self


def groups_state(db: Db, forum: Forum) -> State:
    """The groups' words as JSON values, in the form of `GroupsPart`. One query."""
    return {"groups": [_said(row) for row in _rows(db, forum)]}


def put_groups(db: Db, by: Actor, forum: Forum, sent: GroupsPart, *, mark: str, now: datetime) -> bool:
    """Bring the groups' words to what was sent if they still are what `mark` says; says whether anything changed.

    Badges and lists made before keep their letters. Raises Forbidden or NotFound; Conflict("setting_changed");
    Refused("groups_differ") where other groups are named than there are.
    """
    by.must(Permission.EDIT_FORUM, forum_id(forum))
    before, after = groups_state(db, forum), sent.model_dump(mode="json")
    if mark_of(before) != mark:
        raise Conflict("setting_changed")
    rows = {row.code: row for row in _rows(db, forum)}
    if list(rows) != [group.code for group in sent.groups]:
        raise Refused("groups_differ")
    if before == after:
        return False
    for group in sent.groups:
        row = rows[group.code]
        for name in _SAID:
            setattr(row, name, getattr(group, name))
        db.add(row)
    db.flush()
    remember(db, by, forum, GROUPS, before, after, now=now)
    changed = [one["code"] for one, other in zip(after["groups"], before["groups"], strict=True) if one != other]
    record(db, forum.slug, by.signature, "category.worded", f"forum:{forum.slug}", now=now, after={"changed": changed})
    republish(db, forum.slug)
    return True


def take_back_groups(db: Db, by: Actor, forum: Forum, number: int, *, now: datetime) -> bool:
    """Bring the groups' words back to what stood before a change, as a change of its own.

    Raises as `put_groups`; NotFound; Conflict("setting_moved_on") where they were changed again since.
    """
    by.must(Permission.EDIT_FORUM, forum_id(forum))
    edit, present = edit_of(db, forum, number), groups_state(db, forum)
    if edit.part != GROUPS or present != edit.after:
        raise Conflict("setting_moved_on")
    return put_groups(db, by, forum, parse(GroupsPart, edit.before), mark=mark_of(present), now=now)


def _rows(db: Db, forum: Forum) -> list[Category]:
    wanted = select(Category).where(_categories.c.forum_id == forum_id(forum)).order_by(_categories.c.position)
    return list(db.execute(wanted).scalars())


def _said(row: Category) -> dict[str, Any]:
    return {
        "code": row.code,
        "letter": row.letter,
        "band": row.band,
        "name": _pair(row.name),
        "description": _pair(row.description),
    }


def _pair(text: Bilingual) -> dict[str, str]:
    return {"en": text.en, "km": text.km}
