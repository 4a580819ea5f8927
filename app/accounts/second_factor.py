"""The second factor: a code of an authenticator (TOTP, RFC 6238) after the link, or one of ten recovery codes.

A passkey is one too (`app.accounts.passkeys`); the recovery codes are the same for both.

A try is counted by the door before it is made (`app.web.second_factor`), so that guessing ends soon.
"""

import hmac
from datetime import datetime
from typing import Annotated

import pyotp
from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError
from sqlalchemy import delete, func, insert, select, update

from app.accounts.actor import Actor
from app.accounts.logins import end_other_logins, must_be_fresh
from app.accounts.models import Login, Passkey, RecoveryCode, User
from app.accounts.signing_in import LOGIN_LASTS, open_login
from app.audit.recording import record
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import Conflict, Expired, Fault, Invalid, NotFound
from app.kit.i18n import latin_digits
from app.kit.inputs import Input
from app.kit.pen import SITE
from app.kit.sealing import decrypt, encrypt
from app.mail.outbox import queue_mail

_users, _codes, _logins, _passkeys = table(User), table(RecoveryCode), table(Login), table(Passkey)
STEP_SECONDS = 30
RECOVERY_CODES = 10
_PURPOSE = "second-factor"
TURNED_ON, TURNED_OFF = "accounts/factor_on", "accounts/factor_off"
"""The mails that tell a user so, who may not have done it."""


def _plain(text: str) -> str:
    found = latin_digits(text).replace(" ", "").replace("-", "").upper()
    if not (found.isascii() and found.isalnum() and len(found) in {6, 10}):
        raise PydanticCustomError("factor_wrong", "no code")
    return found


class CodeInput(Input):
    """A code as it was typed: six digits of either language, or the ten signs of a recovery code."""

    code: Annotated[str, StringConstraints(max_length=40), AfterValidator(_plain)]


def step_of(secret: str, code: str, *, after: int, now: datetime) -> int | None:
    """The time step of which `code` is the code: this one or a neighbour, for clocks that differ, and later than
    `after`, so that no code counts twice (RFC 6238 §5.2). None where it is none."""
    here, clock = int(now.timestamp()) // STEP_SECONDS, pyotp.TOTP(secret, interval=STEP_SECONDS)
    steps = (step for step in (here - 1, here, here + 1) if step > after)
    return next((step for step in steps if hmac.compare_digest(clock.generate_otp(step), code)), None)


def begin(db: Db, by: Actor, login: str, key: bytes, *, now: datetime) -> None:
    """A new secret for whoever asks; it does not count before a code of it was given.

    Raises Conflict("factor_on"); Refused("login_old") where the login (its digest) is not a fresh one.
    """
    user = _own(db, by)
    if user.factor_since is not None:
        raise Conflict("factor_on")
    must_be_fresh(db, login, now=now)
    user.factor, user.factor_step = encrypt(key, _PURPOSE, f"user:{user.id}", pyotp.random_base32()), 0
    _keep(db, user)
    record(db, SITE, by.signature, "factor.begun", f"user:{user.id}", now=now)


def address_of(db: Db, by: Actor, key: bytes) -> tuple[str, str] | None:
    """(secret, otpauth: address) of a secret that was begun and does not count yet; None where there is none."""
    user = _own(db, by)
    secret = decrypt(key, _PURPOSE, f"user:{user.id}", user.factor) if user.factor else None
    if secret is None or user.factor_since is not None:
        return None
    return secret, pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=user.email, issuer_name="Sala")


def stands(db: Db, by: Actor) -> tuple[datetime | None, int]:
    """Since when one's own second factor counts, and how many recovery codes are left."""
    user = _own(db, by)
    unused = (_codes.c.user_id == user.id) & _codes.c.used_at.is_(None)
    return user.factor_since, db.execute(select(func.count()).where(unused)).scalar_one()


def confirm(db: Db, by: Actor, login: str, key: bytes, code: str, *, now: datetime, language: str = "en") -> list[str]:
    """The first code of a secret that was begun: from now on it counts. The answer is the recovery codes, shown once.

    Whoever had no second factor is signed in nowhere else from now on: those logins the link alone opened.
    Raises Conflict("factor_on"), Conflict("factor_not_begun"); Refused("login_old"); Invalid("factor_wrong") at `code`.
    """
    user = _own(db, by)
    if user.factor_since is not None:
        raise Conflict("factor_on")
    if not user.factor:
        raise Conflict("factor_not_begun")
    must_be_fresh(db, login, now=now)
    if not user.has_second_factor:
        end_other_logins(db, by, login, now=now)
    _take_code(db, user, key, code, now=now)
    user.factor_since = now
    _keep(db, user)
    record(db, SITE, by.signature, "factor.on", f"user:{user.id}", now=now)
    _tell(db, user, TURNED_ON, language, now=now)
    return _new_codes(db, user.id or 0, key)


def renew_codes(db: Db, by: Actor, key: bytes, code: str, *, now: datetime) -> list[str]:
    """Ten other recovery codes; the former ones end. Raises Conflict("factor_off"); Invalid("factor_wrong")."""
    user = _own(db, by)
    if not user.has_second_factor:
        raise Conflict("factor_off")
    _take(db, user, key, code, now=now)
    record(db, SITE, by.signature, "factor.codes_renewed", f"user:{user.id}", now=now)
    return _new_codes(db, user.id or 0, key)


def turn_off(db: Db, by: Actor, key: bytes, code: str, *, now: datetime, language: str = "en") -> None:
    """No code is asked for any more; where there is no passkey either, the link alone signs in again.

    Raises Conflict("factor_off"); Invalid("factor_wrong").
    """
    user = _own(db, by)
    if user.factor_since is None:
        raise Conflict("factor_off")
    _take(db, user, key, code, now=now)
    _forget(db, user)
    record(db, SITE, by.signature, "factor.off", f"user:{user.id}", now=now)
    _tell(db, user, TURNED_OFF, language, now=now)


def forget_factor(db: Db, by: Actor, user: User, *, now: datetime) -> None:
    """Take the second factor of somebody who lost device and codes, passkeys too. For the command line alone."""
    db.execute(delete(_passkeys).where(_passkeys.c.user_id == user.id))
    user.passkey_since = None
    _forget(db, user)
    record(db, SITE, by.signature, "factor.off", f"user:{user.id}", now=now)


def waits(db: Db, login: str, *, now: datetime) -> int | None:
    """Whose half login this is, if it may still be made whole."""
    mine = (_logins.c.token_digest == codes.digest(login)) & _logins.c.half.is_(True)
    good = _logins.c.revoked_at.is_(None) & (_logins.c.expires_at > now) & _users.c.disabled.is_(False)
    wanted = select(_users.c.id).join(_logins, _logins.c.user_id == _users.c.id).where(mine, good)
    found: int | None = db.execute(wanted).scalar_one_or_none()
    return found


def finish(db: Db, login: str, key: bytes, code: str, *, now: datetime) -> str:
    """Make a half login whole by a code: the half one is spent, and the answer is the token of another.

    Raises Expired("sign_in_link") where it is none any more; Invalid("factor_wrong") at `code`.
    """
    number = waits(db, login, now=now)
    if number is None:
        raise Expired("sign_in_link")
    user = db.execute(select(User).where(_users.c.id == number)).scalar_one()
    _take(db, user, key, code, now=now)
    mine = _logins.c.token_digest == codes.digest(login)
    browser = db.execute(select(_logins.c.browser).where(mine)).scalar_one()
    db.execute(update(_logins).where(mine).values(revoked_at=now))
    record(db, SITE, (f"user:{number}", user.name), "sign_in.done", f"user:{number}", now=now)
    return open_login(db, number, now + LOGIN_LASTS, browser, half=False, now=now)


def _own(db: Db, by: Actor) -> User:
    if by.kind != "user" or by.id is None:
        raise NotFound
    found: User | None = db.execute(select(User).where(_users.c.id == by.id)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def _take(db: Db, user: User, key: bytes, code: str, *, now: datetime) -> None:
    """Use up a code of either kind. Raises Invalid."""
    if len(code) == 6:
        _take_code(db, user, key, code, now=now)
        return
    mine = (_codes.c.user_id == user.id) & (_codes.c.digest == _digest(key, user.id or 0, code))
    spent = update(_codes).where(mine, _codes.c.used_at.is_(None)).values(used_at=now)
    if not db.execute(spent).rowcount:  # type: ignore[attr-defined]
        raise Invalid([Fault("code", "factor_wrong")])
    record(db, SITE, (f"user:{user.id}", user.name), "factor.recovery_code_used", f"user:{user.id}", now=now)


def _take_code(db: Db, user: User, key: bytes, code: str, *, now: datetime) -> None:
    secret = decrypt(key, _PURPOSE, f"user:{user.id}", user.factor)
    step = step_of(secret, code, after=user.factor_step, now=now) if secret else None
    if step is None:
        raise Invalid([Fault("code", "factor_wrong")])
    user.factor_step = step
    _keep(db, user)


def first_codes(db: Db, user: int, key: bytes) -> list[str]:
    """Recovery codes for somebody whose passkey is their second factor now; none where they have some left."""
    left = (_codes.c.user_id == user) & _codes.c.used_at.is_(None)
    return [] if db.execute(select(_codes.c.id).where(left).limit(1)).first() else _new_codes(db, user, key)


def drop_codes(db: Db, user: int) -> None:
    """The recovery codes of somebody who has no second factor any more."""
    db.execute(delete(_codes).where(_codes.c.user_id == user))


def _new_codes(db: Db, user: int, key: bytes) -> list[str]:
    made = [codes.public_code(10) for _ in range(RECOVERY_CODES)]
    db.execute(delete(_codes).where(_codes.c.user_id == user))
    db.execute(insert(_codes), [{"user_id": user, "digest": _digest(key, user, code)} for code in made])
    return [f"{code[:5]}-{code[5:]}" for code in made]


def _digest(key: bytes, user: int, code: str) -> str:
    """Keyed, because a recovery code is short enough to be guessed from a plain digest."""
    own = hmac.digest(key, b"sala/recovery-code", "sha256")
    return hmac.new(own, f"{user}/{code}".encode(), "sha256").hexdigest()


def _forget(db: Db, user: User) -> None:
    user.factor, user.factor_since, user.factor_step = "", None, 0
    _keep(db, user)
    if user.passkey_since is None:
        drop_codes(db, user.id or 0)


def _tell(db: Db, user: User, template: str, language: str, *, now: datetime) -> None:
    queue_mail(db, SITE, template, language, (user.email, user.name), f"user:{user.id}", now=now)


def _keep(db: Db, user: User) -> None:
    db.add(user)
    db.flush()
