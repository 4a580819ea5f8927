"""Passkeys (WebAuthn): added, named and removed on the own page, and signing in with one.

The authenticator asks who one is, so a passkey is both factors and the login it opens is a whole one. What it answers
is read and verified before the pen has it (`app.accounts.authenticators`); here its challenge is used up, in the same
transaction as what it is for.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fido2.utils import websafe_encode
from pydantic import Field, StringConstraints
from sqlalchemy import delete, func, select, update

from app.accounts.actor import Actor
from app.accounts.authenticators import LONGEST, Made, Relying, Shown, to_make, to_show
from app.accounts.logins import end_other_logins, must_be_fresh
from app.accounts.models import Challenge, Passkey, User
from app.accounts.second_factor import drop_codes, first_codes, waits
from app.accounts.signing_in import LOGIN_LASTS, open_login, sign_out
from app.audit.recording import record
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, Invalid, NotFound, Refused
from app.kit.inputs import Filled, Input
from app.kit.pen import SITE
from app.mail.outbox import queue_mail

_users, _passkeys, _challenges = table(User), table(Passkey), table(Challenge)
CHALLENGE_LASTS = timedelta(minutes=5)
MOST = 20
"""Passkeys of one user: far more than anybody has devices."""
ADDING, SIGNING_IN = "add", "sign-in"
ADDED, REMOVED = "accounts/passkey_added", "accounts/passkey_removed"

Name = Annotated[Filled, StringConstraints(max_length=60)]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
Answer = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]


class AddInput(Input):
    """A new passkey: how its owner calls it, and what the authenticator answered, as JSON."""

    act: Literal["add"]
    name: Name
    credential: Answer


class RenameInput(Input):
    """Another name for a passkey."""

    act: Literal["rename"]
    number: Number
    name: Name


class RemoveInput(Input):
    """A passkey that is to go."""

    act: Literal["remove"]
    number: Number


class ShowInput(Input):
    """A passkey shown to sign in: what the authenticator answered, as JSON."""

    act: Literal["use"]
    credential: Answer


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey as its owner knows it; `synced`: the authenticator keeps copies on other devices."""

    id: int
    name: str
    created_at: datetime
    used_at: datetime | None
    synced: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What a shown key is held against: its public half, its user's handle, and its kind."""

    id: int
    user: int
    key: bytes
    handle: str
    syncable: bool


def passkeys_of(db: Db, by: Actor) -> list[PasskeyView]:
    """One's own passkeys, the oldest first. One query. Raises NotFound for other actors."""
    columns = (_passkeys.c.id, _passkeys.c.name, _passkeys.c.created_at, _passkeys.c.used_at, _passkeys.c.synced)
    mine = select(*columns).where(_passkeys.c.user_id == _own(by)).order_by(_passkeys.c.created_at, _passkeys.c.id)
    return [PasskeyView(*row) for row in db.execute(mine)]


def begin_adding(db: Db, by: Actor, login: str, relying: Relying, *, now: datetime) -> Any:
    """What the browser is to ask its authenticator for, with a challenge good for this login and a few minutes.

    Raises NotFound; Refused("login_old") where the login is not a fresh one, Refused("passkeys_enough").
    """
    user = _user(db, by)
    must_be_fresh(db, login, now=now)
    mine = select(_passkeys.c.credential).where(_passkeys.c.user_id == user.id).order_by(_passkeys.c.id)
    there = db.execute(mine).scalars().all()
    if len(there) >= MOST:
        raise Refused("passkeys_enough", most=MOST)
    if not user.passkey_handle:
        user.passkey_handle = websafe_encode(secrets.token_bytes(48))
        db.add(user)
        db.flush()
    challenge = _give(db, ADDING, login, now=now)
    return to_make(relying, challenge, user.passkey_handle, user.email, user.name or user.email, there)


def add(db: Db, by: Actor, login: str, made: Made, name: str, language: str, key: bytes, *, now: datetime) -> list[str]:
    """Keep a new passkey. The answer is recovery codes, shown once, where the user has none left. With the first second
    factor every other login of theirs ends: the link alone opened it.

    Raises NotFound; Refused("login_old"), Refused("passkey_stale") for a challenge that is not this login's, spent or
    too old, Conflict("passkey_known") for a credential that is kept already, Refused("passkeys_enough").
    """
    user = _user(db, by)
    must_be_fresh(db, login, now=now)
    _take(db, made.challenge, ADDING, login, now=now)
    if db.execute(select(_passkeys.c.id).where(_passkeys.c.credential == made.credential)).first():
        raise Conflict("passkey_known")
    if db.execute(select(func.count()).where(_passkeys.c.user_id == user.id)).scalar_one() >= MOST:
        raise Refused("passkeys_enough", most=MOST)
    db.add(
        Passkey(
            user_id=user.id or 0,
            credential=made.credential,
            key=made.key,
            count=made.count,
            syncable=made.syncable,
            synced=made.synced,
            name=name,
            created_at=now,
        )
    )
    if not user.has_second_factor:
        end_other_logins(db, by, login, now=now)
    user.passkey_since = user.passkey_since or now
    db.add(user)
    db.flush()
    _note(db, by, "passkey.added", name, now=now)
    _tell(db, user, ADDED, language, now=now)
    return first_codes(db, user.id or 0, key)


def rename(db: Db, by: Actor, number: int, name: str, *, now: datetime) -> None:
    """Call one of one's own passkeys something else. Raises NotFound."""
    if _one(db, by, number).name == name:
        return
    db.execute(update(_passkeys).where(_passkeys.c.id == number).values(name=name))
    _note(db, by, "passkey.renamed", name, now=now)


def remove(db: Db, by: Actor, login: str, number: int, language: str, *, needed: bool, now: datetime) -> None:
    """Take one of one's own passkeys away; the logins it opened stay. `needed`: a forum asks for a second factor.

    Raises NotFound; Refused("login_old"); Refused("passkey_needed") for the last factor of somebody who needs one.
    """
    user, one = _user(db, by), _one(db, by, number)
    must_be_fresh(db, login, now=now)
    others = (_passkeys.c.user_id == user.id) & (_passkeys.c.id != number)
    last = db.execute(select(_passkeys.c.id).where(others).limit(1)).first() is None
    if last and needed and user.factor_since is None:
        raise Refused("passkey_needed")
    db.execute(delete(_passkeys).where(_passkeys.c.id == number))
    if last:
        user.passkey_since = None
        db.add(user)
        db.flush()
        if user.factor_since is None:
            drop_codes(db, user.id or 0)
    _note(db, by, "passkey.removed", one.name, now=now)
    _tell(db, user, REMOVED, language, now=now)


def begin_signing_in(db: Db, browser: str, relying: Relying, *, now: datetime) -> Any:
    """What anybody's browser is to ask its authenticator for; `browser` is the token in its cookie, and the challenge
    is good for it alone."""
    return to_show(relying, _give(db, SIGNING_IN, codes.digest(browser), now=now))


def kept(db: Db, credential: str) -> Kept:
    """The passkey with this id. Raises Invalid("passkey_wrong") at `credential` where there is none, or its user is
    disabled: one that is not known looks like one that is wrong."""
    columns = (_passkeys.c.id, _passkeys.c.user_id, _passkeys.c.key, _users.c.passkey_handle, _passkeys.c.syncable)
    good = (_passkeys.c.credential == credential) & _users.c.disabled.is_(False)
    row = db.execute(select(*columns).join(_users, _users.c.id == _passkeys.c.user_id).where(good)).first()
    if row is None:
        raise _wrong()
    return Kept(*row)


def sign_in(
    db: Db, found: Kept, seen: Shown, browser: str, former: str, *, now: datetime, kind: str = ""
) -> str | None:
    """Use a passkey that was shown and verified: the token of a whole login, by this `kind` of browser.

    The browser's `former` login ends; a half one is made whole, if it is of the same user. None where the count says
    that the key was copied (WebAuthn §6.1.1): nobody is signed in, and that it was so is a fact.

    Raises Invalid("passkey_wrong"), also where the key is gone meanwhile; Refused("passkey_stale") for a challenge
    that is not this browser's, spent or too old; Refused("passkey_other") for a half login of somebody else.
    """
    wanted = select(_passkeys.c.count, _users.c.name, _users.c.disabled).join(_users).where(_mine(found))
    row = db.execute(wanted).first()
    if row is None or row.disabled or seen.handle != found.handle or seen.syncable != found.syncable:
        raise _wrong()
    _take(db, seen.challenge, SIGNING_IN, codes.digest(browser), now=now)
    if waits(db, former, now=now) not in {None, found.user}:
        raise Refused("passkey_other")
    subject, last = f"user:{found.user}", int(row[0])
    by = (subject, row.name)
    if (last or seen.count) and seen.count <= last:
        was, told = {"number": last}, {"number": seen.count}
        record(db, SITE, by, "passkey.copied", subject, now=now, before=was, after=told)
        return None
    db.execute(update(_passkeys).where(_mine(found)).values(count=seen.count, synced=seen.synced, used_at=now))
    sign_out(db, former, now=now)
    record(db, SITE, by, "sign_in.done", subject, now=now, after={"kind": "passkey"})
    return open_login(db, found.user, now + LOGIN_LASTS, kind, half=False, now=now)


def _mine(found: Kept) -> Any:
    return (_passkeys.c.id == found.id) & (_passkeys.c.user_id == found.user)


def _give(db: Db, purpose: str, browser: str, *, now: datetime) -> str:
    """A challenge of 256 bits; those of a browser's earlier tries and all that are too old go."""
    own = (_challenges.c.purpose == purpose) & (_challenges.c.browser == browser)
    db.execute(delete(_challenges).where(own | (_challenges.c.expires_at <= now)))
    challenge = websafe_encode(secrets.token_bytes(32))
    until = now + CHALLENGE_LASTS
    db.add(Challenge(digest=codes.digest(challenge), purpose=purpose, browser=browser, expires_at=until))
    db.flush()
    return challenge


def _take(db: Db, challenge: str, purpose: str, browser: str, *, now: datetime) -> None:
    mine = (_challenges.c.digest == codes.digest(challenge)) & (_challenges.c.purpose == purpose)
    good = (_challenges.c.browser == browser) & (_challenges.c.expires_at > now)
    if not db.execute(delete(_challenges).where(mine, good)).rowcount:  # type: ignore[attr-defined]
        raise Refused("passkey_stale")


def _note(db: Db, by: Actor, kind: str, name: str, *, now: datetime) -> None:
    record(db, SITE, by.signature, kind, f"user:{by.id}", now=now, personal={"name": name})


def _tell(db: Db, user: User, template: str, language: str, *, now: datetime) -> None:
    queue_mail(db, SITE, template, language, (user.email, user.name), f"user:{user.id}", now=now)


def _one(db: Db, by: Actor, number: int) -> Any:
    mine = (_passkeys.c.id == number) & (_passkeys.c.user_id == _own(by))
    row = db.execute(select(_passkeys.c.id, _passkeys.c.name).where(mine)).first()
    if row is None:
        raise NotFound
    return row


def _own(by: Actor) -> int:
    if by.kind != "user" or by.id is None:
        raise NotFound
    return by.id


def _user(db: Db, by: Actor) -> User:
    found: User | None = db.execute(select(User).where(_users.c.id == _own(by))).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def _wrong() -> Invalid:
    return Invalid([Fault("credential", "passkey_wrong")])
