"""One message of the outbox at the desk: how it reads for its reader, and sending it once more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.correspondence.addressing import reader_now
from app.correspondence.contents import Contents, contents, for_program
from app.correspondence.rendering import Rendered, rendered
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import Conflict, NotFound, Refused
from app.kit.i18n import Lang
from app.kit.settings import Settings
from app.mail.outbox import Claimed, attempts_at, message_of, queue_mail

OVER = frozenset({"sent", "failed", "withheld"})
"""States from which a message may be sent once more: nothing of it is on its way."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A message with its tries, as it reads now (None where what it says is no longer so), and the address of its
    reader now, where that is another ("" otherwise)."""

    row: Any
    tries: list[Any]
    shown: Rendered | None
    moved_to: str


def whole_message(
    db: Db, by: Actor, forum: Forum, message: int, settings: Settings, *, now: datetime, to_program: bool = False
) -> Whole:
    """Everything about a forum's message; links are masked, and `to_program` also what no program may read
    (`for_program`). Raises NotFound."""
    by.must(Permission.SEE_MAIL, forum_id(forum))
    row = message_of(db, forum.slug, message)
    address = reader_now(db, forum, row.subject)[0]
    moved = address if address and address != row.to_address else ""
    found = _contents(db, row, address or row.to_address, settings, now)
    if found is not None and to_program:
        found = for_program(db, forum, row.subject, found)
    lang: Lang = "km" if row.language == "km" else "en"
    shown = rendered(row.template, lang, found) if found else None
    return Whole(row, attempts_at(db, row.id), shown, moved)


def _contents(db: Db, row: Any, address: str, settings: Settings, now: datetime) -> Contents | None:
    if not row.to_address:
        return None
    try:
        return contents(db, as_claimed(row, address), settings, now=now, masked=True)
    except NotFound:
        return None


def as_claimed(row: Any, address: str) -> Claimed:
    """A row of the outbox as what is rendered is made of, at this address."""
    named = (row.forum, row.template, row.language, address, row.to_name, row.subject, row.values)
    return Claimed(row.id, row.message_id, *named, row.attempts, row.answered, repeated=row.possibly_repeated)


def resend(db: Db, by: Actor, forum: Forum, message: int, *, now: datetime) -> bool:
    """Write a message that has come to its end once more: the same words under a new Message-ID, to the address its
    reader has now; says whether that is another than before.

    Raises NotFound; Conflict("mail_under_way") while it waits or leaves; Refused("mail_has_no_reader") where nobody is
    there any more to be written to.
    """
    by.must(Permission.SEND_MAIL, forum_id(forum))
    row = message_of(db, forum.slug, message)
    if row.state not in OVER:
        raise Conflict("mail_under_way")
    address = reader_now(db, forum, row.subject)[0]
    if not address or not row.to_address:
        raise Refused("mail_has_no_reader")
    to, again = (address, row.to_name), {"values": row.values, "resend_of": row.id}
    queue_mail(db, forum.slug, row.template, row.language, to, row.subject, now=now, **again)
    after = {"mail": row.template, "number": row.id}
    record(db, forum.slug, by.signature, "mail.sent_again", row.subject, now=now, after=after)
    return bool(address != row.to_address)
