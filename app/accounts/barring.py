"""Letting somebody in no more, and again: for the command line, which has the whole site in hand."""

from datetime import datetime

from app.accounts.actor import Actor
from app.accounts.logins import end_all
from app.accounts.models import User
from app.accounts.signing_in import known_user
from app.audit.recording import record
from app.kit.db import Db
from app.kit.errors import NotFound, Refused
from app.kit.pen import SITE


def sign_out_everywhere(db: Db, by: Actor, email: str, *, now: datetime) -> int:
    """End every login and link of whoever has this address; how many logins there were. Raises NotFound for other
    actors than the operator, Refused("user_unknown")."""
    return end_all(db, by, of=_whose(db, by, email).id, now=now)


def bar(db: Db, by: Actor, email: str, *, now: datetime) -> int:
    """Let whoever has this address in no more, nor their programs; how many logins ended. Their roles stay, for the day
    on which they are let in again. Raises as `sign_out_everywhere`."""
    user = _whose(db, by, email)
    _set(db, by, user, disabled=True, now=now)
    return end_all(db, by, of=user.id, now=now)


def lift(db: Db, by: Actor, email: str, *, now: datetime) -> None:
    """Let them in again, by a new link. Raises as `sign_out_everywhere`."""
    _set(db, by, _whose(db, by, email), disabled=False, now=now)


def _whose(db: Db, by: Actor, email: str) -> User:
    if by.kind != "operator":
        raise NotFound
    if (user := known_user(db, email)) is None:
        raise Refused("user_unknown")
    return user


def _set(db: Db, by: Actor, user: User, *, disabled: bool, now: datetime) -> None:
    if user.disabled != disabled:
        user.disabled = disabled
        db.add(user)
        db.flush()
        kind = "user.barred" if disabled else "user.let_in_again"
        record(db, SITE, by.signature, kind, f"user:{user.id}", now=now)
