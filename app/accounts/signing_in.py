"""Signing in by one-time link, and the login it opens (rules §7). There is no default password, nor any yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import EmailStr, StringConstraints
from sqlalchemy import ColumnElement, and_, bindparam, func, select, update

from app.accounts.actor import Actor
from app.accounts.models import Login, SignInLink, User
from app.audit.recording import record
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import Expired
from app.kit.inputs import Input
from app.kit.pen import SITE
from app.mail.outbox import queue_mail

_users, _links, _logins = table(User), table(SignInLink), table(Login)
_HAS_FACTOR = _users.c.factor_since.is_not(None) | _users.c.passkey_since.is_not(None)
Email = Annotated[EmailStr, StringConstraints(max_length=254)]
LINK_LASTS = timedelta(hours=24)
INVITATION_LASTS = timedelta(days=7)
"""How long the link of somebody lasts who has never signed in: they were not waiting for it."""
LOGIN_LASTS = timedelta(days=14)
LOGIN_RESTS = timedelta(days=4)
"""How long a login lasts that nobody uses: a long weekend. Nobody is asked to sign in anew each morning of a forum's
days, and a browser left behind in a hotel is nobody's after them (ASVS 5.0, 7.1.1 and 7.3.1; `docs/security.md`)."""
_NOTED = timedelta(hours=1)
"""How far back the use of a login that is noted may lie: each page would be a write otherwise."""

HALF_LASTS = timedelta(minutes=10)
"""How long one may look for the device with the code."""


def put_owner(db: Db, by: Actor, email: str, name: str, *, now: datetime) -> User:
    """The site owner with this address, made if there is none. For the command line alone."""
    found = known_user(db, email)
    if found is None:
        found = User(email=email.strip(), email_normal=email.strip().casefold(), name=name, created_at=now)
    if not found.site_owner:
        found.site_owner = True
        db.add(found)
        db.flush()
        record(db, SITE, by.signature, "user.made_owner", f"user:{found.id}", now=now, personal={"email": found.email})
    return found


def known_user(db: Db, email: str) -> User | None:
    """The user with this address, whatever they may do; None where there is none."""
    normal = email.strip().casefold()
    found: User | None = db.execute(select(User).where(_users.c.email_normal == normal)).scalar_one_or_none()
    return found


def make_link(db: Db, by: Actor, user: User, *, now: datetime, lasts: timedelta = LINK_LASTS) -> str:
    """A token that signs this user in once, within a day or what `lasts` says."""
    token = codes.one_time_token()
    db.add(SignInLink(user_id=user.id or 0, token_digest=codes.digest(token), created_at=now, expires_at=now + lasts))
    db.flush()
    record(db, SITE, by.signature, "sign_in.link_made", f"user:{user.id}", now=now)
    return token


class LinkRequest(Input):
    """Somebody asks for a sign-in link."""

    email: Email


def ask_for_link(db: Db, email: str, language: str, *, now: datetime) -> None:
    """Queue a mail with a one-time link for the user with this address; for any other address nothing is done.

    The token is not in the outbox: the worker makes it (`make_link`) when it renders the mail (rules §7).
    """
    mine = (_users.c.email_normal == email.strip().casefold()) & _users.c.disabled.is_(False)
    row = db.execute(select(_users.c.id, _users.c.email, _users.c.name).where(mine)).first()
    if row is None:
        return
    subject = f"user:{row.id}"
    queue_mail(db, SITE, "accounts/sign_in_link", language, (row.email, row.name), subject, now=now)
    record(db, SITE, Actor.visitor().signature, "sign_in.link_asked", subject, now=now)


def link_is_good(db: Db, token: str, *, now: datetime) -> bool:
    """May this token still sign somebody in?"""
    mine = (_links.c.token_digest == codes.digest(token)) & _links.c.used_at.is_(None) & (_links.c.expires_at > now)
    return db.execute(select(_links.c.id).where(mine)).first() is not None


def sign_in(db: Db, token: str, *, now: datetime, browser: str = "") -> str:
    """Use a one-time link: it is spent, and the answer is the token of a new login, by this kind of browser.

    Whose second factor counts gets half a login, for some minutes: see `app.accounts.second_factor.finish`.

    Raises Expired("sign_in_link") for a link that is unknown, used, too old, or whose user is disabled: the four
    look alike.
    """
    mine = (_links.c.token_digest == codes.digest(token)) & _links.c.used_at.is_(None) & (_links.c.expires_at > now)
    found = db.execute(
        select(_links.c.id, _links.c.user_id, _users.c.name, _users.c.disabled, _HAS_FACTOR.label("has_factor"))
        .join(_users, _users.c.id == _links.c.user_id)
        .where(mine)
    ).first()
    if found is None or found.disabled:
        raise Expired("sign_in_link")
    db.execute(update(_links).where(_links.c.id == found.id).values(used_at=now))
    half = bool(found.has_factor)
    login = open_login(db, found.user_id, now + (HALF_LASTS if half else LOGIN_LASTS), browser, half=half, now=now)
    kind, subject = "sign_in.half" if half else "sign_in.done", f"user:{found.user_id}"
    record(db, SITE, (subject, found.name), kind, subject, now=now)
    return login


def open_login(db: Db, user: int, ends: datetime, browser: str, *, half: bool, now: datetime) -> str:
    """The token of a new login of this user; what calls it has seen to who that is, and records."""
    login = codes.one_time_token()
    kept = codes.digest(login)
    db.add(Login(user_id=user, token_digest=kept, created_at=now, expires_at=ends, browser=browser, half=half))
    db.flush()
    return login


def login_is_good(now: datetime) -> ColumnElement[bool]:
    """Of a row of logins: is it whole, not ended, within its time, and was it used a short while ago?"""
    return _is_good(now, now - LOGIN_RESTS)


_used = func.coalesce(_logins.c.seen_at, _logins.c.created_at)
"""When a login was used last."""


def _is_good(now: Any, rested: Any) -> ColumnElement[bool]:
    is_whole = _logins.c.revoked_at.is_(None) & _logins.c.half.is_(False)
    return and_(is_whole, _logins.c.expires_at > now, _used > rested)


_WHOSE = (
    select(User, _used.label("used"))
    .join(_logins, _logins.c.user_id == _users.c.id)
    .where(
        _logins.c.token_digest == bindparam("kept"),
        _is_good(bindparam("now"), bindparam("rested")),
        _users.c.disabled.is_(False),
    )
)
"""Written once: every page of the desk asks it, and to put it together takes longer than to have it answered."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who is signed in; `is_stale` says that the use of the login should be noted."""

    user: User
    is_stale: bool


def whose_login(db: Db, token: str, *, now: datetime) -> LoggedIn | None:
    """Who is signed in with this login token; None where it is unknown, half, ended, unused for too long, or the user
    is disabled."""
    row = db.execute(_WHOSE, {"kept": codes.digest(token), "now": now, "rested": now - LOGIN_RESTS}).first()
    return None if row is None else LoggedIn(row[0], row.used < now - _NOTED)


def user_of_login(db: Db, token: str, *, now: datetime) -> User | None:
    """Who is signed in with this login token; None as in `whose_login`."""
    found = whose_login(db, token, now=now)
    return found.user if found else None


def note_login(db: Db, token: str, *, now: datetime) -> None:
    """Note that this login is used; a clock set back takes nothing back."""
    mine = (_logins.c.token_digest == codes.digest(token)) & _logins.c.revoked_at.is_(None)
    db.execute(update(_logins).where(mine, _used < now).values(seen_at=now))


def sign_out(db: Db, token: str, *, now: datetime) -> None:
    """End the login with this token."""
    mine = (_logins.c.token_digest == codes.digest(token)) & _logins.c.revoked_at.is_(None)
    db.execute(update(_logins).where(mine).values(revoked_at=now))
