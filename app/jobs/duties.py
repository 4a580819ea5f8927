"""What the worker does, and how often: one table. A duty is a function of the crew and says how much it did."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.forum.queries import forum_by_slug
from app.jobs import enclosures, letters
from app.jobs.crew import Crew
from app.jobs.reactions import people_named, react
from app.kit import clock, heart
from app.kit.db import Db, table
from app.kit.errors import Busy, NotFound, Refused, Unavailable
from app.kit.pen import SITE, Deed
from app.kit.throttling import forget_visits
from app.kit.trouble import trouble_of
from app.mail import outbox
from app.mail.delivery import Connection, Prepared, compose
from app.mail.rules import Outcome, is_answer, next_attempt
from app.registration import enclosing, inviting, reminding, retaining, seating, settling, signing_up

log = logging.getLogger("sala.jobs")


MOST_AT_ONCE = 20
"""Messages over one connection."""
SECONDS_BETWEEN_TRIES = (1, 2, 4, 8, 15, 30)
"""Between tries to write what came of a message."""


def deliver(crew: Crew) -> int:
    """Send what is due in the outbox; how many messages were handled, 0 where the server let us in no more.

    Nothing is rendered or sent under the pen. A message is claimed and committed just before it is sent, one at a
    time, so that no claim outlasts its delivery; when it has left, that and the start of the hours it speaks of are
    one transaction. Without an SMTP server the mail waits.
    """
    if not crew.settings.sends_mail:
        return 0
    handled = 0
    with Connection(crew.settings.smtp_url) as connection:
        while handled < MOST_AT_ONCE and not crew.ending.is_set():
            claimed = crew.pen.write_now(SITE, lambda db: outbox.claim(db, now=clock.now(), most=1))
            if not claimed:
                break
            if not _send(crew, connection, claimed[0]):
                return 0
            handled += 1
    return handled


def _send(crew: Crew, connection: Connection, message: outbox.Claimed) -> bool:
    """Make and send one message and keep what came of it; whether others may follow.

    Whatever is wrong with this one fails this one alone.
    """
    now = clock.now()
    scope = SITE if message.forum == SITE else message.forum
    try:
        prepared = _made(crew, scope, message, now)
        outcome, said = connection.send(prepared)
    except NotFound:
        log.info("message %s is no longer true", message.id)
        crew.pen.write_now(scope, partial(_withhold, message=message, now=now))
        return True
    except Exception as fault:
        if isinstance(fault, Busy | Unavailable | DBAPIError) or trouble_of(fault):  # ours, not the message's
            outcome, said = Outcome.TEMPORARY, f"cannot be made now: {fault!r}"
        else:
            log.exception("message %s cannot be made", message.id)
            outcome, said = Outcome.PERMANENT, f"cannot be made: {fault!r}"
    after = clock.now()
    answered = is_answer(outcome)
    tries = message.answered + 1 if answered else message.attempts
    again = None if outcome is Outcome.SENT else next_attempt(outcome, tries, after)
    let_in = connection.is_open or outcome not in {Outcome.CONFIGURATION, Outcome.CONNECTION}

    def keep(db: Db) -> None:
        if outcome is Outcome.SENT:
            ours = outbox.mark_sent(db, message, now=after)
        else:
            cut = connection.text_on_its_way
            ours = outbox.mark_failed(db, message, said, again, answered=answered, may_have_left=cut)
        if not let_in and again:
            outbox.put_off(db, again)
        if ours and outcome is Outcome.SENT:
            _start_hours(db, message, after)
            if message.repeated or len(enclosing.enclosed(db, message.message_id)) >= enclosing.MOST:
                _promise_entries(db, message, now=after)
        elif ours and not (message.repeated or connection.text_on_its_way):
            enclosing.take_back(db, message.message_id)
        if not ours:
            log.warning("message %s took too long and is another's by now", message.id)

    _write_in_any_case(crew, scope, keep)
    return let_in


def _write_in_any_case(crew: Crew, scope: str, deed: Deed[None]) -> None:
    """What came of a message is known here alone: while the database does not take it, it is tried for a minute.

    Should the first try have been written all the same, the second finds the claim closed and changes nothing.
    """
    for seconds in SECONDS_BETWEEN_TRIES:
        try:
            return crew.pen.write_now(scope, deed)
        except Exception as fault:
            if not (isinstance(fault, Unavailable) or trouble_of(fault)):
                raise
            log.warning("the database does not take what came of a message; again in %s s", seconds)
        crew.ending.wait(seconds)
    return crew.pen.write_now(scope, deed)


def _made(crew: Crew, scope: str, message: outbox.Claimed, now: datetime) -> Prepared:
    """The message, rendered. Raises NotFound where what it says is no longer so."""

    def look_up(db: Db) -> letters.Contents:
        kind, _, code = message.subject.partition(":")
        if kind == "registration" and not seating.still_true(
            db, forum_by_slug(db, message.forum), code, message.template
        ):
            raise NotFound
        return letters.contents(db, message, crew.settings, now=now)

    found = crew.pen.write_now(scope, look_up) if letters.writes(message) else crew.database.read(look_up)
    along = enclosures.brought(crew, message, found.reply_to, now=now)
    return compose(letters.letter(message, found, crew.settings, along), now)


def _withhold(db: Db, *, message: outbox.Claimed, now: datetime) -> None:
    """It does not leave; what it would have taken along does with another."""
    if outbox.mark_withheld(db, message, "no longer true") and not message.repeated:
        enclosing.take_back(db, message.message_id)
    _promise_entries(db, message, now=now)


def _promise_entries(db: Db, message: outbox.Claimed, *, now: datetime) -> None:
    """What the message did not take along for a calendar, or must not because it was sent twice, gets another mail."""
    kind, _, code = message.subject.partition(":")
    if kind == "registration" and (found := people_named(db, message.forum, code)):
        enclosing.promise(db, forum_by_slug(db, message.forum), found, now=now)


def _start_hours(db: Db, message: outbox.Claimed, at: datetime) -> None:
    kind, _, code = message.subject.partition(":")
    if kind != "registration":
        return
    try:
        seating.start_hours(db, forum_by_slug(db, message.forum), code, message.template, sent_at=at)
    except (NotFound, Refused):
        log.warning("message %s speaks of nothing that has hours", message.id)


def settle(crew: Crew) -> int:
    """Expire what was not confirmed or accepted in time, lapse guarantees, remind, bring the picks to the programme;
    how many forums it ran for."""
    slugs = crew.database.read(lambda db: list(db.execute(select(table(Forum).c.slug)).scalars()))
    for slug in slugs:
        crew.pen.write_now(slug, lambda db, slug=slug: _settle(db, slug))  # type: ignore[misc]
    return len(slugs)


def _settle(db: Db, slug: str) -> None:
    forum = forum_by_slug(db, slug)
    try:
        settling.settle(db, forum, now=clock.now())
        settling.remind(db, forum, now=clock.now())
        reminding.remind_focal_points(db, forum, now=clock.now())
        inviting.remind_invited(db, forum, now=clock.now())
        signing_up.move_lists(db, forum, None, now=clock.now())
    except Refused as refused:
        if refused.code != "registration_not_set_up":
            raise


def forget(crew: Crew) -> int:
    """Drop what throttles no longer count."""
    before = clock.now() - timedelta(seconds=crew.settings.throttle_window_seconds)
    return crew.pen.write_now(SITE, lambda db: forget_visits(db, before=before))


def purge(crew: Crew) -> int:
    """Empty what is sensitive in the forums whose day has come; how many rows (docs/decisions/0007)."""
    emptied = 0
    for slug in crew.database.read(lambda db: list(db.execute(select(table(Forum).c.slug)).scalars())):
        if crew.database.read(lambda db, slug=slug: _has_to_purge(db, slug)):  # type: ignore[misc]
            emptied += crew.pen.write_now(slug, lambda db, slug=slug: _purge(db, slug))  # type: ignore[misc]
    return emptied


def _has_to_purge(db: Db, slug: str) -> bool:
    found = retaining.dry_run(db, Actor.worker(), forum_by_slug(db, slug), now=clock.now())
    return found.due(clock.now()) and found.emptied > 0


def _purge(db: Db, slug: str) -> int:
    return retaining.purge(db, Actor.worker(), forum_by_slug(db, slug), now=clock.now())


def beat(crew: Crew) -> int:
    """Write when each duty last ended, so that others can see whether the worker lives; how many."""
    ended = dict(crew.ended)
    crew.pen.write_now(SITE, lambda db: heart.beat(db, ended))
    return len(ended)


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
    Duty("react", 2, react, until_idle=True),
    Duty("forget", 600, forget),
    Duty("purge", 600, purge),
    Duty("beat", heart.EVERY_SECONDS, beat),
)
