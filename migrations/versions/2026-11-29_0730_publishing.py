"""publishing: how far reactions have come, and what people were told of a version"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_0730"
down_revision: str | None = "20261129_0710"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "jobs_cursor",
        sa.Column("reaction", sa.String(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("within", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("reaction", "forum_id", name="pk_jobs_cursor"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_jobs_cursor_forum_id"),
    )
    op.create_table(
        "registration_following",
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name="pk_registration_following"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["registration_application.id"], name="fk_registration_following_application_id"
        ),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("registration_following")
    op.drop_table("jobs_cursor")
