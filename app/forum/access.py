"""Who may work in which forum: roles, and the actor they make of a signed-in user."""

from datetime import datetime

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.rules import Permission, Role
from app.audit.recording import record
from app.forum.models import Forum, RoleGrant
from app.forum.queries import forum_id
from app.kit.db import Db, table

_grants = table(RoleGrant)


def actor_of(db: Db, user: User) -> Actor:
    """The signed-in user as an actor, with the roles held in each forum."""
    roles: dict[int, set[Role]] = {}
    for row in db.execute(select(_grants.c.forum_id, _grants.c.role).where(_grants.c.user_id == user.id)):
        roles.setdefault(row.forum_id, set()).add(Role(row.role))
    held = {forum: frozenset(names) for forum, names in roles.items()}
    return Actor("user", user.id, user.name or user.email, user.site_owner, held)


def grant(db: Db, by: Actor, forum: Forum, user: User, role: Role, *, now: datetime) -> bool:
    """Give a user a role in a forum; says whether it is new. Raises Forbidden or NotFound."""
    own = forum_id(forum)
    by.must(Permission.MANAGE_ACCESS, own)
    mine = (_grants.c.forum_id == own) & (_grants.c.user_id == user.id) & (_grants.c.role == role.value)
    if db.execute(select(_grants.c.id).where(mine)).first():
        return False
    db.add(RoleGrant(forum_id=own, user_id=user.id or 0, role=role.value, granted_at=now))
    db.flush()
    record(
        db,
        forum.slug,
        by.signature,
        "access.granted",
        f"user:{user.id}",
        now=now,
        after={"role": role.value},
        personal={"email": user.email},
    )
    return True
