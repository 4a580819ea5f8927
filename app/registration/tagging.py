"""Tags: words of a forum's desk that registrations are marked with, each with a letter and a tone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound, Refused
from app.registration.applying import application_of
from app.registration.desk_inputs import TagInput
from app.registration.models import Application, Tag, Tagged
from app.registration.rules.names import normal_name

_applications, _tags, _tagged = table(Application), table(Tag), table(Tagged)
MOST = 60
"""So many tags a forum may have: more are not looked through."""


@dataclass(frozen=True, slots=True)
class TagView:
    """A tag with how many registrations are marked with it."""

    id: int
    name: str
    letter: str
    tone: str
    used: int


def tags_of(db: Db, by: Actor, forum: Forum) -> list[TagView]:
    """The forum's tags by name. One query."""
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    used = select(_tagged.c.tag_id, func.count().label("n")).group_by(_tagged.c.tag_id).subquery()
    wanted = (
        select(_tags, used.c.n)
        .outerjoin(used, used.c.tag_id == _tags.c.id)
        .where(_tags.c.forum_id == own)
        .order_by(_tags.c.name_normal)
    )
    return [TagView(row.id, row.name, row.letter, row.tone, row.n or 0) for row in db.execute(wanted)]


def tagged(db: Db, applications: Collection[int]) -> dict[int, list[Any]]:
    """The tags of these registrations (ids), by registration, each with id, name, letter and tone. One query."""
    wanted = (
        select(_tagged.c.application_id, _tags.c.id, _tags.c.name, _tags.c.letter, _tags.c.tone)
        .join(_tags, _tags.c.id == _tagged.c.tag_id)
        .where(_tagged.c.application_id.in_(list(applications)))
        .order_by(_tags.c.name_normal)
    )
    found: dict[int, list[Any]] = {}
    for row in db.execute(wanted):
        found.setdefault(row.application_id, []).append(row)
    return found


def tag_of(db: Db, by: Actor, forum: Forum, tag: int) -> TagView:
    """The forum's tag with this number. Raises NotFound, Forbidden. One query."""
    for one in tags_of(db, by, forum):
        if one.id == tag:
            return one
    raise NotFound


def put_tag(db: Db, by: Actor, forum: Forum, sent: TagInput, tag: int | None = None, *, now: datetime) -> int:
    """Make a tag, or change the one with this number; its number. Raises NotFound, Refused: `tag_twice`,
    `tags_too_many`."""
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    there = {row.name_normal: row.id for row in db.execute(select(_tags).where(_tags.c.forum_id == own))}
    if tag is not None and tag not in there.values():
        raise NotFound
    normal = normal_name(sent.name) or sent.name.casefold()
    if there.get(normal, tag) != tag:
        raise Refused("tag_twice", name=sent.name)
    if tag is None and len(there) >= MOST:
        raise Refused("tags_too_many", most=MOST)
    values = {"name": sent.name, "name_normal": normal, "letter": sent.letter, "tone": sent.tone}
    if tag is None:
        tag = int(
            db.execute(insert(_tags).values(forum_id=own, made_at=now, **values).returning(_tags.c.id)).scalar_one()
        )
        kind = "tag.made"
    else:
        db.execute(update(_tags).where(_tags.c.id == tag).values(**values))
        kind = "tag.changed"
    record(db, forum.slug, by.signature, kind, f"tag:{tag}", now=now, personal={"name": sent.name})
    return tag


def remove_tag(db: Db, by: Actor, forum: Forum, tag: int, *, now: datetime) -> int:
    """A tag goes, and with it its marks; how many those were. Raises NotFound."""
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    known_tag(db, own, tag)
    gone = db.execute(delete(_tagged).where(_tagged.c.tag_id == tag)).rowcount  # type: ignore[attr-defined]
    db.execute(delete(_tags).where(_tags.c.id == tag))
    record(db, forum.slug, by.signature, "tag.removed", f"tag:{tag}", now=now, after={"people": gone})
    return int(gone)


def known_tag(db: Db, own: int, tag: int) -> Any:
    """The forum's tag with this number. Raises NotFound."""
    row = db.execute(select(_tags).where(_tags.c.forum_id == own, _tags.c.id == tag)).first()
    if row is None:
        raise NotFound
    return row


def mark(db: Db, by: Actor, forum: Forum, code: str, tag: int, *, on: bool, now: datetime) -> bool:
    """Mark a registration with a tag, or take the mark off; says whether that is news. Raises NotFound, and
    Refused("erased") for a registration of which nothing personal is kept any more."""
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    row = application_of(db, forum, code)
    if row.erased_at is not None:
        raise Refused("erased")
    known_tag(db, own, tag)
    here = (_tagged.c.application_id == row.id) & (_tagged.c.tag_id == tag)
    there = db.execute(select(_tagged.c.tag_id).where(here)).first() is not None
    if there == on:
        return False
    if on:
        db.execute(insert(_tagged).values(application_id=row.id, tag_id=tag, at=now))
    else:
        db.execute(delete(_tagged).where(here))
    kind = "registration.tagged" if on else "registration.untagged"
    record(db, forum.slug, by.signature, kind, f"registration:{code}", now=now, after={"tag": tag})
    return True


def put_tags(db: Db, by: Actor, forum: Forum, code: str, wanted: Sequence[int], *, now: datetime) -> bool:
    """Bring a registration's tags to these; says whether any changed. Raises what `mark` raises."""
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    row = application_of(db, forum, code)
    there = set(db.execute(select(_tagged.c.tag_id).where(_tagged.c.application_id == row.id)).scalars())
    changed = [mark(db, by, forum, code, tag, on=True, now=now) for tag in sorted(set(wanted) - there)]
    changed += [mark(db, by, forum, code, tag, on=False, now=now) for tag in sorted(there - set(wanted))]
    return any(changed)


def tags_on(db: Db, by: Actor, forum: Forum, code: str) -> list[int]:
    """The numbers of the tags that the registration with this code is marked with. Raises NotFound, Forbidden."""
    by.must(Permission.SEE_PEOPLE, forum_id(forum))
    row = application_of(db, forum, code)
    return [tag.id for tag in tagged(db, [row.id]).get(row.id, ())]


def names_of(tags: Sequence[TagView]) -> Mapping[str, str]:
    """Number (as an address has it) → name."""
    return {str(tag.id): tag.name for tag in tags}
