"""The working copy and the published versions. Instants are UTC; the forum's zone says how they are read."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, UniqueConstraint

from app.kit.i18n import Bilingual, BilingualText
from app.kit.tables import Field, SQLModel

EMPTY = Bilingual()


class Session(SQLModel, table=True):
    """One slot of the programme, in the working copy. `uid` is made once and never changes: calendars know it."""

    __tablename__ = "programme_session"
    __table_args__ = (UniqueConstraint("forum_id", "code"), UniqueConstraint("uid"))

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    uid: str
    code: str
    type: str
    title: Bilingual = Field(sa_type=BilingualText)
    abstract: Bilingual | None = Field(default=None, sa_type=BilingualText)
    guiding_question: Bilingual | None = Field(default=None, sa_type=BilingualText)
    tracks: list[str] = Field(default_factory=list, sa_type=JSON)
    themes: list[str] = Field(default_factory=list, sa_type=JSON)
    objectives: list[int] = Field(default_factory=list, sa_type=JSON)
    facet: str | None = None
    room_id: int | None = Field(default=None, foreign_key="forum_meeting_room.id")
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    attribution: str | None = None
    spoken: list[str] = Field(default_factory=list, sa_type=JSON)
    interpreted: list[str] = Field(default_factory=list, sa_type=JSON)
    overlap_intended: bool = False
    cancelled: bool = False
    setup: str | None = None
    """How the room is set up for it; the room's usual way where that is empty. For the desk alone, never published."""
    position: int = 0
    edition: int = 1


class Speaker(SQLModel, table=True):
    """A person of the programme, shown by function where no name is announced."""

    __tablename__ = "programme_speaker"
    __table_args__ = (UniqueConstraint("forum_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    code: str
    name: Bilingual | None = Field(default=None, sa_type=BilingualText)
    function: Bilingual = Field(sa_type=BilingualText)
    institution: Bilingual | None = Field(default=None, sa_type=BilingualText)
    country: str | None = None
    kind: str | None = None
    """Whose voice it is: of civil society, of a government …; for the desk alone, never published."""
    bio: Bilingual | None = Field(default=None, sa_type=BilingualText)
    position: int = 0
    announced: bool = True
    """May the name be said in public? If not the function stands for it."""
    guest: bool = False
    """Invited from outside: the programme waits for this person's yes (rules §4.3)."""
    photo: str | None = None
    """The digest of the photograph that the next version shows (see `Portrait`)."""
    edition: int = 1


class Appearance(SQLModel, table=True):
    """A speaker in a session, in a role: chair, speaker, moderator, rapporteur."""

    __tablename__ = "programme_appearance"
    __table_args__ = (UniqueConstraint("session_id", "speaker_id", "role"),)

    id: int | None = Field(default=None, primary_key=True)
    session_id: int = Field(foreign_key="programme_session.id")
    speaker_id: int = Field(foreign_key="programme_speaker.id", index=True)
    role: str
    position: int = 0


class Asking(SQLModel, table=True):
    """What a speaker was asked and answered, and what only the desk and the speaker know. No row: never asked.

    `generation` and `digest` belong to the own page's link, `feed_…` to the own calendar's; both generations begin at
    random, so that a number used again makes no old link live. `away` are parts of days (`rules.speakers`), `told` the
    version the speaker was last written to about.
    """

    __tablename__ = "programme_asking"

    speaker_id: int = Field(primary_key=True, foreign_key="programme_speaker.id")
    email: str = ""
    language: str = "en"
    state: str = "unasked"
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    note: str = ""
    generation: int
    digest: str = Field(default="", index=True)
    feed_generation: int
    feed_digest: str = Field(default="", index=True)
    changed_at: datetime
    away: list[str] = Field(default_factory=list, sa_type=JSON)
    away_note: str = ""
    told: int | None = None


class Portrait(SQLModel, table=True):
    """A photograph of a speaker, made anew from what was sent; kept by digest while a version or a draft shows it.

    `speaker` is the code and no foreign key: a version may still show somebody whom the working copy has left out.
    """

    __tablename__ = "programme_portrait"
    __table_args__ = (UniqueConstraint("forum_id", "speaker", "digest"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    speaker: str
    digest: str
    body: bytes = Field(sa_type=LargeBinary)
    width: int
    height: int
    sent_at: datetime


class Subscription(SQLModel, table=True):
    """An organiser's private calendar of the whole published programme; the token is computed, never kept."""

    __tablename__ = "programme_subscription"
    __table_args__ = (UniqueConstraint("forum_id", "user_id"), UniqueConstraint("digest"))

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    user_id: int = Field(foreign_key="accounts_user.id")
    language: str
    generation: int
    digest: str
    made_at: datetime


class Version(SQLModel, table=True):
    """A published programme: `document` is the whole of it (see `programme.published`).

    `public_number` and `public_at` are what everybody is told: they stay when a version changes nothing that
    everybody may see, because a version in which nothing changed would tell that there is something closed.
    """

    __tablename__ = "programme_version"
    __table_args__ = (UniqueConstraint("forum_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    number: int
    published_at: datetime
    public_number: int
    public_at: datetime
    published_by: str
    note: Bilingual | None = Field(default=None, sa_type=BilingualText)
    document: dict[str, Any] = Field(sa_type=JSON)


class Revision(SQLModel, table=True):
    """One edit of one session: the whole session before and after it, empty where it was not there.

    `session_uid` is no foreign key: a session that was removed has a history too. `edition` is the session's after the
    edit; `before` and `after` are `programme.inputs.SessionInput` as JSON. Edits made together, by an import for
    example, have one number `together`, counted within the forum.
    """

    __tablename__ = "programme_revision"
    __table_args__ = (
        Index("ix_programme_revision_session", "forum_id", "session_uid"),
        Index("ix_programme_revision_together", "forum_id", "together"),
    )

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    session_uid: str
    code: str
    edition: int
    kind: str
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    after: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    by: str
    by_name: str
    at: datetime
    together: int | None = None


class Override(SQLModel, table=True):
    """Why a hard conflict may stand (rules §4.3), kept by what makes it the same conflict.

    `codes` are those of the sessions in it, `place` the room, speaker or nothing; each sorted and joined by spaces.
    """

    __tablename__ = "programme_override"
    __table_args__ = (UniqueConstraint("forum_id", "kind", "codes", "place"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    kind: str
    codes: str
    place: str
    reason: str
    by_name: str
    at: datetime


class Mark(SQLModel, table=True):
    """Who has a session's form open: since when, and when that was last heard of (UTC)."""

    __tablename__ = "programme_mark"
    __table_args__ = (UniqueConstraint("forum_id", "session_uid", "user_id"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    session_uid: str
    user_id: int = Field(foreign_key="accounts_user.id")
    name: str
    since: datetime
    seen_at: datetime


class Material(SQLModel, table=True):
    """A paper, slides, a speech … of a session or of the forum as a whole: see `programme.rules.materials`.

    `session_uid` is no foreign key: a session that was taken out comes back with its materials. `release_at` is for the
    release "at" alone, `link` an https address elsewhere.
    """

    __tablename__ = "programme_material"
    __table_args__ = (UniqueConstraint("forum_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    code: str
    session_uid: str | None = None
    kind: str
    title: Bilingual = Field(sa_type=BilingualText)
    note: Bilingual | None = Field(default=None, sa_type=BilingualText)
    link: str | None = None
    release: str
    release_at: datetime | None = None
    announced: bool = False
    against_delivery: bool = False
    stays: bool = False
    position: int = 0
    edition: int = 1
    removed_at: datetime | None = None
    request_key: str | None = None
    """That of the form it was shared with: the form sent again is no second material."""


class MaterialFile(SQLModel, table=True):
    """A material's text in one language. `name` is the sender's, for reading alone: no path and no header is made of
    it. `digest` is the SHA-256 of the whole."""

    __tablename__ = "programme_material_file"
    __table_args__ = (UniqueConstraint("material_id", "language"),)

    id: int | None = Field(default=None, primary_key=True)
    material_id: int = Field(foreign_key="programme_material.id")
    language: str
    name: str
    media_type: str
    size: int
    digest: str
    sent_at: datetime


class MaterialPiece(SQLModel, table=True):
    """A part of a file, of `programme.materials.PIECE` bytes but for the last: a reader of a range reads no more."""

    __tablename__ = "programme_material_piece"

    file_id: int = Field(foreign_key="programme_material_file.id", primary_key=True)
    number: int = Field(primary_key=True)
    body: bytes = Field(sa_type=LargeBinary)
