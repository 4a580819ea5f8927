"""Users whom a colleague makes: known by an address, signed in by nobody yet."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.accounts.models import User
from app.kit.db import Db, table

_users = table(User)


def user_with(db: Db, email: str, name: str, *, now: datetime) -> User:
    """The user with this address, made under this name if there is none; whose own name is kept if it is set.

    A user alone may do nothing: what gives them a role asks permission and records that.
    """
    normal = email.strip().casefold()
    wanted = select(User).where(_users.c.email_normal == normal)
    found: User | None = db.execute(wanted).scalar_one_or_none()
    if found is not None:
        return found
    try:
        with db.begin_nested():
            made = User(email=email.strip(), email_normal=normal, name=name, created_at=now)
            db.add(made)
            db.flush()
    except IntegrityError:  # another forum's owner was quicker, in another process
        made = db.execute(wanted).scalar_one()
    return made
