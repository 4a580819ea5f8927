"""Mailings: an organiser writes to a segment. A draft is looked at, tried, given a time, and sent in pieces."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import delete, func, insert, select, update

from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.rules import Permission
from app.audit.recording import record
from app.correspondence.mailboxes import open_mailbox
from app.correspondence.mailing_queries import NEWS, NOTICE, TEST, batch_of, mailing_of
from app.correspondence.models import Mailing
from app.correspondence.recipients import ALL, example_for, once_each, people_of, reach_of
from app.correspondence.rules.mailings import State, may_follow
from app.correspondence.rules.segments import OF_PEOPLE, STANDINGS, Audience, Segment, as_kept, fits, from_kept
from app.correspondence.wording import wrong_words
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, Invalid, Refused
from app.kit.i18n import LANGS
from app.kit.inputs import Filled, Input, Instant, Line, Text
from app.mail.outbox import in_batch, queue_mail, withhold_batch
from app.registration.desk_filters import MOST_CHOSEN

_mailings, _users = table(Mailing), table(User)
PIECE = 100
"""People looked at in one transaction."""
PLACEHOLDERS: Mapping[Audience, tuple[str, ...]] = {
    Audience.PEOPLE: ("name", "code", "category", "forum"),
    Audience.SPEAKERS: ("name", "forum", "function", "sessions"),
    Audience.FOCAL_POINTS: ("name", "institution", "category", "seats", "unnamed", "deadline", "code", "forum"),
}
"""What may be put into a mailing, by whom it is written to."""
LATEST_PAST_MINUTES = 5
"""A form that was open for so long may still say "now"."""
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{0,32}$")]
_Standing = Literal["awaiting", "seated", "waiting", "offered", "cancelled", "declined", "expired"]
Chosen = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,16}$")]


class MailingInput(Input):
    """A mailing as an organiser sends it: words in both languages, and whom it is for. Instants in UTC."""

    name: Filled
    purpose: Line = ""
    essential: bool = False
    subject_en: Line
    subject_km: Line
    text_en: Text
    text_km: Text
    audience: Literal["people", "speakers", "focal_points"]
    standings: Annotated[tuple[_Standing, ...], Field(max_length=len(STANDINGS))] = ()
    categories: Annotated[tuple[Code, ...], Field(max_length=60)] = ()
    capacity: Literal["", "official", "private"] = ""
    confirmed: Literal["", "yes", "no"] = ""
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = ""
    delegation: Annotated[str, StringConstraints(pattern=r"^(|any|none|[A-Z0-9]{1,16})$")] = ""
    institution: Line = ""
    tag: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,9}$")] = ""
    session: Code = ""
    language: Literal["", "en", "km"] = ""
    asked_from: Instant | None = None
    asked_until: Instant | None = None
    chosen: Annotated[tuple[Chosen, ...], Field(max_length=MOST_CHOSEN)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> "MailingInput":
        if self.asked_from and self.asked_until and self.asked_until <= self.asked_from:
            raise PydanticCustomError("ends_before_start", "ends before start")
        return self

    @property
    def segment(self) -> Segment:
        """Whom it is for; what is asked of registrations alone asks nothing of others."""
        general = {"audience": Audience(self.audience), "country": self.country, "language": self.language}
        if self.audience != Audience.PEOPLE.value:
            return Segment(**general)  # type: ignore[arg-type]
        own = {name: getattr(self, name) for name in OF_PEOPLE}
        return Segment(**general, **own)  # type: ignore[arg-type]


def checked(sent: MailingInput) -> MailingInput:
    """What was sent. Raises Invalid, beside the field: `missing`, `placeholder_unknown`, `placeholder_open`."""
    known = PLACEHOLDERS[Audience(sent.audience)]
    wrong = [
        fault
        for lang in LANGS
        for fault in wrong_words(lang, getattr(sent, f"subject_{lang}"), getattr(sent, f"text_{lang}"), known)
    ]
    if wrong:
        raise Invalid(wrong)
    return sent


def save(
    db: Db, by: Actor, forum: Forum, number: int | None, sent: MailingInput, edition: int, *, now: datetime
) -> int:
    """Keep a draft, a new one without a `number`; its number.

    Raises what `checked` raises; NotFound; Conflict("mailing_changed") where it is another since `edition`;
    Refused("mailing_not_draft").
    """
    own = forum_id(forum)
    by.must(Permission.SEND_MAIL, own)
    words = checked(sent)
    columns = {name: getattr(words, name) for name in _OWN_COLUMNS}
    values = {**columns, "segment": as_kept(words.segment), "user_id": by.id if by.kind == "user" else None}
    if number is None:
        last = db.execute(select(func.max(_mailings.c.number)).where(_mailings.c.forum_id == own)).scalar_one()
        number = (last or 0) + 1
        begun = {"forum_id": own, "number": number, "state": State.DRAFT.value, "created_at": now, "edition": 1}
        counts = {"within": 0, "queued": 0, "opted_out": 0, "left_out": 0}
        db.execute(insert(_mailings).values(**values, **begun, **counts))
    else:
        row = _held(db, forum, number, edition)
        if row.state != State.DRAFT:
            raise Refused("mailing_not_draft")
        _change(db, row, **values)
    _told(db, by, forum, number, "mailing.saved", now=now)
    return number


_OWN_COLUMNS = ("name", "purpose", "essential", "subject_en", "subject_km", "text_en", "text_km")


def as_sent(row: Any) -> MailingInput:
    """A kept mailing as somebody would send it, with nothing of it refused: what was taken once is told."""
    segment = from_kept(row.segment)
    asked = {each.name: getattr(segment, each.name) for each in fields(segment)}
    columns = {name: getattr(row, name) for name in _OWN_COLUMNS}
    return MailingInput.model_construct(**{**columns, **asked, "audience": segment.audience.value})


def schedule(db: Db, by: Actor, forum: Forum, number: int, edition: int, send_at: datetime, *, now: datetime) -> None:
    """The draft that was looked at is sent at its time (UTC), by the worker. Raises NotFound;
    Conflict("mailing_changed"); Refused: `mailing_not_draft`, `mailing_past`."""
    by.must(Permission.SEND_MAIL, forum_id(forum))
    row = _held(db, forum, number, edition)
    if not may_follow(State(row.state), State.SCHEDULED):
        raise Refused("mailing_not_draft")
    if (now - send_at).total_seconds() > LATEST_PAST_MINUTES * 60:
        raise Invalid([Fault("send_at", "mailing_past")])
    _change(db, row, state=State.SCHEDULED.value, send_at=send_at)
    _told(db, by, forum, number, "mailing.scheduled", now=now)


def take_back(db: Db, by: Actor, forum: Forum, number: int, edition: int, *, now: datetime) -> None:
    """A mailing that has not begun is a draft again. Raises NotFound; Conflict: `mailing_changed`, `mailing_begun`."""
    by.must(Permission.SEND_MAIL, forum_id(forum))
    row = _held(db, forum, number, edition)
    if not may_follow(State(row.state), State.DRAFT):
        raise Conflict("mailing_begun")
    _change(db, row, state=State.DRAFT.value, send_at=None)
    _told(db, by, forum, number, "mailing.taken_back", now=now)


def stop(db: Db, by: Actor, forum: Forum, number: int, *, now: datetime) -> int:
    """Nobody more is written to, and what waits in the outbox does not leave; how many mails that are. What has left
    cannot be called back. Raises NotFound; Conflict("mailing_over")."""
    by.must(Permission.SEND_MAIL, forum_id(forum))
    row = mailing_of(db, forum, number)
    if not may_follow(State(row.state), State.STOPPED):
        raise Conflict("mailing_over")
    kept = withhold_batch(db, batch_of(forum, number))
    _change(db, row, state=State.STOPPED.value, ended_at=now)
    _told(db, by, forum, number, "mailing.stopped", now=now, people=kept)
    return kept


def remove(db: Db, by: Actor, forum: Forum, number: int, edition: int, *, now: datetime) -> None:
    """A draft goes. Raises NotFound; Conflict("mailing_changed"); Refused("mailing_not_draft")."""
    by.must(Permission.SEND_MAIL, forum_id(forum))
    row = _held(db, forum, number, edition)
    if row.state != State.DRAFT:
        raise Refused("mailing_not_draft")
    db.execute(delete(_mailings).where(_mailings.c.id == row.id))
    _told(db, by, forum, number, "mailing.removed", now=now)


def try_out(db: Db, by: Actor, forum: Forum, number: int, secret: bytes, *, now: datetime) -> str:
    """Send the mailing as it stands to the organiser's own address, in each language as somebody meant would read it;
    the address. Raises NotFound; Refused("no_address_of_ones_own")."""
    by.must(Permission.SEND_MAIL, forum_id(forum))
    row = mailing_of(db, forum, number)
    user = db.execute(select(_users).where(_users.c.id == by.id)).first() if by.kind == "user" else None
    if user is None:
        raise Refused("no_address_of_ones_own")
    reach = reach_of(db, by, forum, from_kept(row.segment), secret, essential=row.essential)
    for lang in LANGS:
        like = example_for(reach, lang)
        values = {"mailing": number, "like": like.subject if like else ""}
        to = (user.email, user.name or user.email)
        queue_mail(db, forum.slug, TEST, lang, to, f"user:{user.id}", now=now, values=values)
    return str(user.email)


def due(db: Db, *, now: datetime) -> list[tuple[int, int]]:
    """(forum's id, number) of the mailings that are being sent or whose time has come. One query."""
    begins = (_mailings.c.state == State.SCHEDULED.value) & (_mailings.c.send_at <= now)
    wanted = select(_mailings.c.forum_id, _mailings.c.number)
    wanted = wanted.where(begins | (_mailings.c.state == State.SENDING.value)).order_by(_mailings.c.id)
    return [(row[0], row[1]) for row in db.execute(wanted)]


def step(db: Db, forum: Forum, number: int, secret: bytes, *, now: datetime) -> bool:
    """Write to the next piece of those meant, as they stand now; whether there is anything more to do.

    How far it has come is kept in the same transaction, and a message of a mailing is unique: whoever does it again
    writes to nobody twice.
    """
    row = mailing_of(db, forum, number)
    if row.state == State.SCHEDULED and row.send_at <= now:
        _told(db, Actor.worker(), forum, number, "mailing.begun", now=now)
    elif row.state != State.SENDING:
        return False
    segment = from_kept(row.segment)
    looked = people_of(db, forum, segment, below=row.within or ALL, most=PIECE)
    queued, opted_out, left_out = _write_to(db, forum, row, segment, looked, secret, now)
    over = len(looked) < PIECE
    counts = {"queued": row.queued + queued, "opted_out": row.opted_out + opted_out}
    counts |= {"left_out": row.left_out + left_out, "within": looked[-1].id if looked else row.within}
    state = State.SENT if over else State.SENDING
    _change(db, row, state=state.value, ended_at=now if over else None, **counts)
    if over:
        _told(db, Actor.worker(), forum, number, "mailing.sent", now=now, people=counts["queued"])
    return not over


def _write_to(
    db: Db, forum: Forum, row: Any, segment: Segment, looked: Any, secret: bytes, now: datetime
) -> tuple[int, int, int]:
    """How many were written to, how many want none of it, how many were written to already under the same name."""
    meant = [one for one in looked if fits(segment, one)]
    people, batch = once_each(meant), batch_of(forum, row.number)
    there = in_batch(db, batch, [one.email for one in people]) if people else set()
    queued = opted_out = 0
    for one in people:
        if (one.email, one.name) in there:
            continue
        if not row.essential and open_mailbox(db, forum, one.email, secret).opted_out_at is not None:
            opted_out += 1
            continue
        template, to = NOTICE if row.essential else NEWS, (one.email, one.name)
        own = {"values": {"mailing": row.number}, "batch": batch, "bulk": True}
        queue_mail(db, forum.slug, template, one.language, to, one.subject, now=now, **own)  # type: ignore[arg-type]
        queued += 1
    return queued, opted_out, len(meant) - queued - opted_out


def _held(db: Db, forum: Forum, number: int, edition: int) -> Any:
    row = mailing_of(db, forum, number)
    if row.edition != edition:
        raise Conflict("mailing_changed")
    return row


def _change(db: Db, row: Any, **values: Any) -> None:
    """Change the row that was read, and no other edition of it."""
    same = (_mailings.c.id == row.id) & (_mailings.c.edition == row.edition)
    done = db.execute(update(_mailings).where(same).values(**values, edition=row.edition + 1))
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict("mailing_changed")


def _told(db: Db, by: Actor, forum: Forum, number: int, kind: str, *, now: datetime, people: int | None = None) -> None:
    after = {"number": number, **({} if people is None else {"people": people})}
    record(db, forum.slug, by.signature, kind, f"mailing:{number}", now=now, after=after)
