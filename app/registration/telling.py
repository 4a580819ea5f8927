"""Telling people that their own sessions changed (rules §4.1): one message each, from what they were last told to what
is public now. What is everybody's (`common`, by uid) comes from the floor of calendars, which knows it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Lang
from app.mail.outbox import queue_mail, unsent, withhold
from app.programme.comparing import entries
from app.programme.published import Programme, PublishedSession
from app.programme.queries import published
from app.programme.rules.changes import Change, Published, changes
from app.programme.rules.visibility import Viewer, shown
from app.programme.worded import line_of
from app.registration.models import Application, Following, Pick
from app.registration.people import shown_name
from app.registration.rules.news import is_news
from app.registration.rules.states import HOLDS_SEAT

TEMPLATE = "registration/programme_changed"
_applications, _following, _picks = table(Application), table(Following), table(Pick)
_HOLDING = tuple(state.value for state in HOLDS_SEAT)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who holds a seat, with the sessions they chose: uid → whether an organiser admitted them to it."""

    row: Any
    picks: dict[str, bool] = field(default_factory=dict)

    def knows_of(self, entry: Published | PublishedSession) -> bool:
        """Does the session exist for this person?"""
        return shown(entry, Viewer(frozenset({entry.code} if self.picks.get(entry.uid) else ())))


def readers(db: Db, forum: Forum, people: Collection[int] | None = None) -> list[Reader]:
    """Everybody who holds a seat, or those of these applications who do, with their picks. Two queries."""
    mine = (_applications.c.forum_id == forum_id(forum)) & _applications.c.state.in_(_HOLDING)
    if people is not None:
        mine &= _applications.c.id.in_(people)
    found = {row.id: Reader(row) for row in db.execute(select(_applications).where(mine).order_by(_applications.c.id))}
    picked = select(_picks).join(_applications, _applications.c.id == _picks.c.application_id).where(mine)
    for row in db.execute(picked):
        found[row.application_id].picks[row.session_uid] = row.admitted
    return list(found.values())


def seat_holders(db: Db, forum: Forum, after: int, most: int) -> list[int]:
    """The applications that hold a seat, the next `most` behind the id `after`, in order. One query."""
    mine = (_applications.c.forum_id == forum_id(forum)) & _applications.c.state.in_(_HOLDING)
    wanted = select(_applications.c.id).where(mine, _applications.c.id > after).order_by(_applications.c.id)
    return list(db.execute(wanted.limit(most)).scalars())


def news_of(reader: Reader, made: Iterable[Change], common: Collection[str]) -> list[Change]:
    """What of these changes is this person's news, of what exists for them and did before."""
    return [
        change
        for change in made
        if is_news(change, own=change.entry.uid in reader.picks, common=change.entry.uid in common)
        and all(reader.knows_of(entry) for entry in (change.before, change.after) if entry)
    ]


def made_between(before: Programme, after: Sequence[PublishedSession]) -> list[Change]:
    """All that changed, closed sessions too; nothing where there was no version before."""
    return changes(entries(before.sessions), entries(after)) if before.number else []


def tell_affected(
    db: Db, forum: Forum, people: Collection[int], number: int, common: Collection[str], *, now: datetime
) -> int:
    """Write to those of these applications whose own sessions changed with version `number`, up to what is public now;
    how many were.

    A message that has not left is overtaken by the one that says it all, so two versions in quick succession are one
    message; and doing it twice writes nothing more.
    """
    own = forum_id(forum)
    newest = published(db, own)
    made: dict[int, list[Change]] = {}
    follows = following_of(db, people)
    waiting = unsent(db, forum.slug, TEMPLATE)
    told = 0
    for reader in readers(db, forum, people):
        subject = f"registration:{reader.row.code}"
        row, unread = follows.get(reader.row.id), waiting.get(subject)
        last = row.told if row and row.told is not None else number - 1
        if last >= newest.number:
            continue
        since = min(last, int(unread["since"])) if unread else last
        if since not in made:
            made[since] = made_between(published(db, own, since), newest.sessions)
        news = news_of(reader, made[since], common)
        if unread:
            withhold(db, forum.slug, subject, [TEMPLATE])
        if news:
            to = (reader.row.email, shown_name(reader.row, reader.row.language))
            shared = sorted({change.entry.uid for change in news} & set(common))
            values = {"since": since, "to": newest.number, "common": shared}
            queue_mail(db, forum.slug, TEMPLATE, reader.row.language, to, subject, now=now, values=values)
            told += 1
        if news or unread:
            _keep(db, reader.row.id, row, told=newest.number)
    return told


def concerned(db: Db, forum: Forum, made: Sequence[Change], common: Collection[str]) -> int:
    """How many people these changes would be told to, as things stand. Two queries."""
    return sum(bool(news_of(reader, made, common)) for reader in readers(db, forum))


def following_of(db: Db, people: Collection[int]) -> dict[int, Any]:
    """How far these applications follow the programme. One query."""
    rows = db.execute(select(_following).where(_following.c.application_id.in_(people)))
    return {row.application_id: row for row in rows}


def _keep(db: Db, person: int, row: Any, *, told: int) -> None:
    if row is None:
        db.execute(insert(_following).values(application_id=person, told=told))
    else:
        db.execute(update(_following).where(_following.c.application_id == person).values(told=told))


def told_in_words(db: Db, forum: Forum, row: Any, values: Mapping[str, Any], lang: Lang) -> str:
    """What a message of these `values` says to the person of this row, a paragraph for each change.

    Raises NotFound where nothing of it is theirs any more.
    """
    own = forum_id(forum)
    before, after = (published(db, own, int(values[name])) for name in ("since", "to"))
    made, today = made_between(before, after.sessions), {one.uid: one for one in published(db, own).sessions}
    lines = [
        line_of(change, lang, forum.timezone)
        for reader in readers(db, forum, [row.id])
        for change in news_of(reader, made, values["common"])
        if reader.knows_of(today[change.entry.uid])  # closed meanwhile
    ]
    if not lines:
        raise NotFound
    return "\n\n".join(lines)
