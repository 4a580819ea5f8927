"""Scopes (what a pen locks and published bytes are keyed by), visits (of a throttle), heartbeats (of a worker)."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary

from app.kit.tables import Field, SQLModel


class Scope(SQLModel, table=True):
    """A forum's slug or "site"; `revision` grows with every change of what is published in it."""

    __tablename__ = "kit_scope"

    name: str = Field(primary_key=True)
    revision: int = 0


class Visit(SQLModel, table=True):
    """A try at something that is throttled, kept for the window: a keyed digest of who, no address in the clear."""

    __tablename__ = "kit_visit"
    __table_args__ = (Index("ix_kit_visit_who_at", "who", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    who: str
    at: datetime


class Heartbeat(SQLModel, table=True):
    """When a duty of a worker last came to its end, whichever worker's it was, and how often it is to."""

    __tablename__ = "kit_heartbeat"

    duty: str = Field(primary_key=True)
    at: datetime
    every_seconds: float


class GivenAnswer(SQLModel, table=True):
    """What a caller's request with a key of its own was answered, kept for a day: codes and states, no person."""

    __tablename__ = "kit_given_answer"

    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    digest: str
    status: int
    body: bytes = Field(sa_type=LargeBinary)
    location: str = ""
    given_at: datetime = Field(index=True)
