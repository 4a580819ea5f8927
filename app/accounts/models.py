"""Users, their one-time sign-in links and their logins. Of tokens only digests are kept."""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint

from app.kit.tables import Field, SQLModel


class User(SQLModel, table=True):
    """Somebody who may sign in. A site owner has the role owner in every forum.

    `factor` is the secret of the second factor, encrypted; it counts from `factor_since` on, once a code was given.
    `factor_step` is the last time step (RFC 6238) a code was taken of. `passkey_since` is when the first of their
    passkeys was added, None where they have none: a passkey is a second factor too. `passkey_handle` is what their
    passkeys call them: random, in base64url, "" before the first.
    """

    __tablename__ = "accounts_user"

    id: int | None = Field(default=None, primary_key=True)
    email: str
    email_normal: str = Field(unique=True)
    name: str = ""
    site_owner: bool = False
    disabled: bool = False
    created_at: datetime
    factor: str = ""
    factor_since: datetime | None = None
    factor_step: int = 0
    passkey_since: datetime | None = None
    passkey_handle: str = ""

    @property
    def has_second_factor(self) -> bool:
        """Does a mailed link alone sign this user in by half?"""
        return self.factor_since is not None or self.passkey_since is not None


class SignInLink(SQLModel, table=True):
    """A link that signs one user in, once, until it expires."""

    __tablename__ = "accounts_sign_in_link"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="accounts_user.id", index=True)
    token_digest: str = Field(unique=True)
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


class Login(SQLModel, table=True):
    """A browser that is signed in; ended by sign-out, revocation, time, or rest. `browser` is its kind in a few words,
    `seen_at` when it was last used, to the hour.

    A `half` one has used a link and still owes its second factor: it is nobody signed in.
    """

    __tablename__ = "accounts_login"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="accounts_user.id", index=True)
    token_digest: str = Field(unique=True)
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    seen_at: datetime | None = None
    browser: str = ""
    half: bool = False


class RecoveryCode(SQLModel, table=True):
    """A code that stands for the second factor once, when the device is lost."""

    __tablename__ = "accounts_recovery_code"
    __table_args__ = (UniqueConstraint("user_id", "digest"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="accounts_user.id")
    digest: str
    used_at: datetime | None = None


class Passkey(SQLModel, table=True):
    """A key pair of an authenticator (WebAuthn), known by its public half.

    `credential` is the credential's id in base64url, `key` the attested credential data (the COSE key inside). `count`
    is the last signature count, which most authenticators leave at 0. `syncable` and `synced` are what the
    authenticator said of its copies.
    """

    __tablename__ = "accounts_passkey"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="accounts_user.id", index=True)
    credential: str = Field(unique=True)
    key: bytes = Field(sa_type=LargeBinary)
    count: int = Field(default=0, sa_type=BigInteger)
    syncable: bool = False
    synced: bool = False
    name: str
    created_at: datetime
    used_at: datetime | None = None


class Challenge(SQLModel, table=True):
    """What an authenticator has to sign: given to one browser for one purpose, used once, gone in a few minutes."""

    __tablename__ = "accounts_challenge"

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True)
    purpose: str
    browser: str
    expires_at: datetime = Field(index=True)
