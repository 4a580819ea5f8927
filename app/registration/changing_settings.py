"""The settings of a forum by parts, whichever room keeps one: a part is read, changed and taken back here."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum import setting
from app.forum.models import Forum, SettingEdit
from app.forum.queries import forum_id
from app.forum.setting import State, edit_of, edits_of
from app.forum.setting_inputs import PARTS
from app.kit.db import Db
from app.kit.errors import NotFound, Refused
from app.kit.inputs import Input
from app.programme.queries import topics_used
from app.registration.naming_groups import GROUPS, GroupsPart, groups_state, put_groups, take_back_groups
from app.registration.retaining import retention_of

INPUTS: Mapping[str, type[Input]] = {**PARTS, GROUPS: GroupsPart}
"""What each part is sent as."""
NAMES = ("words", "dates", "place", "contact", "topics", GROUPS, "standing")
"""The parts in the order of the desk."""


def part_of(db: Db, by: Actor, forum: Forum, part: str) -> State:
    """A part as it stands, as JSON values in the form of its input. Raises Forbidden without `edit_forum`; NotFound
    for a part that is none. At most three queries."""
    by.must(Permission.EDIT_FORUM, forum_id(forum))
    return groups_state(db, forum) if part == GROUPS else setting.state_of(db, forum, part)


def change_part(db: Db, by: Actor, forum: Forum, part: str, sent: Input, *, mark: str, now: datetime) -> bool:
    """Bring a part to what was sent if it still is what `mark` (`setting.mark_of`) says; says whether anything changed.

    Raises as `setting.put_part` and `put_groups`; Refused("retention_before_end") where the last day would lie behind
    the day of the purge.
    """
    if isinstance(sent, GroupsPart):
        return put_groups(db, by, forum, sent, mark=mark, now=now)
    _refuse_if_purged_before(db, forum, getattr(sent, "ends_on", None))
    return setting.put_part(db, by, forum, part, sent, mark=mark, now=now, used=_used(db, forum, part))


def changes_of(db: Db, by: Actor, forum: Forum, *, most: int = 60, before: int | None = None) -> list[SettingEdit]:
    """The changes of the settings, the newest first, those before the change of a number. Raises Forbidden without
    `edit_forum`. One query."""
    by.must(Permission.EDIT_FORUM, forum_id(forum))
    return edits_of(db, forum, most=most, before=before)


def change_of(db: Db, by: Actor, forum: Forum, number: int) -> SettingEdit:
    """One change of the settings. Raises Forbidden without `edit_forum`, NotFound. One query."""
    by.must(Permission.EDIT_FORUM, forum_id(forum))
    return edit_of(db, forum, number)


def take_back_change(db: Db, by: Actor, forum: Forum, number: int, *, now: datetime, part: str | None = None) -> bool:
    """Bring a part back to what stood before a change, as a change of its own. With `part`, only a change of that.

    Raises as `change_part`; NotFound; Conflict("setting_moved_on") where it was changed again since.
    """
    by.must(Permission.EDIT_FORUM, forum_id(forum))
    edit = edit_of(db, forum, number)
    if part not in {None, edit.part}:
        raise NotFound
    if edit.part == GROUPS:
        return take_back_groups(db, by, forum, number, now=now)
    if ends_on := edit.before.get("ends_on"):
        _refuse_if_purged_before(db, forum, date.fromisoformat(ends_on))
    return setting.take_back(db, by, forum, number, now=now, used=_used(db, forum, edit.part))


def _used(db: Db, forum: Forum, part: str) -> Mapping[str, Collection[str]]:
    return topics_used(db, forum_id(forum)) if part == "topics" else {}


def _refuse_if_purged_before(db: Db, forum: Forum, ends_on: Any) -> None:
    """What is sensitive is kept beyond the last day: the day of the purge comes after it."""
    purged_on = retention_of(db, forum) if ends_on else None
    if purged_on and purged_on <= ends_on:
        raise Refused("retention_before_end")
