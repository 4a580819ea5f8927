"""A new edition, opened from one that there is: what of it comes along is chosen, and never anything of participants.

It goes in two pieces, so that the pen is never held for long: the forum with its words, rooms, groups and colleagues,
and then its programme, as a working copy moved to the new days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import func, select

from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.rules import Permission, Role
from app.audit.recording import record
from app.editions.exporting import values_of
from app.editions.form import ForumFile
from app.editions.loading import load
from app.forum.access import grant
from app.forum.inputs import NewSlug
from app.forum.models import Forum
from app.forum.people import people_of
from app.forum.queries import forum_by_slug, forum_id
from app.kit.db import Db, table
from app.kit.errors import Fault, Invalid, NotFound
from app.kit.inputs import Day, Input, ShortWords, parse
from app.programme.altering import Altered
from app.programme.copying import copy_programme, look_at_copy
from app.programme.inputs import CopyInput
from app.programme.models import Session, Speaker

Taken = Literal["place", "topics", "numbers", "questions", "programme", "closed", "speakers", "colleagues"]
TAKEN: tuple[Taken, ...] = get_args(Taken)
"""What may come along, in the order of the page. Words and groups always do."""


class EditionInput(Input):
    """A new edition: its address, title and days (both empty: to be announced), and what comes along."""

    slug: NewSlug
    title: ShortWords
    short_title: ShortWords
    starts_on: Day = None
    ends_on: Day = None
    takes: Annotated[tuple[Taken, ...], Field(max_length=len(TAKEN))] = ()

    @model_validator(mode="after")
    def _makes_sense(self) -> "EditionInput":
        if (self.starts_on is None) != (self.ends_on is None):
            raise PydanticCustomError("both_dates_or_none", "both dates or none")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise PydanticCustomError("ends_before_start", "ends before start")
        if self.starts_on is None and "programme" in self.takes:
            raise PydanticCustomError("programme_needs_days", "a programme needs days")
        return self


def counts_of(db: Db, by: Actor, source: Forum) -> Mapping[Taken, int]:
    """How many of each there are to take along: the preview of the page. Raises Forbidden, NotFound."""
    by.must(Permission.MANAGE_ACCESS, forum_id(source))
    own, values = forum_id(source), values_of(db, source.slug)
    sessions, speakers = table(Session), table(Speaker)
    live = select(func.count()).where(sessions.c.forum_id == own, sessions.c.cancelled.is_(False))
    closed = live.where(sessions.c.attribution == "CLO")
    shut = int(db.execute(closed).scalar_one())
    return {
        "place": len(values["rooms"]),
        "topics": len(values["objectives"]) + len(values["tracks"]),
        "numbers": len(values["categories"]),
        "questions": len(values["questions"]),
        "programme": int(db.execute(live).scalar_one()) - shut,
        "closed": shut,
        "speakers": int(db.execute(select(func.count()).where(speakers.c.forum_id == own)).scalar_one()),
        "colleagues": sum(1 for one in people_of(db, by, source) if one.roles and not one.disabled),
    }


def open_edition(db: Db, by: Actor, source: Forum, sent: EditionInput, *, now: datetime) -> Forum:
    """Open it without its programme: known to nobody but its desk, whose owner is whoever opens it.

    Only an owner of the source may. Nothing of a participant, an invitation, a delegation, a letter or a mail comes
    along, whatever is chosen; times of registration, the day of the purge and versions are the source's alone.
    Raises Forbidden, NotFound; Invalid at `slug` where one is called so.
    """
    by.must(Permission.MANAGE_ACCESS, forum_id(source))
    if _is_taken(db, sent.slug):
        raise Invalid([Fault("slug", "slug_taken")])
    founder = replace(by, site_owner=True)  # an owner of one edition may found the next, and nothing else
    load(db, founder, _as_file(db, source, sent), now=now)
    forum = forum_by_slug(db, sent.slug)
    forum.second_factor = source.second_factor
    db.add(forum)
    db.flush()
    if (user := _user_of(db, by)) is not None:
        grant(db, founder, forum, user, Role.OWNER, now=now)
    if "colleagues" in sent.takes:
        _take_colleagues(db, founder, source, forum, now=now)
    after = {"other": source.slug, "changed": sorted(sent.takes)}
    record(db, forum.slug, by.signature, "forum.opened", f"forum:{forum.slug}", now=now, after=after)
    return forum


def bring_programme(db: Db, by: Actor, forum: Forum, source: str, sent: EditionInput, *, now: datetime) -> Altered:
    """The source's programme as the new edition's working copy, moved to its first day; conflicts that stand there are
    let stand here, for the reason that they did. Raises as `copying.copy_programme`."""
    there = forum_by_slug(db, source)
    by.must(Permission.MANAGE_ACCESS, forum_id(there))
    owner = replace(by, roles={**by.roles, forum_id(forum): frozenset({Role.OWNER})})
    taken = {name: "yes" if name in sent.takes else "" for name in ("speakers", "closed")}
    asked = parse(CopyInput, {"source": source, "first_day": sent.starts_on, **taken})
    mark = look_at_copy(db, owner, forum, asked).alteration.mark
    return copy_programme(db, owner, forum, asked, mark=mark, now=now, reason=source)


def _is_taken(db: Db, slug: str) -> bool:
    try:
        forum_by_slug(db, slug)
    except NotFound:
        return False
    return True


def _as_file(db: Db, source: Forum, sent: EditionInput) -> ForumFile:
    """The source's file with what is new and without what does not come along."""
    values = values_of(db, source.slug)
    forum = {
        **values["forum"],
        "slug": sent.slug,
        "featured": False,
        "public": False,
        "title": {"en": sent.title.en, "km": sent.title.km},
        "short_title": {"en": sent.short_title.en, "km": sent.short_title.km},
        "starts_on": sent.starts_on,
        "ends_on": sent.ends_on,
    }
    if "place" not in sent.takes:
        forum["venue"] = None
    terms = values["registration"] | {"opens_at": None, "closes_at": None, "retention_on": None}
    kept = {
        "forum": forum,
        "objectives": values["objectives"] if "topics" in sent.takes else [],
        "tracks": values["tracks"] if "topics" in sent.takes else [],
        "rooms": values["rooms"] if "place" in sent.takes else [],
        "registration": terms,
        "categories": _groups(values["categories"], numbers="numbers" in sent.takes),
        "questions": values["questions"] if "questions" in sent.takes else [],
    }
    return parse(ForumFile, {"format": values["format"], **kept})


def _groups(categories: Sequence[dict[str, Any]], *, numbers: bool) -> list[dict[str, Any]]:
    """The groups without their times, which were of another year; without `numbers` nothing is kept or limited."""
    times = dict.fromkeys(("opens_at", "closes_at", "lapses_at"))
    free = {} if numbers else {"guarantee": 0, "limit": None}
    return [{**one, **times, **free} for one in categories]


def _user_of(db: Db, by: Actor) -> User | None:
    return db.get(User, by.id) if by.kind == "user" and by.id is not None else None


def _take_colleagues(db: Db, by: Actor, source: Forum, forum: Forum, *, now: datetime) -> None:
    """The same people in the same roles; nobody is written to."""
    for one in people_of(db, by, source):
        if one.disabled or (user := db.get(User, one.id)) is None:
            continue
        for role in one.roles:
            grant(db, by, forum, user, role, now=now)
