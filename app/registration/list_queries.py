"""Lists of people that the desk takes along beside the registrations: the people of delegations, and of sessions."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import case, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.registration.models import Application, Category, Delegation, Pick, Seat

_applications, _categories, _delegations = table(Application), table(Category), table(Delegation)
_picks, _seats = table(Pick), table(Seat)


def delegates(db: Db, by: Actor, forum: Forum) -> list[Any]:
    """Everybody whom a delegation named and whose registration is not over, by institution, its head first: rows of
    people with the delegation's code and names, the category's name, and the place. One query.

    Whoever attends in a private capacity stands at the end: between its members the place would say the institution.
    """
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    is_private = _applications.c.attends_as == "private"
    wanted = (
        select(
            _applications,
            _delegations.c.code.label("delegation"),
            _delegations.c.institution.label("delegation_name"),
            _delegations.c.institution_km.label("delegation_name_km"),
            _categories.c.name.label("category_name"),
            _seats.c.number.label("place"),
        )
        .join(_delegations, _delegations.c.id == _applications.c.delegation_id)
        .join(_categories, _categories.c.id == _applications.c.category_id)
        .outerjoin(_seats, _seats.c.application_id == _applications.c.id)
        .where(_applications.c.forum_id == own, _applications.c.ended_at.is_(None))
        .order_by(
            is_private,
            case((is_private, ""), else_=_delegations.c.institution),
            case((is_private, 0), else_=_delegations.c.id),
            _applications.c.heads_delegation.desc(),
            _applications.c.id,
        )
    )
    return list(db.execute(wanted))


def answered_privately(db: Db, by: Actor, forum: Forum) -> set[int]:
    """The invitations (ids) with which somebody registered in a private capacity. One query."""
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    mine = (_applications.c.forum_id == own) & (_applications.c.attends_as == "private")
    wanted = select(_applications.c.invitation_id).where(mine, _applications.c.invitation_id.is_not(None))
    return set(db.execute(wanted).scalars())


def picks_of(db: Db, by: Actor, forum: Forum, uids: Collection[str]) -> list[Any]:
    """Who is on the lists of these sessions, by session and place: rows of people whose registration is not over, with
    `session_uid`, `pick_state`, `number`, `pick_asked_at` and the category's name. One query."""
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    wanted = (
        select(
            _applications,
            _picks.c.session_uid,
            _picks.c.state.label("pick_state"),
            _picks.c.number,
            _picks.c.asked_at.label("pick_asked_at"),
            _categories.c.name.label("category_name"),
        )
        .join(_picks, _picks.c.application_id == _applications.c.id)
        .join(_categories, _categories.c.id == _applications.c.category_id)
        .where(_applications.c.forum_id == own, _applications.c.ended_at.is_(None), _picks.c.session_uid.in_(uids))
        .order_by(_picks.c.session_uid, _picks.c.number.is_(None), _picks.c.number, _picks.c.asked_at, _picks.c.id)
    )
    return list(db.execute(wanted))
