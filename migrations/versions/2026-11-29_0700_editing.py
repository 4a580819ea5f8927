"""the programme's editor: history of its sessions, reasons for conflicts, who has a form open"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_0700"
down_revision: str | None = "20261122_2140"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "programme_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("session_uid", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name=op.f("fk_programme_revision_forum_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_revision")),
    )
    op.create_index("ix_programme_revision_session", "programme_revision", ["forum_id", "session_uid"])
    op.create_table(
        "programme_override",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("codes", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name=op.f("fk_programme_override_forum_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_override")),
        sa.UniqueConstraint(
            "forum_id", "kind", "codes", "place", name=op.f("uq_programme_override_forum_id_kind_codes_place")
        ),
    )
    op.create_table(
        "programme_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("session_uid", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name=op.f("fk_programme_mark_forum_id")),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name=op.f("fk_programme_mark_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_mark")),
        sa.UniqueConstraint(
            "forum_id", "session_uid", "user_id", name=op.f("uq_programme_mark_forum_id_session_uid_user_id")
        ),
    )


def downgrade() -> None:
    """Back. What was kept of edits, reasons and open forms is lost."""
    op.drop_table("programme_mark")
    op.drop_table("programme_override")
    op.drop_index("ix_programme_revision_session", table_name="programme_revision")
    op.drop_table("programme_revision")
