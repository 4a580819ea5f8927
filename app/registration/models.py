"""Categories, applications, places and seats. Foreign keys point down the floors."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint

from app.kit.i18n import Bilingual, BilingualText
from app.kit.tables import Field, SQLModel


class Terms(SQLModel, table=True):
    """How a forum registers: capacity and target in seats, opening and closing in UTC, hours to confirm or accept."""

    __tablename__ = "registration_terms"

    forum_id: int = Field(primary_key=True, foreign_key="forum_forum.id")
    capacity: int
    target: int
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    confirm_hours: int = 48
    promotion: str = "seat"
    offer_hours: int = 48


class Category(SQLModel, table=True):
    """A kind of participant. `source` keeps the words of the forum's call it came from."""

    __tablename__ = "registration_category"
    __table_args__ = (
        UniqueConstraint("forum_id", "code"),
        CheckConstraint("guarantee >= 0", name="guarantee_not_negative"),
        CheckConstraint('"limit" IS NULL OR "limit" >= guarantee', name="limit_not_below_guarantee"),
    )

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    code: str
    letter: str
    band: str
    name: Bilingual = Field(sa_type=BilingualText)
    description: Bilingual = Field(sa_type=BilingualText)
    source: str = ""
    mode: str
    hold_while_reviewing: bool = False
    guarantee: int
    limit: int | None = None
    lapses_at: datetime | None = None
    lapse_settled: bool = False
    position: int


class Application(SQLModel, table=True):
    """One person's request to attend.

    `live_key` is the person (e-mail, and the principal's name where an assistant registers one) while the
    application is live and NULL afterwards, so the table itself keeps a person to one live registration a forum.
    `confirm_by` is empty until the mail that asks for it has left: nothing expires before.
    """

    __tablename__ = "registration_application"
    __table_args__ = (
        UniqueConstraint("forum_id", "code"),
        UniqueConstraint("forum_id", "request_key"),
        UniqueConstraint("forum_id", "live_key"),
        Index("ix_registration_application_queue", "forum_id", "state", "category_id"),
        Index("ix_registration_application_email", "forum_id", "email_normal"),
    )

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    category_id: int = Field(foreign_key="registration_category.id", index=True)
    code: str
    request_key: str
    live_key: str | None = None
    state: str
    language: str
    email: str
    email_normal: str
    titles: list[str] = Field(default_factory=list, sa_type=JSON)
    family_name: str
    given_name: str
    name_km: str = ""
    display_name: str = ""
    name_search: str = ""
    attends_as: str = "official"
    institution: str = ""
    position_title: str = ""
    country: str = ""
    phone: str = ""
    assistant_name: str = ""
    asked_at: datetime
    priority: int = 0
    priority_reason: str = ""
    confirmed_at: datetime | None = None
    confirm_by: datetime | None = None
    offer_until: datetime | None = None
    reminded_at: datetime | None = None
    ended_at: datetime | None = None
    decision_note: str = ""
    manage_generation: int = 1
    manage_digest: str = Field(default="", index=True)
    feed_generation: int = 1
    feed_digest: str = Field(default="", index=True)
    edition: int = 1


class Needs(SQLModel, table=True):
    """Sensitive answers, apart from the rest: asked only if given, shown only to the role that needs them, purged."""

    __tablename__ = "registration_needs"

    application_id: int = Field(primary_key=True, foreign_key="registration_application.id")
    meals: str = ""
    access: str = ""


class Place(SQLModel, table=True):
    """One of the hall's chairs. There are `capacity` of them; a retiring one goes when it is freed."""

    __tablename__ = "registration_place"

    forum_id: int = Field(primary_key=True, foreign_key="forum_forum.id")
    number: int = Field(primary_key=True)
    retiring: bool = False


class Seat(SQLModel, table=True):
    """The right to a place. No two seats share one and there is no seat without one: seat 301 cannot exist."""

    __tablename__ = "registration_seat"
    __table_args__ = (
        UniqueConstraint("forum_id", "number"),
        ForeignKeyConstraint(
            ["forum_id", "number"],
            ["registration_place.forum_id", "registration_place.number"],
            name="fk_registration_seat_place",
        ),
        Index("ix_registration_seat_category", "forum_id", "category_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int
    number: int
    category_id: int = Field(foreign_key="registration_category.id")
    application_id: int | None = Field(default=None, foreign_key="registration_application.id", unique=True)
    kind: str = "person"
    purpose: str = ""
    given_at: datetime


class SignUp(SQLModel, table=True):
    """A session that asks for sign-up, and for how many places. Keyed by the session's uid: versions come and go."""

    __tablename__ = "registration_sign_up"

    session_uid: str = Field(primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id", index=True)
    places: int
