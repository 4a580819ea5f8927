"""how often a server answered about a mail itself"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261122_2140"
down_revision: str | None = "20261122_2105"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward. Attempts so far are taken for answers, as they were."""
    with op.batch_alter_table("mail_message") as messages:
        messages.add_column(sa.Column("answered", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE mail_message SET answered = attempts")
    with op.batch_alter_table("mail_message") as messages:
        messages.alter_column("answered", existing_type=sa.Integer(), existing_nullable=False, server_default=None)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("mail_message") as messages:
        messages.drop_column("answered")
