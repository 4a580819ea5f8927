"""The outbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint

from app.kit.tables import Field, SQLModel


class Message(SQLModel, table=True):
    """One mail to one address. `forum` is the slug as text, `subject` what it is about ("registration:K3TP9QA").

    Links are not in `values`: the worker computes them when it renders. `batch` names what it was sent together with
    ("mailing:kep-2027:3"); in one, there is at most one about each subject and address. `bulk` mail waits for all
    other. `resend_of` is the message that this one repeats by hand; `bounced_at` when it was said to have come back;
    `trace` where in a trace it was written (`app.kit.traces.place`), None where none is sent.
    """

    __tablename__ = "mail_message"
    __table_args__ = (
        Index("ix_mail_message_due", "state", "due_at"),
        Index("ix_mail_message_subject", "forum", "subject"),
        Index("ix_mail_message_address", "forum", "to_address"),
        Index("ix_mail_message_bulk", "bulk", "claimed_at"),
        UniqueConstraint("batch", "subject"),
    )

    id: int | None = Field(default=None, primary_key=True)
    message_id: str = Field(unique=True)
    forum: str
    template: str
    language: str
    to_address: str
    to_name: str
    subject: str
    values: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    state: str = "queued"
    created_at: datetime
    due_at: datetime
    attempts: int = 0
    answered: int = 0
    """How many of the attempts ended with a server's answer about this message itself."""
    claimed_at: datetime | None = None
    sent_at: datetime | None = None
    possibly_repeated: bool = False
    error: str = ""
    batch: str | None = None
    bulk: bool = False
    resend_of: int | None = None
    bounced_at: datetime | None = None
    bounce: str = ""
    trace: str | None = None


class Attempt(SQLModel, table=True):
    """One try to hand a message to a server: how it went (`rules.Outcome`, or "withheld"), and the server's line."""

    __tablename__ = "mail_attempt"

    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="mail_message.id", index=True)
    at: datetime
    outcome: str
    said: str = ""
