"""Reads about delegations for the desk and for a focal point's own page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.codes import digest
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.mail.models import Message
from app.registration.delegations import delegation_of
from app.registration.models import Application, Category, Delegation, Seat
from app.registration.rules.delegations import EVEN, Share, common_share, differing

_applications, _categories = table(Application), table(Category)
_delegations, _seats = table(Delegation), table(Seat)
_forums, _messages = table(Forum), table(Message)


@dataclass(frozen=True, slots=True)
class Line:
    """A delegation in the desk's list. `row` has its columns, the category's code, letter, band and name, and the
    head's name parts and capacity; `mail` is the last mail to its focal point as (template, state), or None."""

    row: Any
    named: int
    unnamed: int
    mail: tuple[str, str] | None

    @property
    def given_up(self) -> int:
        """Seats it was invited with and has no more: handed back, released, or moved elsewhere with their person."""
        return max(0, int(self.row.seats) - self.named - self.unnamed)


@dataclass(frozen=True, slots=True)
class Evenness:
    """The check of equal shares: what the parties have in common, and who differs with what reason (rules §3)."""

    common: int | None
    parties: int
    differing: tuple[tuple[Line, Share], ...]

    @property
    def holds(self) -> bool:
        """Has every party the same number of seats, or a reason?"""
        return all(share.reason for _, share in self.differing)


def delegations(db: Db, by: Actor, forum: Forum) -> tuple[Line, ...]:
    """Every delegation of the forum by category and institution. Two queries, whatever their number."""
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    named = func.count(_seats.c.application_id).label("named")
    counted = (
        select(_seats.c.delegation_id, named, func.count().label("rows"))
        .where(_seats.c.forum_id == own, _seats.c.delegation_id.is_not(None))
        .group_by(_seats.c.delegation_id)
        .subquery()
    )
    head = _applications.alias("head")
    heads = (head.c.delegation_id == _delegations.c.id) & head.c.heads_delegation & head.c.ended_at.is_(None)
    rows = db.execute(
        select(
            _delegations,
            *_category_columns(),
            *(head.c[name].label(f"head_{name}") for name in _HEAD),
            func.coalesce(counted.c.named, 0).label("named"),
            func.coalesce(counted.c.rows, 0).label("rows"),
        )
        .join(_categories, _categories.c.id == _delegations.c.category_id)
        .outerjoin(counted, counted.c.delegation_id == _delegations.c.id)
        .outerjoin(head, heads)
        .where(_delegations.c.forum_id == own)
        .order_by(_delegations.c.ended_at.is_not(None), _categories.c.position, _delegations.c.institution)
    ).all()
    mails = last_mails(db, forum.slug)
    return tuple(Line(row, row.named, row.rows - row.named, mails.get(f"delegation:{row.code}")) for row in rows)


_HEAD = ("code", "family_name", "given_name", "display_name", "attends_as")


def _category_columns() -> tuple[Any, ...]:
    return (
        _categories.c.code.label("category"),
        _categories.c.letter,
        _categories.c.band,
        _categories.c.name.label("category_name"),
    )


def last_mails(db: Db, forum: str) -> dict[str, tuple[str, str]]:
    """The last mail about each delegation: subject → (template, state). One query."""
    about = (_messages.c.forum == forum) & _messages.c.subject.startswith("delegation:", autoescape=True)
    last = select(func.max(_messages.c.id)).where(about).group_by(_messages.c.subject)
    columns = (_messages.c.subject, _messages.c.template, _messages.c.state)
    return {
        row.subject: (row.template, row.state) for row in db.execute(select(*columns).where(_messages.c.id.in_(last)))
    }


def evenness(lines: Sequence[Line]) -> Evenness:
    """The check of equal shares among the parties that are invited, from the desk's list."""
    parties = {line.row.code: line for line in lines if line.row.category in EVEN and line.row.ended_at is None}
    shares = [Share(code, line.row.seats, line.row.uneven_reason) for code, line in parties.items()]
    return Evenness(common_share(shares), len(shares), tuple((parties[one.code], one) for one in differing(shares)))


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody a focal point named: the application's row, and whether they sit on one of the delegation's seats."""

    row: Any
    on_seat: bool


@dataclass(frozen=True, slots=True)
class Party:
    """One delegation with its people and how many of its seats are not named, at one instant."""

    row: Any
    forum: Forum
    category: Any
    people: tuple[Member, ...]
    unnamed: int

    @property
    def members(self) -> tuple[Member, ...]:
        """Those who sit on its seats, the head first."""
        return tuple(one for one in self.people if one.on_seat)

    @property
    def former(self) -> tuple[Member, ...]:
        """Those who do no more."""
        return tuple(one for one in self.people if not one.on_seat)

    @property
    def named(self) -> int:
        return len(self.members)

    @property
    def given_up(self) -> int:
        return max(0, int(self.row.seats) - self.named - self.unnamed)

    def stands(self, now: datetime) -> str:
        """How it stands: `open` for naming, `closed` after the deadline, `ended` where it was withdrawn."""
        if self.row.ended_at is not None:
            return "ended"
        return "closed" if self.row.released_at is not None or self.row.deadline <= now else "open"


def own_delegation(db: Db, token: str) -> Party:
    """The delegation whose focal point's link this token is. Raises NotFound. Five queries."""
    row = db.execute(select(_delegations).where(_delegations.c.digest == digest(token))).first()
    if row is None:
        raise NotFound
    forum = db.execute(select(Forum).where(_forums.c.id == row.forum_id)).scalar_one()
    return _party(db, forum, row)


def desk_delegation(db: Db, by: Actor, forum: Forum, code: str) -> Party:
    """The delegation with this code in this forum. Raises NotFound. Four queries."""
    by.must(Permission.SEE_PEOPLE, forum_id(forum))
    return _party(db, forum, delegation_of(db, forum, code))


def _party(db: Db, forum: Forum, row: Any) -> Party:
    category = db.execute(select(_categories).where(_categories.c.id == row.category_id)).one()
    on_seat = case((_seats.c.delegation_id == row.id, True), else_=False).label("on_seat")
    people = db.execute(
        select(_applications, on_seat)
        .outerjoin(_seats, _seats.c.application_id == _applications.c.id)
        .where(_applications.c.delegation_id == row.id)
        .order_by(_applications.c.heads_delegation.desc(), _applications.c.id)
    ).all()
    free = (_seats.c.delegation_id == row.id) & _seats.c.application_id.is_(None)
    unnamed = db.execute(select(func.count()).select_from(_seats).where(free)).scalar_one()
    return Party(row, forum, category, tuple(Member(one, bool(one.on_seat)) for one in people), unnamed)
