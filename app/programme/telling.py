"""Telling speakers that their own sessions changed (rules §4.1): one message each, from what they were last told to
what is public now."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Lang
from app.mail.outbox import queue_mail, unsent, withhold
from app.programme.comparing import entries
from app.programme.models import Asking, Speaker
from app.programme.queries import published
from app.programme.rules.changes import Change, Kind, Published, changes
from app.programme.rules.speakers import Reply
from app.programme.worded import line_of

TEMPLATE = "speaker/programme_changed"
_speakers, _askings = table(Speaker), table(Asking)
_TOLD = (Reply.ASKED.value, Reply.ACCEPTED.value)
"""Who declined, or was never asked, has no sessions to be told of."""


def told_speakers(db: Db, forum: Forum, after: int, most: int) -> list[int]:
    """The speakers who are written to about changes, the next `most` behind the id `after`, in order. One query."""
    wanted = (
        select(_speakers.c.id)
        .join(_askings, _askings.c.speaker_id == _speakers.c.id)
        .where(_speakers.c.forum_id == forum_id(forum), _askings.c.state.in_(_TOLD), _askings.c.email != "")
        .where(_speakers.c.id > after)
        .order_by(_speakers.c.id)
    )
    return list(db.execute(wanted.limit(most)).scalars())


def tell_speakers(db: Db, forum: Forum, people: Collection[int], number: int, *, now: datetime) -> int:
    """Write to those of these speakers whose own sessions changed with version `number`, up to what is public now; how
    many were.

    A message that has not left is overtaken by the one that says it all; doing it twice writes nothing more.
    """
    own = forum_id(forum)
    newest, waiting = published(db, own), unsent(db, forum.slug, TEMPLATE)
    made: dict[int, list[Change]] = {}
    told = 0
    wanted = select(_speakers.c.code, _speakers.c.name, _speakers.c.function, _askings)
    wanted = wanted.join(_askings, _askings.c.speaker_id == _speakers.c.id).where(_speakers.c.id.in_(people))
    for row in db.execute(wanted.order_by(_speakers.c.id)).all():
        subject = f"speaker:{row.code}"
        unread = waiting.get(subject)
        last = number - 1 if row.told is None else row.told
        if last >= newest.number:
            continue
        since = min(last, int(unread["since"])) if unread else last
        if since not in made:
            made[since] = _made(db, own, since, newest.number)
        news = news_of(row.code, made[since])
        if unread:
            withhold(db, forum.slug, subject, [TEMPLATE])
        if news:
            to = (row.email, (row.name or row.function).of(row.language))
            values = {"since": since, "to": newest.number}
            queue_mail(db, forum.slug, TEMPLATE, row.language, to, subject, now=now, values=values)
            told += 1
        kept = update(_askings).where(_askings.c.speaker_id == row.speaker_id)
        db.execute(kept.values(told=newest.number))
    return told


def concerned_speakers(db: Db, forum: Forum, made: Sequence[Change]) -> int:
    """How many speakers these changes would be told to, as things stand. One query."""
    told = (_speakers.c.forum_id == forum_id(forum)) & _askings.c.state.in_(_TOLD) & (_askings.c.email != "")
    wanted = select(_speakers.c.code).join(_askings, _askings.c.speaker_id == _speakers.c.id).where(told)
    return sum(bool(news_of(code, made)) for code in db.execute(wanted).scalars())


def news_of(code: str, made: Iterable[Change]) -> list[Change]:
    """What of these changes is news to the speaker with this code: of sessions they are in, all they would notice but
    what they wrote themselves; of one they are in no more only that."""
    return [_as_left(code, change) for change in made if _is_news(code, change)]


def _as_left(code: str, change: Change) -> Change:
    """The change; of a session the speaker is in no more, under the title they know: it may be closed to them now."""
    if change.before is None or change.after is None or _part(code, change.after):
        return change
    return replace(change, after=replace(change.after, title=change.before.title))


def _is_news(code: str, change: Change) -> bool:
    was, now_is = _part(code, change.before), _part(code, change.after)
    if change.kind is Kind.SPEAKERS_CHANGED:
        return bool(was or now_is) and _others(code, change.before) != _others(code, change.after)
    return bool(now_is) and change.kind not in {Kind.EDITED, Kind.WITHDRAWN}


def _part(code: str, entry: Published | None) -> list[str]:
    return [role for who, role in (entry.people if entry else ()) if who.split("\n")[0] == code]


def _others(code: str, entry: Published | None) -> list[tuple[str, str]]:
    """Who is in a session, without what is said of the speaker with this code."""
    people = entry.people if entry else ()
    return [(code if who.split("\n")[0] == code else who, role) for who, role in people]


def _made(db: Db, own: int, since: int, to: int) -> list[Change]:
    """All that changed between two versions; nothing where there was none before."""
    before, after = published(db, own, since), published(db, own, to)
    return changes(entries(before.sessions), entries(after.sessions)) if before.number else []


def told_in_words(db: Db, forum: Forum, code: str, values: Mapping[str, Any], lang: Lang) -> str:
    """What a message of these `values` says to the speaker with this code, a paragraph for each change.

    Raises NotFound where nothing of it is theirs.
    """
    made = _made(db, forum_id(forum), int(values["since"]), int(values["to"]))
    lines = [line_of(change, lang, forum.timezone) for change in news_of(code, made)]
    if not lines:
        raise NotFound
    return "\n\n".join(lines)
