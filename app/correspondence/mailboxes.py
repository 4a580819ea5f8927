"""Mailboxes: whether whoever reads one wants mail that is not essential, and the link by which they say so."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from app.audit.recording import record
from app.correspondence.models import Mailbox
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.throttling import who
from app.registration.rules.names import normal_email

_mailboxes, _forums = table(Mailbox), table(Forum)
BY_LINK = ("mailbox", "")
"""How facts name whoever holds a mailbox's link."""


def key_of(forum: Forum, address: str, secret: bytes) -> str:
    """A mailbox's keyed digest: the table tells nobody's address, not even to whoever guesses at it."""
    return mailbox_key(forum.slug, address, secret)


def mailbox_key(slug: str, address: str, secret: bytes) -> str:
    """The same by the forum's slug."""
    return who(secret, f"mailbox/{slug}", normal_email(address))


def opt_out_token(secret: bytes, mailbox: int, generation: int) -> str:
    """The token of the link that turns what is not essential off and on; it opens nothing else."""
    return codes.lasting_token(secret, "opt-out", mailbox, generation)


def mailbox_of(db: Db, forum: Forum, address: str, secret: bytes) -> Any | None:
    """The mailbox's row; None where the forum never wrote anything to it that is not essential."""
    mine = (_mailboxes.c.forum_id == forum_id(forum)) & (_mailboxes.c.who == key_of(forum, address, secret))
    return db.execute(select(_mailboxes).where(mine)).first()


def open_mailbox(db: Db, forum: Forum, address: str, secret: bytes) -> Any:
    """The mailbox's row, made where there is none yet."""
    found = mailbox_of(db, forum, address, secret)
    if found is not None:
        return found
    values = {"forum_id": forum_id(forum), "who": key_of(forum, address, secret), "generation": 1, "digest": ""}
    number = db.execute(insert(_mailboxes).values(**values).returning(_mailboxes.c.id)).scalar_one()
    token = codes.digest(opt_out_token(secret, number, 1))
    db.execute(update(_mailboxes).where(_mailboxes.c.id == number).values(digest=token))
    return db.execute(select(_mailboxes).where(_mailboxes.c.id == number)).one()


def opted_out(db: Db, forum: Forum) -> frozenset[str]:
    """The digests of the forum's mailboxes that want nothing that is not essential. One query."""
    mine = (_mailboxes.c.forum_id == forum_id(forum)) & _mailboxes.c.opted_out_at.is_not(None)
    return frozenset(db.execute(select(_mailboxes.c.who).where(mine)).scalars())


def by_token(db: Db, token: str) -> tuple[Forum, Any]:
    """The forum and the mailbox whose link this token is. Raises NotFound."""
    row = db.execute(select(_mailboxes).where(_mailboxes.c.digest == codes.digest(token))).first()
    if row is None:
        raise NotFound
    return db.execute(select(Forum).where(_forums.c.id == row.forum_id)).scalar_one(), row


def choose(db: Db, token: str, *, wanted: bool, now: datetime) -> bool:
    """Whoever holds the link wants such mail, or does not; says whether that is new. Raises NotFound.

    The fact says which mailbox by its number, and so nobody's address.
    """
    forum, row = by_token(db, token)
    if (row.opted_out_at is None) == wanted:
        return False
    at = None if wanted else now
    db.execute(update(_mailboxes).where(_mailboxes.c.id == row.id).values(opted_out_at=at))
    kind = "mail.opted_in" if wanted else "mail.opted_out"
    record(db, forum.slug, BY_LINK, kind, f"mailbox:{row.id}", now=now)
    return True
