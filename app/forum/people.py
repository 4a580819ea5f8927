"""Who works for a forum: the people with a role in it, and the owners of the site, who own every forum."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, or_, select

from app.accounts.actor import Actor
from app.accounts.models import Login, User
from app.accounts.rules import Permission, Role
from app.forum.models import Forum, RoleGrant
from app.forum.queries import forum_id
from app.kit.db import Db, table

_users, _grants, _logins = table(User), table(RoleGrant), table(Login)


@dataclass(frozen=True, slots=True)
class Colleague:
    """A user with the roles they were given in one forum, in the order of the table; `came_at` is the last sign-in."""

    id: int
    email: str
    name: str
    site_owner: bool
    disabled: bool
    roles: tuple[Role, ...]
    came_at: datetime | None
    second_factor: bool

    @property
    def subject(self) -> str:
        """How facts and mails name this user."""
        return f"user:{self.id}"

    @property
    def invited(self) -> bool:
        """Has this user never signed in?"""
        return self.came_at is None

    @property
    def keeps(self) -> bool:
        """May this user let others in, and has shown that they can sign in?"""
        owns = self.site_owner or Role.OWNER in self.roles
        return owns and not self.disabled and not self.invited


def people_of(db: Db, by: Actor, forum: Forum) -> list[Colleague]:
    """Everybody with a role in this forum, and the site's owners, by address. One query. Raises Forbidden, NotFound."""
    own = forum_id(forum)
    by.must(Permission.MANAGE_ACCESS, own)
    own_logins = (_logins.c.user_id == _users.c.id) & _logins.c.half.is_(False)
    came_at = select(func.max(_logins.c.created_at)).where(own_logins).scalar_subquery()
    here = (_grants.c.user_id == _users.c.id) & (_grants.c.forum_id == own)
    columns = (
        _users.c.id,
        _users.c.email,
        _users.c.name,
        _users.c.site_owner,
        _users.c.disabled,
        (_users.c.factor_since.is_not(None) | _users.c.passkey_since.is_not(None)).label("has_factor"),
    )
    wanted = (
        select(*columns, _grants.c.role, came_at.label("came_at"))
        .outerjoin(_grants, here)
        .where(or_(_grants.c.id.is_not(None), _users.c.site_owner))
        .order_by(_users.c.email_normal)
    )
    found: dict[int, Colleague] = {}
    roles: dict[int, set[Role]] = {}
    for row in db.execute(wanted):
        factor = bool(row.has_factor)
        found[row.id] = Colleague(row.id, row.email, row.name, row.site_owner, row.disabled, (), row.came_at, factor)
        roles.setdefault(row.id, set()).update({Role(row.role)} if row.role else set())
    return [replace(each, roles=tuple(role for role in Role if role in roles[each.id])) for each in found.values()]
