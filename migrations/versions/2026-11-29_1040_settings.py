"""settings: changes of a forum's settings kept whole, and forums that are not public yet"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_1040"
down_revision: str | None = "20261129_1030"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward. Every forum there is stays public."""
    with op.batch_alter_table("forum_forum") as forum:
        forum.add_column(sa.Column("public", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("forum_forum") as forum:
        forum.alter_column("public", server_default=None)
    op.create_table(
        "forum_setting_edit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_forum_setting_edit"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_forum_setting_edit_forum_id"),
    )
    op.create_index("ix_forum_setting_edit_forum_id", "forum_setting_edit", ["forum_id"])


def downgrade() -> None:
    """Back. A forum that is not public would be: it stays so only while nobody knows its address, so it is not lost."""
    op.drop_table("forum_setting_edit")
    with op.batch_alter_table("forum_forum") as forum:
        forum.drop_column("public")
