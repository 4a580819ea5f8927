"""passkeys: public keys of authenticators and the challenges they sign; an index by when people asked, for the overview"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_1050"
down_revision: str | None = "20261129_1040"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("accounts_user") as user:
        user.add_column(sa.Column("passkey_since", sa.DateTime(timezone=True), nullable=True))
        user.add_column(sa.Column("passkey_handle", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("accounts_user") as user:
        user.alter_column("passkey_handle", server_default=None)
    op.create_table(
        "accounts_passkey",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("credential", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("syncable", sa.Boolean(), nullable=False),
        sa.Column("synced", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_accounts_passkey"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name="fk_accounts_passkey_user_id"),
        sa.UniqueConstraint("credential", name="uq_accounts_passkey_credential"),
    )
    op.create_index("ix_accounts_passkey_user_id", "accounts_passkey", ["user_id"])
    op.create_table(
        "accounts_challenge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts_challenge"),
        sa.UniqueConstraint("digest", name="uq_accounts_challenge_digest"),
    )
    op.create_index("ix_accounts_challenge_expires_at", "accounts_challenge", ["expires_at"])
    op.create_index("ix_registration_application_asked", "registration_application", ["forum_id", "asked_at"])


def downgrade() -> None:
    """Back. Half logins of those who have a passkey alone end by themselves in ten minutes."""
    op.drop_index("ix_registration_application_asked", "registration_application")
    op.drop_table("accounts_challenge")
    op.drop_table("accounts_passkey")
    with op.batch_alter_table("accounts_user") as user:
        for name in ("passkey_since", "passkey_handle"):
            user.drop_column(name)
