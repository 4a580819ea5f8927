"""How the outbox of the whole installation stands, for whoever watches over it: numbers and instants, no addresses."""

from datetime import datetime

from sqlalchemy import case, func, select

from app.kit.db import Db, table
from app.mail.models import Message

_messages = table(Message)
WAITED_FOR = ("queued", "sending", "retrying", "failed")
"""The states of mail that somebody waits for."""


def unsent_by_state(db: Db) -> dict[str, int]:
    """How many mails of all forums are in each state that is waited for."""
    rows = select(_messages.c.state, func.count()).where(_messages.c.state.in_(WAITED_FOR)).group_by(_messages.c.state)
    return dict.fromkeys(WAITED_FOR, 0) | {row[0]: row[1] for row in db.execute(rows)}


def longest_due(db: Db) -> datetime | None:
    """Since when the mail is due that has been due longest (UTC); None where none waits.

    What was tried and met no server that takes mail is due since it was written: its next try says when one looks
    again. What a server put off for its own sake is due then.
    """
    untaken = (_messages.c.state == "retrying") & (_messages.c.answered == 0)
    since = case((untaken, _messages.c.created_at), else_=_messages.c.due_at)
    due = select(func.min(since)).where(_messages.c.state.in_(("queued", "retrying")))
    found: datetime | None = db.execute(due).scalar()
    return found
