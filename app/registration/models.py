"""Categories, applications, places and seats. Foreign keys point down the floors."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text

from app.kit.i18n import Bilingual, BilingualText
from app.kit.tables import Field, SQLModel
from app.registration.rules.collation import NOWHERE


class Terms(SQLModel, table=True):
    """How a forum registers: capacity and target in seats, opening and closing in UTC, hours to confirm or accept.

    `retention_on` is the day, where the forum is held, on which what is sensitive is purged; empty: none is set.
    `edition` grows with every change of these or of a category, so that two organisers lose nothing.
    """

    __tablename__ = "registration_terms"

    forum_id: int = Field(primary_key=True, foreign_key="forum_forum.id")
    capacity: int
    target: int
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    confirm_hours: int = 48
    promotion: str = "seat"
    offer_hours: int = 48
    retention_on: date | None = None
    edition: int = 1


class Category(SQLModel, table=True):
    """A kind of participant. `source` keeps the words of the forum's call it came from.

    One that is not `in_hall` (accompanying persons, interpreters, drivers, press, staff) is a class of badges: it takes
    none of the hall's places and has its own limit. Its own times, in UTC, go before the forum's.
    """

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
    in_hall: bool = True
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    guarantee: int
    limit: int | None = None
    lapses_at: datetime | None = None
    lapse_settled: bool = False
    position: int


def _where(name: str, holds: str, *columns: str, table: str = "application") -> Index:
    """An index of the rows of which something holds: the others need not be written into it."""
    there = text(holds)
    return Index(f"ix_registration_{table}_{name}", *columns, postgresql_where=there, sqlite_where=there)


_OF_FEW = ("invitation_id", "delegation_id", "accompanies_id", "merged_into_id")
"""Columns that few registrations say anything in, and that are asked for by a value alone."""


class Application(SQLModel, table=True):
    """One person's request to attend.

    `live_key` is the person (e-mail, and the principal's name where an assistant registers one) while the
    application is live and NULL afterwards, so the table itself keeps a person to one live registration a forum.
    `confirm_by` is empty until the mail that asks for it has left: nothing expires before. `turned_down`: declined by
    the person, who was offered a seat, and not by the organisers. `erased_at`: its person had it erased, and every
    personal column is empty. `name_order` is what the person said of the Latin name: `family` or `given` first, empty
    where nothing was said. `accompanies_id` is whose companion this is; `merged_into_id` the registration of the same
    person that was kept. The `sort_` columns are keys of `rules.collation`, written with the names.
    """

    __tablename__ = "registration_application"
    __table_args__ = (
        UniqueConstraint("forum_id", "code"),
        UniqueConstraint("forum_id", "request_key"),
        UniqueConstraint("forum_id", "live_key"),
        Index("ix_registration_application_queue", "forum_id", "state", "category_id", "id"),
        Index("ix_registration_application_group", "forum_id", "category_id", "id"),
        Index("ix_registration_application_name", "forum_id", "sort_name", "id"),
        Index("ix_registration_application_name_km", "forum_id", "sort_name_km", "id"),
        Index("ix_registration_application_institution", "forum_id", "sort_institution", "id"),
        Index("ix_registration_application_email", "forum_id", "email_normal"),
        Index("ix_registration_application_asked", "forum_id", "asked_at"),
        _where("due", "confirm_by IS NOT NULL AND confirmed_at IS NULL", "forum_id", "confirm_by"),
        *(_where(of, f"{of} IS NOT NULL", of) for of in _OF_FEW),
    )

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    category_id: int = Field(foreign_key="registration_category.id", index=True)
    invitation_id: int | None = Field(default=None, foreign_key="registration_invitation.id")
    delegation_id: int | None = Field(default=None, foreign_key="registration_delegation.id")
    heads_delegation: bool = False
    accompanies_id: int | None = Field(default=None, foreign_key="registration_application.id")
    merged_into_id: int | None = Field(default=None, foreign_key="registration_application.id")
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
    name_order: str = ""
    display_name: str = ""
    name_search: str = ""
    sort_name: bytes = Field(default=NOWHERE, sa_type=LargeBinary)
    sort_name_km: bytes = Field(default=NOWHERE, sa_type=LargeBinary)
    sort_institution: bytes = Field(default=NOWHERE, sa_type=LargeBinary)
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
    erased_at: datetime | None = None
    turned_down: bool = False
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


class Question(SQLModel, table=True):
    """Something a forum asks beside the usual details, in `categories` (codes; none: in all), in order of `position`.

    `options` are {"value", "en", "km"}. Shown only where the question `shown_if` was answered with one of `shown_for`.
    A `sensitive` one is seen by SEE_SENSITIVE alone and purged. A retired one is asked no more; its answers stay.
    """

    __tablename__ = "registration_question"
    __table_args__ = (UniqueConstraint("forum_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    code: str
    kind: str
    categories: list[str] = Field(default_factory=list, sa_type=JSON)
    label: Bilingual = Field(sa_type=BilingualText)
    help: Bilingual = Field(sa_type=BilingualText)
    why: Bilingual = Field(sa_type=BilingualText)
    required: bool = False
    sensitive: bool = False
    options: list[dict[str, str]] = Field(default_factory=list, sa_type=JSON)
    shown_if: str = ""
    shown_for: list[str] = Field(default_factory=list, sa_type=JSON)
    position: int
    retired_at: datetime | None = None
    edition: int = 1


class Answer(SQLModel, table=True):
    """What somebody answered: a text, a date as YYYY-MM-DD, an option's value or a list of them. A file stands in
    `registration_file`, a consent in `registration_consent`."""

    __tablename__ = "registration_answer"

    application_id: int = Field(primary_key=True, foreign_key="registration_application.id")
    question_id: int = Field(primary_key=True, foreign_key="registration_question.id")
    value: str | list[str] = Field(sa_type=JSON)
    answered_at: datetime


class File(SQLModel, table=True):
    """A file sent as an answer. `name` is the sender's, for reading alone: no path and no header is made of it."""

    __tablename__ = "registration_file"
    __table_args__ = (UniqueConstraint("application_id", "question_id"),)

    id: int | None = Field(default=None, primary_key=True)
    application_id: int = Field(foreign_key="registration_application.id")
    question_id: int = Field(foreign_key="registration_question.id")
    name: str
    media_type: str
    size: int
    body: bytes = Field(sa_type=LargeBinary)
    sent_at: datetime


class Consent(SQLModel, table=True):
    """What somebody agreed to, in the words and language shown, and when; without a question it is the form's own."""

    __tablename__ = "registration_consent"

    id: int | None = Field(default=None, primary_key=True)
    application_id: int = Field(foreign_key="registration_application.id", index=True)
    question_id: int | None = Field(default=None, foreign_key="registration_question.id")
    wording: str
    language: str
    given_at: datetime
    withdrawn_at: datetime | None = None


class Distinct(SQLModel, table=True):
    """Two registrations that look like one person's and are two people's: an organiser has said so (lower id first)."""

    __tablename__ = "registration_distinct"

    first_id: int = Field(primary_key=True, foreign_key="registration_application.id")
    second_id: int = Field(primary_key=True, foreign_key="registration_application.id", index=True)
    forum_id: int = Field(foreign_key="forum_forum.id", index=True)
    said_at: datetime


class Letter(SQLModel, table=True):
    """A letter made for a participant: an invitation or one that supports a visa request.

    What was given for it from the passport is sensitive: asked for the letter alone, purged on the retention date.
    `number` counts a forum's letters, for the reference.
    """

    __tablename__ = "registration_letter"
    __table_args__ = (
        UniqueConstraint("forum_id", "number"),
        UniqueConstraint("forum_id", "code"),
        UniqueConstraint("forum_id", "request_key"),
    )

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    application_id: int = Field(foreign_key="registration_application.id", index=True)
    number: int
    code: str
    request_key: str
    kind: str
    language: str
    passport_name: str
    passport_number: str = ""
    nationality: str = ""
    birth_date: date | None = None
    asked_at: datetime
    purged_at: datetime | None = None


class Place(SQLModel, table=True):
    """One of the hall's chairs. There are `capacity` of them; a retiring one goes when it is freed."""

    __tablename__ = "registration_place"

    forum_id: int = Field(primary_key=True, foreign_key="forum_forum.id")
    number: int = Field(primary_key=True)
    retiring: bool = False


class HoldBack(SQLModel, table=True):
    """Seats an organiser keeps back for a purpose, until an instant (UTC) if one is set; its seats are seat rows."""

    __tablename__ = "registration_hold_back"

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id", index=True)
    category_id: int = Field(foreign_key="registration_category.id")
    purpose: str
    release_at: datetime | None = None
    released_at: datetime | None = None
    created_at: datetime


class Invitation(SQLModel, table=True):
    """An invitation: a personal one, sent to an address with the name filled in, or a code with a number of uses.

    `reserves` keeps a seat for each use until it is used, answered or past `reply_by` (UTC; it lapses then).
    """

    __tablename__ = "registration_invitation"
    __table_args__ = (UniqueConstraint("forum_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    category_id: int = Field(foreign_key="registration_category.id")
    kind: str
    code: str
    uses: int = 1
    reserves: bool = False
    language: str = "en"
    email: str = ""
    titles: list[str] = Field(default_factory=list, sa_type=JSON)
    family_name: str = ""
    given_name: str = ""
    name_km: str = ""
    display_name: str = ""
    institution: str = ""
    position_title: str = ""
    reference: str = ""
    reply_by: datetime | None = None
    state: str = "open"
    created_at: datetime
    reminded_at: datetime | None = None
    answered_at: datetime | None = None
    generation: int = 1
    digest: str = Field(default="", index=True)
    edition: int = 1


class Delegation(SQLModel, table=True):
    """An institution with `seats` seats in a category until `deadline` (UTC), kept by a focal point (rules §3).

    Its seats are seat rows; naming a person fills one, it adds none. `uneven_reason` says why a party has another
    number of seats than the others. Its page and its calendar have a token each.
    """

    __tablename__ = "registration_delegation"
    __table_args__ = (UniqueConstraint("forum_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    category_id: int = Field(foreign_key="registration_category.id")
    code: str
    institution: str
    institution_km: str = ""
    country: str = ""
    reference: str = ""
    seats: int
    uneven_reason: str = ""
    deadline: datetime
    focal_name: str
    focal_email: str
    language: str = "en"
    created_at: datetime
    reminded_at: datetime | None = None
    released_at: datetime | None = None
    ended_at: datetime | None = None
    generation: int = 1
    digest: str = Field(default="", index=True)
    feed_generation: int = 1
    feed_digest: str = Field(default="", index=True)
    edition: int = 1


class Seat(SQLModel, table=True):
    """The right to a place. No two seats share one and there is no seat without one: seat 301 cannot exist.

    `kind` says whose it is: a person's, held under review, a delegation's or an invitation's and not named yet, or
    held back. A class of badges outside the hall has no places: its rows are `outside`, counted for its own limit.
    """

    __tablename__ = "registration_seat"
    __table_args__ = (
        UniqueConstraint("forum_id", "number"),
        ForeignKeyConstraint(
            ["forum_id", "number"],
            ["registration_place.forum_id", "registration_place.number"],
            name="fk_registration_seat_place",
        ),
        CheckConstraint("(number IS NULL) = outside", name="place_or_outside"),
        Index("ix_registration_seat_category", "forum_id", "category_id"),
        *(
            _where(of, f"{of} IS NOT NULL", of, table="seat")
            for of in ("hold_back_id", "invitation_id", "delegation_id")
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int
    number: int | None = None
    outside: bool = False
    category_id: int = Field(foreign_key="registration_category.id")
    application_id: int | None = Field(default=None, foreign_key="registration_application.id", unique=True)
    hold_back_id: int | None = Field(default=None, foreign_key="registration_hold_back.id")
    invitation_id: int | None = Field(default=None, foreign_key="registration_invitation.id")
    delegation_id: int | None = Field(default=None, foreign_key="registration_delegation.id")
    kind: str = "person"
    given_at: datetime


class SignUp(SQLModel, table=True):
    """A session that asks for sign-up, and for how many places. Keyed by the session's uid: versions come and go."""

    __tablename__ = "registration_sign_up"

    session_uid: str = Field(primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id", index=True)
    places: int


class Pick(SQLModel, table=True):
    """A session somebody chose (rules §4.6): `seated` on a numbered place of one that asks for sign-up, `waiting` for
    one, or `picked`, which holds no place and puts the session into the person's calendar.

    `asked_at` is the standing in the session's list: from when the pick could count, so not before its person held a
    seat. `admitted` says that an organiser put the person on the list, which opens a closed session to them. No two
    share a place: (session_uid, number) is unique.
    """

    __tablename__ = "registration_pick"
    __table_args__ = (
        UniqueConstraint("application_id", "session_uid"),
        UniqueConstraint("session_uid", "number"),
        CheckConstraint("(number IS NOT NULL) = (state = 'seated')", name="seated_on_a_place"),
    )

    id: int | None = Field(default=None, primary_key=True)
    application_id: int = Field(foreign_key="registration_application.id")
    session_uid: str
    state: str
    number: int | None = None
    admitted: bool = False
    asked_at: datetime


class PickList(SQLModel, table=True):
    """A person's picks as a whole: `edition` grows with the choice, `changed_at` also when a place is given or lost,
    which is when their calendar changes."""

    __tablename__ = "registration_pick_list"

    application_id: int = Field(primary_key=True, foreign_key="registration_application.id")
    edition: int
    changed_at: datetime


class Following(SQLModel, table=True):
    """How somebody follows the programme: up to which version they were written to about their own sessions (`told`),
    and which one they said they had seen (`looked`). Either may be empty."""

    __tablename__ = "registration_following"

    application_id: int = Field(primary_key=True, foreign_key="registration_application.id")
    told: int | None = None
    looked: int | None = None


class Enclosure(SQLModel, table=True):
    """A calendar entry that a mail took along to the person's own address, written before the mail leaves.

    `mailbox` is a digest of forum and address: somebody who registers again keeps the entries of before. `version` is
    the published programme it speaks of, 0 for the forum itself and for a session that is not shown to the person any
    more. `made_at` is its DTSTAMP, so that a mail sent twice says the same.
    """

    __tablename__ = "registration_enclosure"
    __table_args__ = (UniqueConstraint("message_id", "uid"),)

    id: int | None = Field(default=None, primary_key=True)
    application_id: int = Field(foreign_key="registration_application.id", index=True)
    mailbox: str = Field(index=True)
    message_id: str
    uid: str
    method: str
    sequence: int
    version: int
    made_at: datetime


class Ladder(SQLModel, table=True):
    """A forum's order of precedence, once somebody changed the usual one; the alphabet that orders countries."""

    __tablename__ = "registration_ladder"

    forum_id: int = Field(primary_key=True, foreign_key="forum_forum.id")
    alphabet: str = "en"


class Rung(SQLModel, table=True):
    """A rung of the order of precedence, the highest at the lowest position, and who stands on it
    (`rules/precedence.py`)."""

    __tablename__ = "registration_rung"
    __table_args__ = (UniqueConstraint("forum_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    code: str
    name: Bilingual = Field(sa_type=BilingualText)
    categories: list[str] = Field(default_factory=list, sa_type=JSON)
    titles: list[str] = Field(default_factory=list, sa_type=JSON)
    functions: list[str] = Field(default_factory=list, sa_type=JSON)
    heads: bool = False
    position: int
    edition: int = 1


class Rank(SQLModel, table=True):
    """What protocol knows of one person's rank: the rung they were put on, with the reason, and the day of their
    credentials or appointment. Any of them may be empty."""

    __tablename__ = "registration_rank"

    application_id: int = Field(primary_key=True, foreign_key="registration_application.id")
    rung_id: int | None = Field(default=None, foreign_key="registration_rung.id", index=True)
    since: date | None = None
    reason: str = ""


class HeadTable(SQLModel, table=True):
    """A forum's head table: how many seats besides the host's, and how they are given from the middle."""

    __tablename__ = "registration_head_table"

    forum_id: int = Field(primary_key=True, foreign_key="forum_forum.id")
    seats: int
    shape: str
    edition: int = 1


class TableGuest(SQLModel, table=True):
    """Somebody at the head table. Seat 0 is the host's; the others are counted in the order of honour."""

    __tablename__ = "registration_table_guest"
    __table_args__ = (UniqueConstraint("forum_id", "seat"),)

    application_id: int = Field(primary_key=True, foreign_key="registration_application.id")
    forum_id: int = Field(foreign_key="forum_forum.id")
    seat: int


class KeptList(SQLModel, table=True):
    """A final list of participants, kept as what it says: `number` counts a forum's, so that a later one is a revision.

    `layout` is how it is set out; nobody's name is in it. Its people are lines of their own.
    """

    __tablename__ = "registration_kept_list"
    __table_args__ = (UniqueConstraint("forum_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    number: int
    made_at: datetime
    layout: dict[str, Any] = Field(sa_type=JSON)


class KeptLine(SQLModel, table=True):
    """One person on a final list, as they stood there; gone when the person is erased."""

    __tablename__ = "registration_kept_line"

    list_id: int = Field(primary_key=True, foreign_key="registration_kept_list.id")
    position: int = Field(primary_key=True)
    application_id: int = Field(foreign_key="registration_application.id", index=True)
    line: dict[str, Any] = Field(sa_type=JSON)


class Tag(SQLModel, table=True):
    """A word of a forum's desk that registrations are marked with: its letter and tone say the same as its name."""

    __tablename__ = "registration_tag"
    __table_args__ = (UniqueConstraint("forum_id", "name_normal"),)

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    name: str
    name_normal: str
    letter: str
    tone: str
    made_at: datetime


class Tagged(SQLModel, table=True):
    """A registration marked with a tag."""

    __tablename__ = "registration_tagged"

    application_id: int = Field(primary_key=True, foreign_key="registration_application.id")
    tag_id: int = Field(primary_key=True, foreign_key="registration_tag.id", index=True)
    at: datetime


class Note(SQLModel, table=True):
    """What somebody at the desk wrote down about a registration, for the desk alone; told to its person who asks what
    is held about them, and erased with them."""

    __tablename__ = "registration_note"

    id: int | None = Field(default=None, primary_key=True)
    application_id: int = Field(foreign_key="registration_application.id", index=True)
    user_id: int | None = Field(default=None, foreign_key="accounts_user.id")
    author: str
    words: str
    written_at: datetime


class View(SQLModel, table=True):
    """A question to the list with its order and columns, kept under a name by somebody at the desk.

    `question` is the tail of the list's address. `shared`: everybody at the forum's desk has it. `usual`: what its
    owner sees when the list is opened without a question. One that was removed can be brought back.
    """

    __tablename__ = "registration_view"

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id", index=True)
    user_id: int = Field(foreign_key="accounts_user.id", index=True)
    name: str
    question: str
    shared: bool = False
    usual: bool = False
    made_at: datetime
    removed_at: datetime | None = None


class Bulk(SQLModel, table=True):
    """Something done with many registrations at once, as it was looked at: what, with which `values`, by whom.

    `state`: doing, done, taking_back, taken_back or stopped. `until` is up to when its mails wait (UTC), None where it
    writes none. `number` counts a forum's.
    """

    __tablename__ = "registration_bulk"
    __table_args__ = (UniqueConstraint("forum_id", "number"), Index("ix_registration_bulk_state", "state"))

    id: int | None = Field(default=None, primary_key=True)
    forum_id: int = Field(foreign_key="forum_forum.id")
    user_id: int | None = Field(default=None, foreign_key="accounts_user.id")
    number: int
    act: str
    values: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    note: str = ""
    state: str
    begun_at: datetime
    until: datetime | None = None
    taken_back_by: int | None = Field(default=None, foreign_key="accounts_user.id")


class BulkItem(SQLModel, table=True):
    """One registration of a bulk, in its order. `outcome` is empty until its turn has come; `before` is what is needed
    to take it back, `fact` the number of the last fact about the registration when it was done, so that whatever
    happened since shows. `back` says what became of taking it back."""

    __tablename__ = "registration_bulk_item"

    bulk_id: int = Field(primary_key=True, foreign_key="registration_bulk.id")
    application_id: int = Field(primary_key=True, foreign_key="registration_application.id", index=True)
    position: int
    outcome: str = ""
    before: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    fact: int = 0
    back: str = ""
