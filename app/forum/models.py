"""The forum and what describes it. Dates are local to the forum's time zone; both empty means "to be announced"."""

import secrets
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint

from app.kit.i18n import Bilingual, BilingualText
from app.kit.tables import Field, SQLModel

EMPTY = Bilingual()


def new_uid() -> str:
    """An immutable id for the forum as a whole: calendars know it for ever, so it says nothing that may change."""
    return f"{secrets.token_hex(12)}@sala"


class Forum(SQLModel, table=True):
    """One edition, with one address.

    `uid` and `sequence` are those of its own entry in calendars (rules §5); `slot_changed_at` is when its time, place
    or title last changed. With `second_factor` its desk is for those alone who sign in with one. One that is not
    `public` is known to nobody but its desk and whoever holds a secret link of it.
    """

    __tablename__ = "forum_forum"

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    featured: bool = False
    format_label: Bilingual = Field(default=EMPTY, sa_type=BilingualText)
    title: Bilingual = Field(default=EMPTY, sa_type=BilingualText)
    short_title: Bilingual = Field(default=EMPTY, sa_type=BilingualText)
    summary: Bilingual = Field(default=EMPTY, sa_type=BilingualText)
    about: Bilingual = Field(default=EMPTY, sa_type=BilingualText)
    central_question: Bilingual = Field(default=EMPTY, sa_type=BilingualText)
    participants: Bilingual = Field(default=EMPTY, sa_type=BilingualText)
    starts_on: date | None = None
    ends_on: date | None = None
    timezone: str = "Asia/Phnom_Penh"
    languages: list[str] = Field(default_factory=list, sa_type=JSON)
    venue_name: Bilingual = Field(default=EMPTY, sa_type=BilingualText)
    venue_address: Bilingual = Field(default=EMPTY, sa_type=BilingualText)
    venue_note: Bilingual = Field(default=EMPTY, sa_type=BilingualText)
    latitude: float | None = None
    longitude: float | None = None
    contact: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    secretariat: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    created_at: datetime
    changed_at: datetime
    uid: str = Field(default_factory=new_uid)
    sequence: int = 0
    slot_changed_at: datetime | None = None
    second_factor: bool = False
    public: bool = True


class SettingEdit(SQLModel, table=True):
    """A change of one part of the settings, with the whole part before and after, so that it can be taken back."""

    __tablename__ = "forum_setting_edit"

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id", index=True)
    part: str
    before: dict[str, Any] = Field(sa_type=JSON)
    after: dict[str, Any] = Field(sa_type=JSON)
    by: str
    by_name: str
    at: datetime


class Objective(SQLModel, table=True):
    """What the forum is to achieve; sessions name the objectives they serve."""

    __tablename__ = "forum_objective"
    __table_args__ = (UniqueConstraint("forum_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    number: int
    text: Bilingual = Field(sa_type=BilingualText)


class Track(SQLModel, table=True):
    """A main topic, known by a letter and a colour."""

    __tablename__ = "forum_track"
    __table_args__ = (UniqueConstraint("forum_id", "code"), UniqueConstraint("forum_id", "slug"))

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    code: str
    slug: str
    title: Bilingual = Field(sa_type=BilingualText)
    short_title: Bilingual = Field(sa_type=BilingualText)
    colour: str
    position: int


class Theme(SQLModel, table=True):
    """A theme inside a track."""

    __tablename__ = "forum_theme"
    __table_args__ = (UniqueConstraint("forum_id", "slug"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    track_id: int = Field(foreign_key="forum_track.id")
    slug: str
    title: Bilingual = Field(sa_type=BilingualText)
    position: int


class MeetingRoom(SQLModel, table=True):
    """A room of the venue; `listed` says whether the public programme may name it as a column of its own.

    `seats` is what it holds in its usual `setup`; setting it up otherwise takes `changeover_minutes`.
    """

    __tablename__ = "forum_meeting_room"
    __table_args__ = (UniqueConstraint("forum_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    code: str
    name: Bilingual = Field(sa_type=BilingualText)
    seats: int
    listed: bool = True
    position: int
    setup: str = "theatre"
    changeover_minutes: int = 15
    edition: int = 1


class RoomSetup(SQLModel, table=True):
    """Another way in which a room can be set up, and the seats it has then."""

    __tablename__ = "forum_room_setup"
    __table_args__ = (UniqueConstraint("room_id", "setup"),)

    id: int | None = Field(default=None, primary_key=True)
    room_id: int = Field(foreign_key="forum_meeting_room.id", ondelete="CASCADE")
    setup: str
    seats: int


class RoleGrant(SQLModel, table=True):
    """A user's role in one forum."""

    __tablename__ = "forum_role_grant"
    __table_args__ = (UniqueConstraint("forum_id", "user_id", "role"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    user_id: int = Field(foreign_key="accounts_user.id", index=True)
    role: str
    granted_at: datetime


class Token(SQLModel, table=True):
    """What lets a program act for a user in one forum: no more than `scope`, and never more than the user may there.

    Of the token itself only the digest is kept, and its last signs by which its owner knows it again.
    """

    __tablename__ = "forum_token"

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id", index=True)
    user_id: int = Field(foreign_key="accounts_user.id", index=True)
    name: str
    digest: str = Field(unique=True)
    ending: str
    scope: list[str] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    used_at: datetime | None = None


class Webhook(SQLModel, table=True):
    """An address that is told of a forum's facts: of which families ("registration"), none for all.

    `told` is the number of the last fact that was looked at for it. Its secret is computed from id and generation.
    `failing_since` is when deliveries began to fail; after days of that it is paused, and the desk says so.
    """

    __tablename__ = "forum_webhook"

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id", index=True)
    address: str
    families: list[str] = Field(default_factory=list, sa_type=JSON)
    generation: int = 1
    told: int
    created_at: datetime
    failing_since: datetime | None = None
    paused_at: datetime | None = None
    ended_at: datetime | None = None


class Delivery(SQLModel, table=True):
    """One fact to be told to one webhook, and how that went: ids and kinds, nothing of a person.

    `number` is the fact's, 0 for a trial. `message` is what the receiver knows it by however often it comes.
    """

    __tablename__ = "forum_delivery"
    __table_args__ = (Index("ix_forum_delivery_due", "state", "due_at"),)

    id: int | None = Field(default=None, primary_key=True)
    webhook_id: int = Field(foreign_key="forum_webhook.id", index=True)
    number: int
    kind: str
    subject: str
    message: str = Field(unique=True)
    made_at: datetime
    state: str = "queued"
    due_at: datetime
    attempts: int = 0
    claimed_at: datetime | None = None
    status: int = 0
    error: str = ""
