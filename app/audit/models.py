"""The tables of facts and of the heads of their chains."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint

from app.kit.tables import Field, SQLModel


class Fact(SQLModel, table=True):
    """One line of a scope's chain. `scope` is a forum's slug or "site": text, so that audit knows no forum.

    `personal` and `salt` may be purged; `digest` stays and is what the hash covers, so the chain stays whole.
    """

    __tablename__ = "audit_fact"
    __table_args__ = (UniqueConstraint("scope", "number"), Index("ix_audit_fact_subject", "scope", "subject"))

    id: int | None = Field(default=None, primary_key=True)
    scope: str
    number: int
    at: datetime
    actor: str
    actor_name: str
    kind: str
    subject: str
    before: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    after: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    personal: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    salt: str | None = None
    digest: str
    hash: str


class Head(SQLModel, table=True):
    """How far a chain goes: the number and hash of its last fact, kept beside it so that a removed end shows."""

    __tablename__ = "audit_head"

    scope: str = Field(primary_key=True)
    number: int
    hash: str
