"""access: the kind of browser of a login"""

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
    with op.batch_alter_table("accounts_login") as login:
        login.alter_column("browser", server_default=None)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("accounts_login") as login:
        login.drop_column("browser")
