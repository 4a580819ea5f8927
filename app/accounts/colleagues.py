"""Users whom a colleague makes: known by an address, signed in by nobody yet."""

from datetime import datetime

from sqlalchemy import select

from app.accounts.models import User
from app.kit.db import Db, table

_users = table(User)


def user_with(db: Db, email: str, name: str, *, now: datetime) -> User:
    """The user with this address, made under this name if there is none; whose own name is kept if it is set.

    A user alone may do nothing: what gives them a role asks permission and records that.
    """
    normal = email.strip().casefold()
    found: User | None = db.execute(select(User).where(_users.c.email_normal == normal)).scalar_one_or_none()
    if found is None:
        found = User(email=email.strip(), email_normal=normal, name=name, created_at=now)
        db.add(found)
        db.flush()
    return found
