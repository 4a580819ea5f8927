"""Mail that came back: reading a delivery status notification (RFC 3464) and noting it at the message it is about."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import compat32

from sqlalchemy import select

from app.audit.recording import record
from app.kit.db import Db, table
from app.mail.models import Message
from app.mail.outbox import mark_bounced

_messages = table(Message)
MOST_BYTES = 1 << 20
"""The longest notification read; one returns a mail, and ours are short."""
MOST_PARTS = 50
MOST_IDS = 5
_OURS = re.compile(rb"<[0-9a-f]{32}@sala>")
_FAILED = re.compile(r"5\.\d{1,3}\.\d{1,3}")
BY_POST = ("postmaster", "")
"""How facts name whoever hands a notification over."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a notification says: the Message-IDs of ours in it, and the failure in one line ("5.1.1 …")."""

    message_ids: tuple[str, ...]
    said: str


def read_bounce(raw: bytes) -> Bounce | None:
    """What a notification says of mail of ours that failed for good.

    None for anything else: another mail, a delay, a success, one of nobody's mail, one beyond the limits. It never
    fails: whoever knows the address may write to it.
    """
    if len(raw) > MOST_BYTES:
        return None
    try:
        mail = message_from_bytes(raw, policy=compat32)
        said = next(_failures(mail), "")
    except (ValueError, LookupError, RecursionError, AttributeError, TypeError):  # what the parser makes of rubbish
        return None
    ids = tuple(dict.fromkeys(found.decode() for found in _OURS.findall(raw)))[:MOST_IDS]
    return Bounce(ids, said) if said and ids else None


def _failures(mail: Mail) -> Iterator[str]:
    """The failures of a `message/delivery-status` part, each in one line; its blocks are headers (RFC 3464 §2.1)."""
    for number, part in enumerate(mail.walk()):
        if number > MOST_PARTS:
            return
        if part.get_content_type() != "message/delivery-status":
            continue
        payload = part.get_payload()
        blocks = [block for block in payload if isinstance(block, Mail)] if isinstance(payload, list) else []
        for block in blocks[:MOST_PARTS]:
            status = _FAILED.search(_plain(block.get("Status")))
            if status and _plain(block.get("Action")).lower() == "failed":
                code = _plain(block.get("Diagnostic-Code")).partition(";")[2] or _plain(block.get("Diagnostic-Code"))
                yield " ".join(f"{status[0]} {code}".split())[:500]


def _plain(value: object) -> str:
    """A header in one line of characters that can be shown."""
    return "".join(letter if letter.isprintable() else " " for letter in str(value or "")).strip()


def scopes_of(db: Db, bounce: Bounce) -> list[str]:
    """The forums whose mail is named. One query."""
    wanted = select(_messages.c.forum).where(_messages.c.message_id.in_(bounce.message_ids)).distinct()
    return sorted(db.execute(wanted).scalars())


def note_bounce(db: Db, scope: str, bounce: Bounce, *, now: datetime) -> int:
    """Note at each message of this forum that is named that it came back, with a fact; how many are new."""
    mine = (_messages.c.forum == scope) & _messages.c.message_id.in_(bounce.message_ids)
    rows = db.execute(select(_messages).where(mine)).all()
    noted = 0
    for row in rows:
        if row.to_address and mark_bounced(db, row.id, bounce.said, at=now):
            after, personal = {"mail": row.template}, {"word": bounce.said}
            record(db, row.forum, BY_POST, "mail.bounced", row.subject, now=now, after=after, personal=personal)
            noted += 1
    return noted
