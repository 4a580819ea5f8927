"""accounts: when a login was last used"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261130_0710"
down_revision: str | None = "20261130_0700"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward: a login that is open counts as used when it was made."""
    op.add_column("accounts_login", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back: a login lasts its two weeks whether it is used or not."""
    with op.batch_alter_table("accounts_login") as login:
        login.drop_column("seen_at")
