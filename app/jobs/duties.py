"""What the worker does, and how often: one table. A duty is a function of the crew and says how much it did."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.accounts.actor import Actor
from app.correspondence import mailing
from app.correspondence.contents import Contents, contents
from app.forum.delivering import forget_deliveries
from app.forum.models import Forum
from app.forum.queries import forum_by_slug
from app.jobs import enclosures, hooks, letters, many
from app.jobs.crew import Crew
from app.jobs.reactions import people_named, react
from app.kit import clock, heart, traces
from app.kit.db import Db, table
from app.kit.errors import Busy, Conflict, NotFound, Refused, Unavailable
from app.kit.faults import kind_of
from app.kit.pen import SITE, Deed
from app.kit.repeating import forget_answers
from app.kit.spans import Span
from app.kit.throttling import forget_visits
from app.kit.trouble import trouble_of
from app.mail import outbox
from app.mail.delivery import Connection, Prepared, compose
from app.mail.rules import Outcome, came_back, is_answer, next_attempt
from app.registration import enclosing, inviting, reminding, retaining, seating, settling, signing_up

T = TypeVar("T")
log = logging.getLogger("sala.jobs")


ANSWERS_LAST = timedelta(hours=24)
"""How long the same request with the same key is answered alike."""
DELIVERIES_LAST = timedelta(days=30)
"""How long the desk sees what webhooks were told."""
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
            claimed = crew.pen.write_now(SITE, lambda db: _next(db, crew))
            if not claimed:
                break
            if not _send(crew, connection, claimed[0]):
                return 0
            handled += 1
    return handled


def _next(db: Db, crew: Crew) -> list[outbox.Claimed]:
    return outbox.claim(db, now=clock.now(), most=1, bulk_a_minute=crew.settings.bulk_mails_a_minute)


def _send(crew: Crew, connection: Connection, message: outbox.Claimed) -> bool:
    """Make and send one message and keep what came of it; whether others may follow."""
    facts: dict[str, str | int] = {
        "sala.forum": message.forum,
        "sala.message": message.id,
        "sala.template": message.template,
    }
    facts["sala.attempt"] = message.attempts
    with traces.span("mail delivery", facts, out=True, after=message.trace) as span:
        return _send_told(crew, connection, message, span)


def _send_told(crew: Crew, connection: Connection, message: outbox.Claimed, span: Span) -> bool:
    """The same, saying what came of it. Whatever is wrong with this one fails this one alone."""
    now = clock.now()
    scope = SITE if message.forum == SITE else message.forum
    try:
        prepared = _made(crew, scope, message, now)
        outcome, said = connection.send(prepared)
    except NotFound:
        log.info("message %s is no longer true", message.id)
        span.note({"sala.outcome": "withheld"})
        crew.pen.write_now(scope, partial(_withhold, message=message, now=now))
        return True
    except Exception as fault:
        if isinstance(fault, Busy | Unavailable | DBAPIError) or trouble_of(fault):  # ours, not the message's
            outcome, said = Outcome.TEMPORARY, f"cannot be made now: {kind_of(fault)}"
        else:
            log.exception("message %s cannot be made", message.id)
            outcome, said = Outcome.PERMANENT, f"cannot be made: {kind_of(fault)}"
    span.note({"sala.outcome": outcome.value})
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
        outbox.note_attempt(db, message, outcome.value, said, at=after)
        if ours and came_back(outcome, said):
            outbox.mark_bounced(db, message.id, said, at=after)
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

    def look_up(db: Db) -> Contents:
        kind, _, code = message.subject.partition(":")
        if kind == "registration" and not seating.still_true(
            db, forum_by_slug(db, message.forum), code, message.template
        ):
            raise NotFound
        return contents(db, message, crew.settings, now=now)

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
    how many forums it ran for. One in which it fails holds up no other."""
    slugs = crew.database.read(lambda db: list(db.execute(select(table(Forum).c.slug)).scalars()))
    return sum(_in_each(slugs, lambda slug: bool(crew.pen.write_now(slug, lambda db: _settle(db, slug)))))


def _in_each(all_of_them: Iterable[T], do: Callable[[T], int]) -> list[int]:
    """Do something for each; one of which it fails holds up no other. Raises the first fault after all their turns."""
    done, faults = [], []
    for each in all_of_them:
        try:
            done.append(do(each))
        except Exception as fault:
            log.exception("failed for %s", each)
            faults.append(fault)
    if faults:
        raise faults[0]
    return done


def _settle(db: Db, slug: str) -> bool:
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
    return True


def send_mailings(crew: Crew) -> int:
    """Write to the next piece of those each mailing means that is due; how many have more to come. One that fails
    holds up no other."""
    rows = crew.database.read(lambda db: [(_slug(db, own), number) for own, number in mailing.due(db, now=clock.now())])

    def piece(which: tuple[str, int]) -> bool:
        slug, number = which
        if crew.ending.is_set():
            return False
        try:
            return crew.pen.write_now(slug, partial(_mail, slug=slug, number=number, crew=crew))
        except Conflict:
            log.info("mailing %s of %s was changed meanwhile", number, slug)
            return False

    return sum(_in_each(rows, piece))


def _slug(db: Db, own: int) -> str:
    return str(db.execute(select(table(Forum).c.slug).where(table(Forum).c.id == own)).scalar_one())


def _mail(db: Db, *, slug: str, number: int, crew: Crew) -> bool:
    return mailing.step(db, forum_by_slug(db, slug), number, crew.settings.secret_key, now=clock.now())


def forget(crew: Crew) -> int:
    """Drop what throttles no longer count, answers to requests that nobody sends again any more, old deliveries."""
    now = clock.now()
    before = now - timedelta(seconds=crew.settings.throttle_window_seconds)
    dropped = crew.pen.write_now(SITE, lambda db: forget_answers(db, before=now - ANSWERS_LAST))
    dropped += crew.pen.write_now(SITE, lambda db: forget_deliveries(db, before=now - DELIVERIES_LAST))
    return dropped + crew.pen.write_now(SITE, lambda db: forget_visits(db, before=before))


def purge(crew: Crew) -> int:
    """Empty what is sensitive in the forums whose day has come; how many rows (docs/decisions/0007)."""

    def empty(slug: str) -> int:
        if not crew.database.read(lambda db: _has_to_purge(db, slug)):
            return 0
        return crew.pen.write_now(slug, lambda db: _purge(db, slug))

    return sum(_in_each(crew.database.read(lambda db: list(db.execute(select(table(Forum).c.slug)).scalars())), empty))


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
    Duty("mailings", 2, send_mailings, until_idle=True),
    Duty("settle", 30, settle),
    Duty("react", 2, react, until_idle=True),
    Duty("hooks", 5, hooks.tell, until_idle=True),
    Duty("many", 2, many.go_on, until_idle=True),
    Duty("forget", 600, forget),
    Duty("purge", 600, purge),
    Duty("beat", heart.EVERY_SECONDS, beat),
)
