"""Mails that wait a while before they leave, so that what they report can still be taken back."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update

from app.kit.db import Db, table
from app.mail.models import Message

_messages = table(Message)


def delay(db: Db, forum: str, subject: str, templates: Collection[str], *, until: datetime) -> None:
    """What is queued about this (of these templates) does not leave before `until` (aware UTC)."""
    mine = (_messages.c.forum == forum) & (_messages.c.subject == subject) & _messages.c.template.in_(list(templates))
    queued = (_messages.c.state == "queued") & (_messages.c.due_at < until)
    db.execute(update(_messages).where(mine & queued).values(due_at=until))


def still_here(db: Db, forum: str, subjects: Collection[str], templates: Collection[str]) -> set[str]:
    """About which of these a message of these templates is queued that no worker has taken yet. One query."""
    mine = (_messages.c.forum == forum) & _messages.c.subject.in_(list(subjects))
    untouched = (_messages.c.state == "queued") & (_messages.c.attempts == 0)
    wanted = select(_messages.c.subject).where(mine, _messages.c.template.in_(list(templates)), untouched)
    return set(db.execute(wanted).scalars())
