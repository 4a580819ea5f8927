"""Who may work in which forum: roles, and the actor they make of a signed-in user."""

from datetime import datetime

from sqlalchemy import bindparam, delete, select, true

from app.accounts.actor import Actor
from app.accounts.colleagues import user_with
from app.accounts.models import User
from app.accounts.rules import Permission, Role
from app.audit.recording import record
from app.forum.inputs import ColleagueInput
from app.forum.models import Forum, RoleGrant
from app.forum.people import Colleague, people_of
from app.forum.queries import forum_id
from app.forum.tokens import end_tokens_of
from app.kit.db import Db, table
from app.kit.errors import Conflict, NotFound, Refused
from app.mail.outbox import queue_mail, withhold

_grants, _forums = table(RoleGrant), table(Forum)
INVITED, GIVEN = "accounts/invited", "accounts/role_given"
"""The mail with a link that signs in, and the one to somebody who has signed in before."""


_HELD = select(_grants.c.forum_id, _grants.c.role).where(_grants.c.user_id == bindparam("user"))


def actor_of(db: Db, user: User) -> Actor:
    """The signed-in user as an actor, with the roles held in each forum."""
    roles: dict[int, set[Role]] = {}
    for row in db.execute(_HELD, {"user": user.id}):
        roles.setdefault(row.forum_id, set()).add(Role(row.role))
    held = {forum: frozenset(names) for forum, names in roles.items()}
    return Actor("user", user.id, user.name or user.email, user.site_owner, held, user.has_second_factor)


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


def give(db: Db, by: Actor, forum: Forum, sent: ColleagueInput, *, now: datetime) -> bool:
    """Give a role to whoever has this address, who is written to; says whether they are invited to sign in at first.

    Raises Forbidden or NotFound; Refused("role_held"), Refused("user_disabled").
    """
    by.must(Permission.MANAGE_ACCESS, forum_id(forum))
    user = user_with(db, sent.email, sent.name, now=now)
    if user.disabled:
        raise Refused("user_disabled")
    if not grant(db, by, forum, user, sent.role, now=now):
        raise Refused("role_held")
    there = _colleague(db, by, forum, user.id or 0)
    _write_to(db, forum, there, sent.language, now=now)
    return there.invited


def take_away(db: Db, by: Actor, forum: Forum, user: int, role: Role, *, now: datetime) -> None:
    """Take one role away from a user; it counts from their next step on.

    Raises Forbidden; NotFound for whoever has no role here; Conflict("role_gone") where it is gone already;
    Refused("last_owner") where nobody who has ever signed in would be left to let others in.
    """
    by.must(Permission.MANAGE_ACCESS, forum_id(forum))
    there = _colleague(db, by, forum, user)
    if role not in there.roles:
        raise Conflict("role_gone")
    _take(db, by, forum, there, (role,), now=now)


def withdraw_colleague(db: Db, by: Actor, forum: Forum, user: int, *, now: datetime) -> None:
    """Take every role from somebody who has never signed in; a mail that has not left stays here.

    Raises Forbidden; NotFound; Conflict("colleague_came") where they signed in meanwhile.
    """
    by.must(Permission.MANAGE_ACCESS, forum_id(forum))
    there = _colleague(db, by, forum, user)
    if not there.invited:
        raise Conflict("colleague_came")
    _take(db, by, forum, there, there.roles, now=now)


def invite_again(db: Db, by: Actor, forum: Forum, user: int, language: str, *, now: datetime) -> None:
    """Another mail with a link to somebody who has never signed in. Raises Forbidden; NotFound;
    Conflict("colleague_came")."""
    by.must(Permission.MANAGE_ACCESS, forum_id(forum))
    there = _colleague(db, by, forum, user)
    if not there.invited:
        raise Conflict("colleague_came")
    _write_to(db, forum, there, language, now=now)
    record(db, forum.slug, by.signature, "access.invited_again", there.subject, now=now)


def require_second_factor(db: Db, by: Actor, forum: Forum, *, required: bool, now: datetime) -> None:
    """Have this forum's desk ask for a second factor, or no longer. Raises Forbidden, NotFound; Refused("factor_first")
    where whoever asks has none and would be shut out."""
    by.must(Permission.MANAGE_ACCESS, forum_id(forum))
    if required and not by.second_factor:
        raise Refused("factor_first")
    if forum.second_factor == required:
        return
    forum.second_factor = required
    db.add(forum)
    db.flush()
    kind = "access.factor_required" if required else "access.factor_optional"
    record(db, forum.slug, by.signature, kind, f"forum:{forum.slug}", now=now)


def needs_second_factor(db: Db, by: Actor) -> bool:
    """Does a forum whose desk this user has ask for a second factor? One query."""
    theirs = true() if by.site_owner else _forums.c.id.in_(list(by.roles))
    return db.execute(select(_forums.c.id).where(_forums.c.second_factor, theirs).limit(1)).first() is not None


def _colleague(db: Db, by: Actor, forum: Forum, user: int) -> Colleague:
    for one in people_of(db, by, forum):
        if one.id == user and one.roles:
            return one
    raise NotFound


def _write_to(db: Db, forum: Forum, to: Colleague, language: str, *, now: datetime) -> None:
    template = INVITED if to.invited else GIVEN
    withhold(db, forum.slug, to.subject, (INVITED, GIVEN))  # this one says all that they would
    queue_mail(db, forum.slug, template, language, (to.email, to.name), to.subject, now=now)


def _take(db: Db, by: Actor, forum: Forum, there: Colleague, roles: tuple[Role, ...], *, now: datetime) -> None:
    own = forum_id(forum)
    mine = (_grants.c.forum_id == own) & (_grants.c.user_id == there.id)
    for role in roles:
        db.execute(delete(_grants).where(mine, _grants.c.role == role.value))
        before, personal = {"role": role.value}, {"email": there.email}
        record(db, forum.slug, by.signature, "access.taken", there.subject, now=now, before=before, personal=personal)
    if Role.OWNER in roles and not any(one.keeps for one in people_of(db, by, forum)):
        raise Refused("last_owner")
    if set(roles) == set(there.roles):
        if not there.site_owner:
            end_tokens_of(db, by, forum, there.id, now=now)
        withhold(db, forum.slug, there.subject, (INVITED, GIVEN))
