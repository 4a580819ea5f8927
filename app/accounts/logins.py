"""One's own logins: the browsers that are signed in, seen and ended by whoever they belong to."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, true, update

from app.accounts.actor import Actor
from app.accounts.models import Login, SignInLink
from app.accounts.signing_in import login_is_good
from app.audit.recording import record
from app.kit.db import Db, table
from app.kit.errors import NotFound, Refused
from app.kit.pen import SITE

_logins, _links = table(Login), table(SignInLink)
FRESH = timedelta(minutes=15)
"""How long after signing in somebody may change what opens their account: a browser left open may not."""


@dataclass(frozen=True, slots=True)
class LoginView:
    """A browser that is signed in: since when, until when at the latest, and its kind, "" where it did not say."""

    id: int
    browser: str
    created_at: datetime
    expires_at: datetime
    digest: str


def logins_of(db: Db, by: Actor, *, now: datetime) -> list[LoginView]:
    """The logins of whoever asks that are good now, the newest first. One query. Raises NotFound for other actors."""
    mine = (_logins.c.user_id == _own(by)) & login_is_good(now)
    columns = (_logins.c.id, _logins.c.browser, _logins.c.created_at, _logins.c.expires_at, _logins.c.token_digest)
    rows = db.execute(select(*columns).where(mine).order_by(_logins.c.created_at.desc(), _logins.c.id.desc()))
    return [LoginView(*row) for row in rows]


def is_fresh(db: Db, login: str, *, now: datetime) -> bool:
    """Was this login (its digest) made a short while ago?"""
    made = db.execute(select(_logins.c.created_at).where(_logins.c.token_digest == login)).scalar_one_or_none()
    return made is not None and now - made < FRESH


def must_be_fresh(db: Db, login: str, *, now: datetime) -> None:
    """Raises Refused("login_old") where this login (its digest) was not made a short while ago."""
    if not is_fresh(db, login, now=now):
        raise Refused("login_old")


def end_login(db: Db, by: Actor, login: int, *, now: datetime) -> None:
    """End one of one's own logins. Raises NotFound for one that is none of them, or has ended."""
    mine = (_logins.c.id == login) & (_logins.c.user_id == _own(by)) & _logins.c.revoked_at.is_(None)
    if not db.execute(update(_logins).where(mine).values(revoked_at=now)).rowcount:  # type: ignore[attr-defined]
        raise NotFound
    record(db, SITE, by.signature, "sign_in.ended", f"user:{by.id}", now=now, after={"number": 1})


def end_other_logins(db: Db, by: Actor, kept: str, *, now: datetime) -> int:
    """End all of one's own logins but the one with the digest `kept`; how many there were."""
    others = (_logins.c.user_id == _own(by)) & (_logins.c.token_digest != kept)
    good = _logins.c.revoked_at.is_(None) & (_logins.c.expires_at > now)
    ended = int(db.execute(update(_logins).where(others, good).values(revoked_at=now)).rowcount)  # type: ignore[attr-defined]
    if ended:
        record(db, SITE, by.signature, "sign_in.ended", f"user:{by.id}", now=now, after={"number": ended})
    return ended


def end_all(db: Db, by: Actor, *, now: datetime, of: int | None = None) -> int:
    """End everybody's logins, or those `of` one user, half ones too, and every link that was not used; how many logins
    there were. For the command line alone: a database that was brought back knows nothing of what was ended since, and
    whoever set up a second factor for somebody else may still be signed in as them. Raises NotFound."""
    if by.kind != "operator":
        raise NotFound
    theirs, for_them = (true(), true()) if of is None else (_logins.c.user_id == of, _links.c.user_id == of)
    good = _logins.c.revoked_at.is_(None) & (_logins.c.expires_at > now)
    ended = int(db.execute(update(_logins).where(good, theirs).values(revoked_at=now)).rowcount)  # type: ignore[attr-defined]
    db.execute(update(_links).where(_links.c.used_at.is_(None), for_them).values(used_at=now))
    subject = "site" if of is None else f"user:{of}"
    record(db, SITE, by.signature, "sign_in.ended", subject, now=now, after={"number": ended})
    return ended


def _own(by: Actor) -> int:
    if by.kind != "user" or by.id is None:
        raise NotFound
    return by.id
