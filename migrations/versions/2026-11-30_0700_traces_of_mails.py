"""mail: in which trace a message was written, where traces are sent"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261130_0700"
down_revision: str | None = "20261129_1110"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.add_column("mail_message", sa.Column("trace", sa.String(), nullable=True))


def downgrade() -> None:
    """Back: mail that waits leaves all the same."""
    with op.batch_alter_table("mail_message") as message:
        message.drop_column("trace")
