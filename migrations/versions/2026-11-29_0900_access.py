"""access: the kind of browser of a login, the second factor, a forum that asks for it"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_0900"
down_revision: str | None = "20261129_0850"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("accounts_login") as login:
        login.add_column(sa.Column("browser", sa.String(), nullable=False, server_default=""))
        login.add_column(sa.Column("half", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("accounts_login") as login:
        login.alter_column("browser", server_default=None)
        login.alter_column("half", server_default=None)
    with op.batch_alter_table("accounts_user") as user:
        user.add_column(sa.Column("factor", sa.String(), nullable=False, server_default=""))
        user.add_column(sa.Column("factor_since", sa.DateTime(timezone=True), nullable=True))
        user.add_column(sa.Column("factor_step", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("accounts_user") as user:
        user.alter_column("factor", server_default=None)
        user.alter_column("factor_step", server_default=None)
    with op.batch_alter_table("forum_forum") as forum:
        forum.add_column(sa.Column("second_factor", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("forum_forum") as forum:
        forum.alter_column("second_factor", server_default=None)
    op.create_table(
        "accounts_recovery_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_accounts_recovery_code"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name="fk_accounts_recovery_code_user_id"),
        sa.UniqueConstraint("user_id", "digest", name="uq_accounts_recovery_code_user_id_digest"),
    )


def downgrade() -> None:
    """Back. Logins that owe their second factor end: they would be whole otherwise."""
    op.execute("DELETE FROM accounts_login WHERE half")
    op.drop_table("accounts_recovery_code")
    with op.batch_alter_table("forum_forum") as forum:
        forum.drop_column("second_factor")
    with op.batch_alter_table("accounts_user") as user:
        for name in ("factor", "factor_since", "factor_step"):
            user.drop_column(name)
    with op.batch_alter_table("accounts_login") as login:
        login.drop_column("half")
        login.drop_column("browser")
