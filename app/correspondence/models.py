"""An organiser's own words, mailings, and mailboxes. Foreign keys point down the floors."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, UniqueConstraint

from app.kit.tables import Field, SQLModel


class OwnWords(SQLModel, table=True):
    """One edition of a forum's own words for a message. The highest edition counts; none is ever changed.

    `wording` is the second wording they are for ("badges"), or empty. A language whose subject and text are empty has
    the built-in words.
    """

    __tablename__ = "correspondence_own_words"
    __table_args__ = (UniqueConstraint("forum_id", "template", "wording", "edition"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    template: str
    wording: str = ""
    edition: int
    subject_en: str = ""
    subject_km: str = ""
    text_en: str = ""
    text_km: str = ""
    written_at: datetime
    user_id: int | None = Field(default=None, foreign_key="accounts_user.id")


class Mailing(SQLModel, table=True):
    """A mail of the organisers to a segment, `number` counting a forum's own.

    `segment` is what `rules.segments.Segment` holds, as JSON. While it is being sent, `within` is the last of those who
    were looked at, the newest first, `queued`, `opted_out` and `left_out` count what came of them. Times in UTC.
    """

    __tablename__ = "correspondence_mailing"
    __table_args__ = (UniqueConstraint("forum_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    number: int
    name: str
    purpose: str = ""
    essential: bool = False
    subject_en: str
    subject_km: str
    text_en: str
    text_km: str
    segment: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    state: str = "draft"
    send_at: datetime | None = Field(default=None, index=True)
    within: int = 0
    queued: int = 0
    opted_out: int = 0
    left_out: int = 0
    created_at: datetime
    ended_at: datetime | None = None
    user_id: int | None = Field(default=None, foreign_key="accounts_user.id")
    edition: int = 1


class Mailbox(SQLModel, table=True):
    """An address to which a forum wrote what is not essential, and whether its reader wants that.

    `who` is a keyed digest of it: the table holds no address. `generation` and `digest` belong to the opt-out's link.
    """

    __tablename__ = "correspondence_mailbox"
    __table_args__ = (UniqueConstraint("forum_id", "who"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    who: str
    generation: int = 1
    digest: str = Field(default="", index=True)
    opted_out_at: datetime | None = None
