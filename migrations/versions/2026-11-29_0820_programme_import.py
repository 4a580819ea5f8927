"""edits made together; what kind of voice a speaker is"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_0820"
down_revision: str | None = "20261129_0730"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.add_column("programme_revision", sa.Column("together", sa.Integer(), nullable=True))
    op.create_index("ix_programme_revision_together", "programme_revision", ["forum_id", "together"])
    op.add_column("programme_speaker", sa.Column("kind", sa.String(), nullable=True))


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("programme_speaker") as speaker:
        speaker.drop_column("kind")
    op.drop_index("ix_programme_revision_together", "programme_revision")
    with op.batch_alter_table("programme_revision") as kept:
        kept.drop_column("together")
