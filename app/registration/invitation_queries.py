"""Reads about invitations: for the desk, each asking for its permission itself, and for the invited person's page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.registration.models import Application, Category, Invitation, Seat
from app.registration.queries import CategoryView, Registration, registration_of
from app.registration.replying import invitation_by_token, refusal_now
from app.registration.rules.invitations import Reply, normal_code

_applications, _categories = table(Application), table(Category)
_invitations, _seats = table(Invitation), table(Seat)
REPLIES = tuple(reply.value for reply in Reply)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which invitations the list shows: how they stand ("" for all), words to find, and after which id."""

    reply: str = ""
    words: str = ""
    after: int | None = None


def _used() -> Any:
    mine = (_applications.c.invitation_id == _invitations.c.id) & _applications.c.ended_at.is_(None)
    return select(func.count()).select_from(_applications).where(mine).scalar_subquery().label("used")


def _kept() -> Any:
    mine = (_seats.c.invitation_id == _invitations.c.id) & _seats.c.application_id.is_(None)
    return select(func.count()).select_from(_seats).where(mine).scalar_subquery().label("kept")


def _whole() -> Any:
    """Invitations with their category, how often they were used and how many seats they still keep."""
    category = _categories.c
    return select(
        _invitations,
        category.code.label("category"),
        category.letter,
        category.band,
        category.name.label("category_name"),
        _used(),
        _kept(),
    ).join(_categories, category.id == _invitations.c.category_id)


def desk_invitations(db: Db, by: Actor, forum: Forum, sought: Sought, *, most: int = 50) -> tuple[list[Any], bool]:
    """Invitations as asked for, the newest first, and whether there are more. One query, whatever its length."""
    by.must(Permission.SEE_PEOPLE, forum_id(forum))
    wanted = _whole().where(_invitations.c.forum_id == forum_id(forum))
    if sought.reply:
        wanted = wanted.where(_invitations.c.state == sought.reply)
    for word in sought.words.split():
        wanted = wanted.where(_speaks_of(word))
    if sought.after is not None:
        wanted = wanted.where(_invitations.c.id < sought.after)
    rows = list(db.execute(wanted.order_by(_invitations.c.id.desc()).limit(most + 1)))
    return rows[:most], len(rows) > most


def _speaks_of(word: str) -> ColumnElement[bool]:
    here = _invitations.c
    searched = (here.family_name, here.given_name, here.name_km, here.display_name, here.email, here.reference)
    hits = [func.lower(column).contains(word.lower(), autoescape=True) for column in searched]
    privately = select(_applications.c.id).where(
        _applications.c.invitation_id == here.id, _applications.c.attends_as == "private"
    )
    # in a private capacity no list tells it (rules §2)
    hits.append(func.lower(here.institution).contains(word.lower(), autoescape=True) & ~privately.exists())
    bare = normal_code(word)
    if bare:
        hits.append(func.replace(here.code, "-", "") == bare)
    return or_(*hits)


def reply_counts(db: Db, by: Actor, forum: Forum) -> dict[str, int]:
    """How many invitations stand in each reply. One query."""
    by.must(Permission.SEE_PEOPLE, forum_id(forum))
    counted = select(_invitations.c.state, func.count()).where(_invitations.c.forum_id == forum_id(forum))
    return {row[0]: row[1] for row in db.execute(counted.group_by(_invitations.c.state))}


@dataclass(frozen=True, slots=True)
class WholeInvitation:
    """One invitation for the desk, with the registrations made with it (code, state and names)."""

    row: Any
    registrations: list[Any]


def desk_invitation(db: Db, by: Actor, forum: Forum, code: str) -> WholeInvitation:
    """The invitation with this code in this forum. Raises NotFound. Two queries."""
    by.must(Permission.SEE_PEOPLE, forum_id(forum))
    mine = (_invitations.c.forum_id == forum_id(forum)) & (_invitations.c.code == code)
    row = db.execute(_whole().where(mine)).first()
    if row is None:
        raise NotFound
    names = (
        "code",
        "state",
        "confirmed_at",
        "family_name",
        "given_name",
        "name_km",
        "name_order",
        "display_name",
        "institution",
    )
    made = select(*(_applications.c[name] for name in names)).where(_applications.c.invitation_id == row.id)
    return WholeInvitation(row, list(db.execute(made.order_by(_applications.c.id))))


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation with what its own page shows; `refusal` says why it cannot be used now, "" where it can."""

    row: Any
    forum: Forum
    registration: Registration
    category: CategoryView
    refusal: str

    @property
    def in_use(self) -> bool:
        """Does a live registration stand on it?"""
        return self.refusal == "invitation_used"

    @property
    def stands(self) -> str:
        """How the page says it stands: open, or as what it ended; one in use is accepted."""
        if not self.refusal:
            return Reply.OPEN.value
        return Reply.ACCEPTED.value if self.in_use else self.refusal.removeprefix("invitation_")


def made_by_accepting(db: Db, invitation: Any) -> Any | None:
    """The registration that was made by accepting this personal invitation; None where an earlier one was taken up by
    it, whose link belongs to its own address alone, or where it was erased. One query."""
    made = (
        (_applications.c.invitation_id == invitation.id)
        & (_applications.c.asked_at == invitation.answered_at)
        & _applications.c.erased_at.is_(None)
    )
    return db.execute(select(_applications).where(made)).first()


def invited(db: Db, token: str, *, now: datetime) -> Invited:
    """The invitation whose secret link this token is. Raises NotFound. Six queries."""
    row = invitation_by_token(db, token)
    forum = db.execute(select(Forum).where(table(Forum).c.id == row.forum_id)).scalar_one()
    code = db.execute(select(_categories.c.code).where(_categories.c.id == row.category_id)).scalar_one()
    standing = registration_of(db, forum, now=now)
    return Invited(row, forum, standing, standing.category(code), refusal_now(db, row, now=now))
