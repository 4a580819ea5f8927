"""Views: questions to the list of registrations with their order and columns, kept under a name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound, Refused
from app.registration.desk_inputs import ViewInput
from app.registration.models import View

_views = table(View)
MOST = 40
"""So many views somebody may keep in a forum."""


def views_of(db: Db, by: Actor, forum: Forum) -> list[Any]:
    """The views whoever asks may open: their own, then those shared with the forum, each by name. One query."""
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    mine = or_(_views.c.user_id == by.id, _views.c.shared.is_(True))
    wanted = select(_views).where(_views.c.forum_id == own, mine, _views.c.removed_at.is_(None))
    rows = list(db.execute(wanted))
    return sorted(rows, key=lambda row: (row.user_id != by.id, row.name.casefold(), row.id))


def usual_view(views: Sequence[Any], by: Actor) -> Any | None:
    """What the list shows whoever asks without a question: the one they chose; None: everybody, the newest first."""
    return next((view for view in views if view.user_id == by.id and view.usual), None)


def keep_view(
    db: Db, by: Actor, forum: Forum, sent: ViewInput, question: str, view: int | None = None, *, now: datetime
) -> int:
    """Keep a question under a name, or change one's own view with this number; its number.

    Only one view is somebody's usual one. What is asked may name a person, so it stands in no fact. Raises NotFound,
    Refused: `view_twice`, `views_too_many`, `users_alone` for what is no user.
    """
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    if by.kind != "user" or by.id is None:
        raise Refused("users_alone")
    mine = (_views.c.forum_id == own) & (_views.c.user_id == by.id)
    there = list(db.execute(select(_views).where(mine, _views.c.removed_at.is_(None))))
    if view is not None and all(row.id != view for row in there):
        raise NotFound
    if any(row.name.casefold() == sent.name.casefold() and row.id != view for row in there):
        raise Refused("view_twice", name=sent.name)
    if view is None and len(there) >= MOST:
        raise Refused("views_too_many", most=MOST)
    if sent.usual:
        db.execute(update(_views).where(mine).values(usual=False))
    values = {"name": sent.name, "question": question, "shared": sent.shared, "usual": sent.usual}
    if view is None:
        made = insert(_views).values(forum_id=own, user_id=by.id, made_at=now, **values).returning(_views.c.id)
        view = int(db.execute(made).scalar_one())
    else:
        db.execute(update(_views).where(_views.c.id == view).values(**values))
    after = {"shared": sent.shared, "usual": sent.usual}
    record(db, forum.slug, by.signature, "view.kept", f"view:{view}", now=now, after=after)
    return view


def remove_view(db: Db, by: Actor, forum: Forum, view: int, *, now: datetime) -> None:
    """One's own view goes from the list; a shared one also for whoever decides. Raises NotFound."""
    _found(db, by, forum, view, _views.c.removed_at.is_(None))
    db.execute(update(_views).where(_views.c.id == view).values(removed_at=now, usual=False))
    record(db, forum.slug, by.signature, "view.removed", f"view:{view}", now=now)


def bring_back(db: Db, by: Actor, forum: Forum, view: int, *, now: datetime) -> None:
    """A view that was removed is there again. Raises NotFound; Refused("view_twice")."""
    row = _found(db, by, forum, view, _views.c.removed_at.is_not(None))
    same = (_views.c.forum_id == row.forum_id) & (_views.c.user_id == row.user_id) & _views.c.removed_at.is_(None)
    names = {name.casefold() for name in db.execute(select(_views.c.name).where(same)).scalars()}
    if row.name.casefold() in names:
        raise Refused("view_twice", name=row.name)
    db.execute(update(_views).where(_views.c.id == view).values(removed_at=None))
    record(db, forum.slug, by.signature, "view.brought_back", f"view:{view}", now=now)


def _found(db: Db, by: Actor, forum: Forum, view: int, how: ColumnElement[bool]) -> Any:
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    mine = _views.c.user_id == by.id
    if by.may(Permission.DECIDE_REGISTRATIONS, own):
        mine |= _views.c.shared.is_(True)
    row = db.execute(select(_views).where(_views.c.forum_id == own, _views.c.id == view, mine, how)).first()
    if row is None:
        raise NotFound
    return row


NAMING = ("q=", "institution=", "code=")
"""What in a view's question may name somebody."""


def _naming(own: int) -> ColumnElement[bool]:
    return (_views.c.forum_id == own) & or_(*(_views.c.question.contains(part, autoescape=True) for part in NAMING))


def count_naming(db: Db, own: int) -> int:
    """How many views ask for words or for people chosen by hand. One query."""
    return int(db.execute(select(func.count()).select_from(_views).where(_naming(own))).scalar_one())


def forget_naming(db: Db, own: int) -> None:
    """These views go: the purge's day has come."""
    db.execute(delete(_views).where(_naming(own)))
