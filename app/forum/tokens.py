"""API tokens: what lets a program act for a user in one forum, with a scope and an end, shown once when it is made."""

import base64
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlalchemy import bindparam, func, insert, or_, select, update

from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.rules import Permission, Role
from app.audit.recording import record
from app.forum.inputs import Slug
from app.forum.models import Forum, RoleGrant, Token
from app.forum.queries import forum_id
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import Fault, Forbidden, Invalid, NotFound, Refused
from app.kit.inputs import Chosen, Filled, Input

_tokens, _users, _grants, _forums = table(Token), table(User), table(RoleGrant), table(Forum)
MARK = "sala_"
"""How every token begins, so that one left in a public place is found by those who look for such."""
_RANDOM, _CHECK = 40, 7
MOST_TOKENS = 20
"""Live tokens of one user in one forum."""
MOST_DAYS = 365
DAYS = 90
USED_EVERY = timedelta(minutes=1)
"""A token's last use is written down at most so often."""


class TokenInput(Input):
    """A token to be made: for which forum, called how, for how many days, for what. Seeing the desk is always in it."""

    forum: Annotated[Slug, Chosen()]
    name: Annotated[Filled, StringConstraints(max_length=60)]
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = DAYS
    scope: tuple[Permission, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token as its owner sees it; `ending` is its last signs."""

    id: int
    name: str
    ending: str
    scope: list[str]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    forum: str
    forum_title: Any


def new_token() -> str:
    """A token of 200 random bits in small letters and digits, with a checksum (CRC-32) at its end."""
    text = _letters(secrets.token_bytes(25))
    return f"{MARK}{text}{_checksum(text)}"


def is_token(text: str) -> bool:
    """Has this the form and the checksum of a token? What has not is not even looked for."""
    body = text.removeprefix(MARK)
    if not text.startswith(MARK) or len(body) != _RANDOM + _CHECK or not body.isascii():
        return False
    return _checksum(body[:_RANDOM]) == body[_RANDOM:]


def _checksum(text: str) -> str:
    return _letters(zlib.crc32(text.encode()).to_bytes(4, "big"))


def _letters(some: bytes) -> str:
    return base64.b32encode(some).decode().rstrip("=").lower()


def make_token(db: Db, by: Actor, forum: Forum, sent: TokenInput, *, now: datetime) -> str:
    """A token for whoever asks; it is in this answer and nowhere else.

    Raises Forbidden for a program that asks by a token, NotFound without a desk there; Refused:
    `second_factor_needed` where the forum asks for one, `tokens_enough`; Invalid("scope_beyond") at `scope` for what
    one may not do oneself.
    """
    own, user = forum_id(forum), _own(by)
    by.must(Permission.SEE_DESK, own)
    if forum.second_factor and not by.second_factor:
        raise Refused("second_factor_needed")
    scope = sorted({Permission.SEE_DESK, *sent.scope})
    if not all(by.may(permission, own) for permission in scope):
        raise Invalid([Fault("scope", "scope_beyond")])
    live = (_tokens.c.user_id == user) & (_tokens.c.forum_id == own) & _live(now)
    if db.execute(select(func.count()).select_from(_tokens).where(live)).scalar_one() >= MOST_TOKENS:
        raise Refused("tokens_enough", most=MOST_TOKENS)
    token = new_token()
    ends, named = now + timedelta(days=sent.days), [permission.value for permission in scope]
    row = {"forum_id": own, "user_id": user, "name": sent.name, "digest": codes.digest(token), "ending": token[-4:]}
    row |= {"scope": named, "created_at": now, "expires_at": ends, "used_at": None, "revoked_at": None}
    number = db.execute(insert(_tokens).values(row).returning(_tokens.c.id)).scalar_one()
    after, personal = {"day": ends.date().isoformat(), "scope": named}, {"name": sent.name}
    record(db, forum.slug, by.signature, "token.made", f"token:{number}", now=now, after=after, personal=personal)
    return token


def tokens_of(db: Db, by: Actor, *, now: datetime) -> list[TokenView]:
    """The tokens of whoever asks that are good now, the newest first. One query."""
    mine = (_tokens.c.user_id == _own(by)) & _live(now)
    names = ("id", "name", "ending", "scope", "created_at", "expires_at", "used_at")
    wanted = (
        select(*(_tokens.c[name] for name in names), _forums.c.slug, _forums.c.short_title)
        .join(_forums, _forums.c.id == _tokens.c.forum_id)
        .where(mine)
        .order_by(_tokens.c.id.desc())
    )
    return [TokenView(*row) for row in list[Any](db.execute(wanted))]


def end_token(db: Db, by: Actor, token: int, *, now: datetime) -> None:
    """End one of one's own tokens. Raises NotFound for one that is none of them, or has ended."""
    mine = (_tokens.c.id == token) & (_tokens.c.user_id == _own(by)) & _tokens.c.revoked_at.is_(None)
    slug = select(_forums.c.slug).join(_tokens, _tokens.c.forum_id == _forums.c.id).where(mine)
    scope = db.execute(slug).scalar_one_or_none()
    if scope is None:
        raise NotFound
    _end(db, by, scope, [token], now=now)


def end_tokens_of(db: Db, by: Actor, forum: Forum, user: int, *, now: datetime) -> None:
    """End what somebody left behind who has no role here any more. Asks nobody; for deeds that have."""
    theirs = (_tokens.c.forum_id == forum_id(forum)) & (_tokens.c.user_id == user) & _tokens.c.revoked_at.is_(None)
    _end(db, by, forum.slug, list(db.execute(select(_tokens.c.id).where(theirs)).scalars()), now=now)


def forums_of_tokens(db: Db, user: int) -> list[str]:
    """The slugs of the forums in which somebody has a token that was not ended. One query."""
    theirs = select(_forums.c.slug).join(_tokens, _tokens.c.forum_id == _forums.c.id).where(_tokens.c.user_id == user)
    return list(db.execute(theirs.where(_tokens.c.revoked_at.is_(None)).distinct().order_by(_forums.c.slug)).scalars())


def _end(db: Db, by: Actor, scope: str, tokens: Sequence[int], *, now: datetime) -> None:
    for token in tokens:
        db.execute(update(_tokens).where(_tokens.c.id == token).values(revoked_at=now))
        record(db, scope, by.signature, "token.ended", f"token:{token}", now=now)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose token it is: the actor it makes, in its one forum; `is_stale` says that its last use should be noted."""

    actor: Actor
    forum: Forum
    token: int
    is_stale: bool


def _live(now: Any) -> Any:
    return _tokens.c.revoked_at.is_(None) & (_tokens.c.expires_at > now)


_BEARER = (
    select(_tokens.c.id, _tokens.c.scope, _tokens.c.used_at, User, Forum)
    .join(_users, _users.c.id == _tokens.c.user_id)
    .join(_forums, _forums.c.id == _tokens.c.forum_id)
    .where(_tokens.c.digest == bindparam("kept"), _live(bindparam("now")), _users.c.disabled.is_(False))
)
_ROLES = select(_grants.c.role).where(_grants.c.forum_id == bindparam("forum"), _grants.c.user_id == bindparam("user"))
"""Both written once: every request of a program asks them, and to put them together takes longer than to have them
answered."""


def bearer_of(db: Db, token: str, *, now: datetime) -> Bearer | None:
    """Who acts by this token; None where it is unknown, ended, too old, or its user is disabled or has no role there.

    What counts are the roles at this moment, cut down to the token's scope. Two queries.
    """
    found = db.execute(_BEARER, {"kept": codes.digest(token), "now": now}).first()
    if found is None:
        return None
    user, forum, own = found.User, found.Forum, forum_id(found.Forum)
    held = db.execute(_ROLES, {"forum": own, "user": user.id}).scalars()
    roles = {Role(name) for name in held} | ({Role.OWNER} if user.site_owner else set())
    if not roles:
        return None
    scope = frozenset(Permission(name) for name in found.scope if name in set(Permission))
    has_factor = user.factor_since is not None
    actor = Actor(
        "user", user.id, f"{user.name or user.email} (API)", False, {own: frozenset(roles)}, has_factor, scope
    )
    is_stale = found.used_at is None or found.used_at <= now - USED_EVERY
    return Bearer(actor, forum, int(found.id), is_stale)


def note_use(db: Db, token: int, *, now: datetime) -> None:
    """Keep when a token was used last."""
    stale = or_(_tokens.c.used_at.is_(None), _tokens.c.used_at <= now - USED_EVERY)
    db.execute(update(_tokens).where(_tokens.c.id == token, stale).values(used_at=now))


def _own(by: Actor) -> int:
    if by.kind != "user" or by.id is None:
        raise NotFound
    if by.scope is not None:
        raise Forbidden("forbidden")  # a program makes itself no other key
    return by.id
