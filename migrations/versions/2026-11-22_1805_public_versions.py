"""public versions: which version everybody is told that the programme is, and of when"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261122_1805"
down_revision: str | None = "20261122_1500"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward: what was published so far was told under its own number."""
    with op.batch_alter_table("programme_version") as versions:
        versions.add_column(sa.Column("public_number", sa.Integer(), nullable=True))
        versions.add_column(sa.Column("public_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE programme_version SET public_number = number, public_at = published_at")
    with op.batch_alter_table("programme_version") as versions:
        versions.alter_column("public_number", existing_type=sa.Integer(), nullable=False)
        versions.alter_column("public_at", existing_type=sa.DateTime(timezone=True), nullable=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("programme_version") as versions:
        versions.drop_column("public_at")
        versions.drop_column("public_number")
