"""operation: signs of life of the worker"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_1100"
down_revision: str | None = "20261129_1050"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "kit_heartbeat",
        sa.Column("duty", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("every_seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("duty", name="pk_kit_heartbeat"),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("kit_heartbeat")
