"""Why hard conflicts may stand: reasons, kept by what makes a conflict the same one (rules §4.3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.programme.models import Override
from app.programme.rules.conflicts import Conflict, Kind

_overrides = table(Override)
Key = tuple[str, str, str]
"""(kind, the sessions' codes, the room or speaker): the same whichever session begins first."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a conflict may stand, who said so and when (UTC)."""

    words: str
    by_name: str
    at: datetime


def key_of(conflict: Conflict) -> Key:
    """What a reason for this conflict is kept under."""
    return (conflict.kind.value, " ".join(sorted(conflict.codes)), " ".join(sorted(conflict.where)))


def reasons_of(db: Db, own: int) -> dict[Key, Reason]:
    """Every reason of the forum. One query."""
    rows = db.execute(select(_overrides).where(_overrides.c.forum_id == own))
    return {(row.kind, row.codes, row.place): Reason(row.reason, row.by_name, row.at) for row in rows}


def recoded(key: Key, codes_now: Mapping[str, str]) -> Key:
    """The same conflict's key once sessions of it have other codes (old → new)."""
    kind, codes, place = key
    return (kind, " ".join(sorted(codes_now.get(code, code) for code in codes.split())), place)


def recode(db: Db, own: int, codes_now: Mapping[str, str]) -> None:
    """Keep the reasons of sessions that are given other codes (old → new), maybe each other's."""
    rows = db.execute(select(_overrides).where(_overrides.c.forum_id == own)).all()
    touched = [row for row in rows if set(row.codes.split()) & codes_now.keys()]
    db.execute(delete(_overrides).where(_overrides.c.id.in_([row.id for row in touched])))
    stay = {(row.kind, row.codes, row.place) for row in rows if row not in touched}
    for row in touched:
        kind, codes, place = recoded((row.kind, row.codes, row.place), codes_now)
        if (kind, codes, place) not in stay:
            stay.add((kind, codes, place))
            said = {"reason": row.reason, "by_name": row.by_name, "at": row.at}
            db.add(Override(forum_id=own, kind=kind, codes=codes, place=place, **said))
    db.flush()


def unexplained(conflicts: Iterable[Conflict], reasons: Mapping[Key, Reason]) -> list[Conflict]:
    """The hard ones among these for which no reason was given."""
    return [one for one in conflicts if one.hard and key_of(one) not in reasons]


def explain(
    db: Db, by: Actor, forum: Forum, conflict: Conflict, reason: str, *, now: datetime, present: Iterable[Conflict]
) -> None:
    """Say why a conflict of the working copy may stand, or, with nothing, take the reason back.

    `present` are the conflicts there are. Raises NotFound for one that is not hard or not among them.
    """
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    key = key_of(conflict)
    found = next((one for one in present if one.hard and key_of(one) == key), None)
    if found is None:
        raise NotFound("no_such_conflict")
    keep_reason(db, by, forum, found, reason, now=now)


def keep_reason(db: Db, by: Actor, forum: Forum, conflict: Conflict, reason: str, *, now: datetime) -> None:
    """Keep the reason for a conflict in place of the one there was; with no words there is none. Asks nobody."""
    own, (kind, codes, place) = forum_id(forum), key_of(conflict)
    same = (_overrides.c.kind == kind, _overrides.c.codes == codes, _overrides.c.place == place)
    db.execute(delete(_overrides).where(_overrides.c.forum_id == own, *same))
    if reason:
        name = by.signature[1]
        db.add(Override(forum_id=own, kind=kind, codes=codes, place=place, reason=reason, by_name=name, at=now))
    db.flush()
    done = "explained" if reason else "unexplained"
    after = {"kind": kind, "sessions": codes.split()}
    told = {"reason": reason, "where": place}
    for code in codes.split():
        record(db, forum.slug, by.signature, f"conflict.{done}", f"session:{code}", now=now, after=after, personal=told)


def keep_one_reason(db: Db, by: Actor, own: int, conflicts: Iterable[Conflict], reason: str, *, now: datetime) -> None:
    """Keep the same reason for conflicts that have none yet; the deed that makes them records it. Asks nobody."""
    name, keys = by.signature[1], dict.fromkeys(key_of(one) for one in conflicts)
    for kind, codes, place in keys:
        db.add(Override(forum_id=own, kind=kind, codes=codes, place=place, reason=reason, by_name=name, at=now))
    db.flush()


def conflict_from(kind: str, codes: str, place: str) -> Conflict:
    """The conflict that a key names, without its minutes. Raises NotFound for a kind there is none of."""
    if kind not in set(Kind):
        raise NotFound("no_such_conflict")
    return Conflict(Kind(kind), tuple(codes.split()), tuple(place.split()))
