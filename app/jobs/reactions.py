"""What follows from a fact: one table from kinds of facts to deeds of higher floors (docs/decisions/0017-reactions.md).

The deed and how far the reaction has come are written in one transaction, in pieces of people, so each happens once
however many workers there are.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import insert, select, update

from app.audit.recording import heads, next_fact
from app.calendars.common import common_sessions
from app.forum.models import Forum
from app.forum.queries import forum_by_slug, forum_id, forums
from app.jobs.crew import Crew
from app.jobs.models import Cursor
from app.kit import clock
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.programme import telling as telling_speakers
from app.programme.queries import published
from app.registration import enclosing, signing_up, telling
from app.registration.applying import application_of
from app.registration.rules.states import ENDED, State

log = logging.getLogger("sala.jobs")
_cursors = table(Cursor)
PIECE = 50
"""People written to in one transaction."""
Whom = Callable[[Db, Forum, Any, int, int], list[int]]
"""The applications or speakers a fact concerns: the next so many behind an id, in order."""
What = Callable[[Db, Forum, Any, Sequence[int], datetime], object]


@dataclass(frozen=True, slots=True)
class Reaction:
    """Facts of these kinds are followed by `do`, for the people of `whom`, or once for the forum where that is None."""

    name: str
    kinds: frozenset[str]
    whom: Whom | None
    do: What


def _move_lists(db: Db, forum: Forum, _fact: Any, _people: Sequence[int], now: datetime) -> object:
    return signing_up.move_lists(db, forum, None, now=now)


def _tell(db: Db, forum: Forum, fact: Any, people: Sequence[int], now: datetime) -> object:
    common = common_sessions(db, forum_id(forum), published(db, forum_id(forum)))
    return telling.tell_affected(db, forum, people, int(fact.after["version"]), common, now=now)


def _seated(db: Db, forum: Forum, _fact: Any, after: int, most: int) -> list[int]:
    return telling.seat_holders(db, forum, after, most)


def _named(db: Db, forum: Forum, fact: Any, after: int, _most: int) -> list[int]:
    kind, _, code = fact.subject.partition(":")
    return [one for one in people_named(db, forum.slug, code) if kind == "registration" and one > after]


def people_named(db: Db, forum: str, code: str) -> list[int]:
    """The registration with this code in this forum, as a list of none or one id."""
    try:
        return [int(application_of(db, forum_by_slug(db, forum), code).id)]
    except NotFound:
        return []


def _promise(db: Db, forum: Forum, _fact: Any, people: Sequence[int], now: datetime) -> object:
    return enclosing.promise(db, forum, people, now=now)


def _speaking(db: Db, forum: Forum, _fact: Any, after: int, most: int) -> list[int]:
    return telling_speakers.told_speakers(db, forum, after, most)


def _tell_speakers(db: Db, forum: Forum, fact: Any, people: Sequence[int], now: datetime) -> object:
    return telling_speakers.tell_speakers(db, forum, people, int(fact.after["version"]), now=now)


_PUBLISHED = frozenset({"programme.published"})
_DATED = _PUBLISHED | {"forum.changed"}
_STEPS = frozenset(f"registration.{state.value}" for state in {State.SEATED, *ENDED})
_CHOSEN = frozenset({"registration.confirmed", "registration.picks", "registration.picked_up", "registration.merged"})
REACTIONS: tuple[Reaction, ...] = (
    Reaction("move_lists", _PUBLISHED, None, _move_lists),
    Reaction("tell_affected", _PUBLISHED, _seated, _tell),
    # behind telling, whose mail takes the entries along
    Reaction("promise_entries", _DATED, _seated, _promise),
    Reaction("promise_own_entries", _STEPS | _CHOSEN, _named, _promise),
    Reaction("tell_speakers", _PUBLISHED, _speaking, _tell_speakers),
)


def react(crew: Crew) -> int:
    """Do the next piece of every reaction in every forum; how many pieces. One that fails is logged, tried again at the
    next time, and holds up no other."""
    done = 0
    for reaction, slug in crew.database.read(_behind):
        if crew.ending.is_set():
            break
        try:
            done += crew.pen.write_now(slug, partial(step, reaction=reaction, slug=slug, now=clock.now()))
        except Exception:
            log.exception("reaction %s failed in %s", reaction.name, slug)
    return done


def _behind(db: Db) -> list[tuple[Reaction, str]]:
    """The reactions that have facts before them, by forum. Three queries."""
    last = heads(db)
    cursors = {(row.reaction, row.forum_id): row.number for row in db.execute(select(_cursors))}
    return [
        (reaction, forum.slug)
        for forum in forums(db)
        for reaction in REACTIONS
        if cursors.get((reaction.name, forum_id(forum)), -1) < last.get(forum.slug, 0)
    ]


def step(db: Db, *, reaction: Reaction, slug: str, now: datetime) -> bool:
    """The next piece of one reaction in one forum; whether there was any. In the caller's transaction."""
    forum = forum_by_slug(db, slug)
    at = _position(db, reaction, forum)
    fact = next_fact(db, slug, at.number, reaction.kinds)
    if fact is None:
        _go_on(db, reaction, forum, at, heads(db).get(slug, 0), 0)
        return False
    people = reaction.whom(db, forum, fact, at.within, PIECE) if reaction.whom else []
    through = len(people) < PIECE
    if not _go_on(db, reaction, forum, at, fact.number if through else at.number, 0 if through else people[-1]):
        return False  # another worker has done it
    if reaction.whom is None or people:
        reaction.do(db, forum, fact, people, now)
    return True


def _position(db: Db, reaction: Reaction, forum: Forum) -> Any:
    """Where the reaction stands in this forum. In what happened before it was there it sees nothing: when it is new,
    every forum begins at its present head, so that a newer release writes to nobody about the past."""
    mine = _cursors.c.reaction == reaction.name
    found = db.execute(select(_cursors).where(mine, _cursors.c.forum_id == forum_id(forum))).first()
    if found is not None:
        return found
    last = heads(db)
    known = db.execute(select(_cursors.c.reaction).where(mine).limit(1)).first() is not None
    for each in [forum] if known else forums(db):
        number = 0 if known else last.get(each.slug, 0)
        db.execute(insert(_cursors).values(reaction=reaction.name, forum_id=forum_id(each), number=number, within=0))
    return db.execute(select(_cursors).where(mine, _cursors.c.forum_id == forum_id(forum))).one()


def _go_on(db: Db, reaction: Reaction, forum: Forum, at: Any, number: int, within: int) -> bool:
    same = (_cursors.c.reaction == reaction.name) & (_cursors.c.forum_id == forum_id(forum))
    same &= (_cursors.c.number == at.number) & (_cursors.c.within == at.within)
    done = db.execute(update(_cursors).where(same).values(number=number, within=within))
    return bool(done.rowcount)  # type: ignore[attr-defined]
