"""What the worker does, and how often: one table. A duty is a function of the crew and says how much it did."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from app.forum.models import Forum
from app.forum.queries import forum_by_slug
from app.jobs import letters
from app.kit import clock
from app.kit.db import Database, Db, table
from app.kit.errors import NotFound, Refused
from app.kit.pen import SITE, Pen
from app.kit.settings import Settings
from app.kit.throttling import forget_visits
from app.mail import outbox
from app.mail.delivery import Connection, compose
from app.mail.rules import Outcome, next_attempt
from app.registration import seating

log = logging.getLogger("sala.jobs")


@dataclass(frozen=True, slots=True)
class Crew:
    """What duties work with."""

    settings: Settings
    database: Database
    pen: Pen


def deliver(crew: Crew) -> int:
    """Send what is due in the outbox; how many messages were handled. Nothing is rendered or sent under the pen.

    A message is claimed and committed before it is sent; when it has left, that and the start of the hours it speaks
    of are one transaction. Without an SMTP server the mail waits.
    """
    if not crew.settings.sends_mail:
        return 0
    claimed = crew.pen.write_now(SITE, lambda db: outbox.claim(db, now=clock.now()))
    if not claimed:
        return 0
    with Connection(crew.settings.smtp_url) as connection:
        for message in claimed:
            _send(crew, connection, message)
    return len(claimed)


def _send(crew: Crew, connection: Connection, message: outbox.Claimed) -> None:
    now = clock.now()
    scope = SITE if message.forum == SITE else message.forum
    try:
        if letters.writes(message):
            found = crew.pen.write_now(scope, lambda db: letters.contents(db, message, crew.settings, now=now))
        else:
            found = crew.database.read(lambda db: letters.contents(db, message, crew.settings, now=now))
        prepared = compose(letters.letter(message, found, crew.settings), now)
    except (NotFound, KeyError, ValueError) as fault:
        log.warning("message %s cannot be made: %r", message.id, fault)
        reason = f"cannot be made: {fault!r}"
        crew.pen.write_now(scope, lambda db: outbox.mark_failed(db, message.id, reason, None))
        return
    outcome, said = connection.send(prepared)
    after = clock.now()

    def keep(db: Db) -> None:
        if outcome is Outcome.SENT:
            outbox.mark_sent(db, message.id, now=after)
            kind, _, code = message.subject.partition(":")
            if kind == "registration":
                seating.start_hours(db, forum_by_slug(db, message.forum), code, message.template, sent_at=after)
        else:
            outbox.mark_failed(db, message.id, said, next_attempt(outcome, message.attempts, after))

    crew.pen.write_now(scope, keep)


def settle(crew: Crew) -> int:
    """Expire what was not confirmed or accepted in time, lapse guarantees, remind; how many forums it ran for."""
    slugs = crew.database.read(lambda db: list(db.execute(select(table(Forum).c.slug)).scalars()))
    for slug in slugs:
        crew.pen.write_now(slug, lambda db, slug=slug: _settle(db, slug))  # type: ignore[misc]
    return len(slugs)


def _settle(db: Db, slug: str) -> None:
    forum = forum_by_slug(db, slug)
    try:
        seating.settle(db, forum, now=clock.now())
        seating.remind(db, forum, now=clock.now())
    except Refused as refused:
        if refused.code != "registration_not_set_up":
            raise


def forget(crew: Crew) -> int:
    """Drop what throttles no longer count."""
    before = clock.now() - timedelta(seconds=crew.settings.throttle_window_seconds)
    return crew.pen.write_now(SITE, lambda db: forget_visits(db, before=before))


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty, how often it runs, and whether it runs again at once while it found something to do."""

    name: str
    every_seconds: float
    do: Callable[[Crew], int]
    until_idle: bool = False


DUTIES: tuple[Duty, ...] = (
    Duty("deliver", 2, deliver, until_idle=True),
    Duty("settle", 30, settle),
    Duty("forget", 600, forget),
)
