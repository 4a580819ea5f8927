"""Until when what is sensitive is kept, and the purge when that day has come (docs/decisions/0007)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.purging import count_personal, purge_personal
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.kit.pen import republish
from app.mail.redacting import count_unredacted, redact
from app.programme.speaking import count_askings, forget_askings
from app.registration.lettering import forget_passports
from app.registration.models import Answer, Application, Consent, Enclosure, File, Letter, Needs, Note, Question, Terms
from app.registration.uninviting import count_contacts, count_invited, forget_contacts, forget_invited
from app.registration.viewing import count_naming, forget_naming

_applications, _terms, _questions = table(Application), table(Terms), table(Question)
_needs, _answers, _files, _consents = table(Needs), table(Answer), table(File), table(Consent)
_letters, _enclosures, _notes = table(Letter), table(Enclosure), table(Note)
KINDS = ("registration", "invitation", "delegation", "hold_back", "speaker", "forum", "tag")
"""What facts and mails that may name people are about."""
EMPTIED = (
    "needs",
    "answers",
    "files",
    "consents",
    "facts",
    "mails",
    "letters",
    "invitations",
    "delegations",
    "entries",
    "speakers",
    "notes",
    "views",
)
"""The kinds of rows a purge empties, by their names in `Purge`."""


def put_retention(
    db: Db, by: Actor, forum: Forum, on: date | None, *, now: datetime, past_is_meant: bool = False
) -> bool:
    """Set the day of the purge, local to the forum; None: none is set. Says whether that is another than before.

    Raises Refused: `retention_before_end`, `retention_past` (unless that is meant: the file of a forum long over),
    `registration_not_set_up`.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    row = db.execute(select(_terms.c.retention_on).where(_terms.c.forum_id == own)).first()
    if row is None:
        raise Refused("registration_not_set_up")
    if row.retention_on == on:
        return False
    if on is not None and forum.ends_on is not None and on <= forum.ends_on:
        raise Refused("retention_before_end")
    if on is not None and not past_is_meant and on <= now.astimezone(ZoneInfo(forum.timezone)).date():
        raise Refused("retention_past")
    db.execute(update(_terms).where(_terms.c.forum_id == own).values(retention_on=on))
    record(
        db,
        forum.slug,
        by.signature,
        "retention.set",
        f"forum:{forum.slug}",
        now=now,
        before={"on": row.retention_on.isoformat() if row.retention_on else ""},
        after={"on": on.isoformat() if on else ""},
    )
    republish(db, forum.slug)
    return True


def retention_of(db: Db, forum: Forum) -> date | None:
    """The day of the purge, local to the forum; None: none is set."""
    found: date | None = db.execute(
        select(_terms.c.retention_on).where(_terms.c.forum_id == forum_id(forum))
    ).scalar_one_or_none()
    return found


def purge_at(forum: Forum, on: date) -> datetime:
    """The instant (UTC) at which the day of the purge begins where the forum is held."""
    return datetime.combine(on, time(), tzinfo=ZoneInfo(forum.timezone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge empties, and what stays: rows by kind. `at` is when it is due (UTC), None while no day is set."""

    at: datetime | None
    needs: int
    answers: int
    files: int
    consents: int
    facts: int
    mails: int
    letters: int
    invitations: int
    delegations: int
    entries: int
    speakers: int
    notes: int
    views: int
    registrations: int
    erased: int
    other_answers: int

    @property
    def emptied(self) -> int:
        """How many rows it empties, of all kinds."""
        return sum(getattr(self, name) for name in EMPTIED)

    def due(self, now: datetime) -> bool:
        """Has the day come?"""
        return self.at is not None and now >= self.at


def dry_run(db: Db, by: Actor, forum: Forum, *, now: datetime) -> Purge:
    """What the purge would empty as things stand, changing nothing. Sixteen queries."""
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    on = retention_of(db, forum)
    at = purge_at(forum, on) if on else None
    mine = select(_applications.c.id).where(_applications.c.forum_id == own)

    def count(rows: Any, *where: ColumnElement[bool]) -> int:
        return int(db.execute(select(func.count()).where(rows.c.application_id.in_(mine), *where)).scalar_one())

    people = select(func.count(), func.count(_applications.c.erased_at)).where(_applications.c.forum_id == own)
    registrations, erased = db.execute(people).one()
    sensitive = _sensitive(own)
    return Purge(
        at=at,
        needs=count(_needs),
        answers=count(_answers, _answers.c.question_id.in_(sensitive)),
        files=count(_files),
        consents=count(_consents, _consents.c.question_id.in_(sensitive)),
        facts=count_personal(db, forum.slug, kinds=KINDS),
        mails=count_unredacted(db, forum.slug, kinds=KINDS, before=_written_before(at, now)),
        letters=count(_letters, _letters.c.purged_at.is_(None)),
        invitations=count_invited(db, forum, now=now),
        delegations=count_contacts(db, forum, now=now),
        entries=count(_enclosures),
        speakers=count_askings(db, own),
        notes=count(_notes),
        views=count_naming(db, own),
        registrations=registrations - erased,
        erased=erased,
        other_answers=count(_answers, _answers.c.question_id.not_in(sensitive)),
    )


def purge(db: Db, by: Actor, forum: Forum, *, now: datetime, before_the_day: bool = False) -> int:
    """Empty what the dry run says; how many rows. Nothing to empty: nothing is noted.

    Raises Refused("retention_not_yet") before the day (or where none is set) unless that is meant.
    """
    found = dry_run(db, by, forum, now=now)
    if not found.due(now) and not before_the_day:
        raise Refused("retention_not_yet")
    if not found.emptied:
        return 0
    own = forum_id(forum)
    mine = select(_applications.c.id).where(_applications.c.forum_id == own)
    sensitive = _sensitive(own)
    for rows in (_needs, _files, _enclosures, _notes):
        db.execute(delete(rows).where(rows.c.application_id.in_(mine)))
    for rows in (_answers, _consents):
        db.execute(delete(rows).where(rows.c.application_id.in_(mine), rows.c.question_id.in_(sensitive)))
    forget_passports(db, forum, now=now)
    forget_invited(db, by, forum, now=now)
    forget_contacts(db, forum, now=now)
    forget_askings(db, own)
    forget_naming(db, own)
    redact(db, forum.slug, kinds=KINDS, before=_written_before(found.at, now))
    purge_personal(db, forum.slug, kinds=KINDS)
    after = {name: getattr(found, name) for name in EMPTIED}
    record(db, forum.slug, by.signature, "retention.purged", f"forum:{forum.slug}", now=now, after=after)
    return found.emptied


def _sensitive(own: int) -> Any:
    return select(_questions.c.id).where(_questions.c.forum_id == own, _questions.c.sensitive.is_(True))


def _written_before(at: datetime | None, now: datetime) -> datetime:
    """Mails written before the day (or before now, where it is done early) go whole; a later one when it has left."""
    return now if at is None or at > now else at
