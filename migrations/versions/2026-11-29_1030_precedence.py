"""precedence: the ladder, people's ranks, the head table, final lists of participants"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_1030"
down_revision: str | None = "20261129_1020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "registration_ladder",
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("alphabet", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("forum_id", name="pk_registration_ladder"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_registration_ladder_forum_id"),
    )
    op.create_table(
        "registration_rung",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("titles", sa.JSON(), nullable=False),
        sa.Column("functions", sa.JSON(), nullable=False),
        sa.Column("heads", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registration_rung"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_registration_rung_forum_id"),
        sa.UniqueConstraint("forum_id", "code", name="uq_registration_rung_forum_id_code"),
    )
    op.create_table(
        "registration_rank",
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("rung_id", sa.Integer(), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name="pk_registration_rank"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["registration_application.id"], name="fk_registration_rank_application_id"
        ),
        sa.ForeignKeyConstraint(["rung_id"], ["registration_rung.id"], name="fk_registration_rank_rung_id"),
    )
    op.create_index("ix_registration_rank_rung_id", "registration_rank", ["rung_id"])
    op.create_table(
        "registration_head_table",
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("shape", sa.String(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("forum_id", name="pk_registration_head_table"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_registration_head_table_forum_id"),
    )
    op.create_table(
        "registration_table_guest",
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name="pk_registration_table_guest"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["registration_application.id"], name="fk_registration_table_guest_application_id"
        ),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_registration_table_guest_forum_id"),
        sa.UniqueConstraint("forum_id", "seat", name="uq_registration_table_guest_forum_id_seat"),
    )
    op.create_table(
        "registration_kept_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("layout", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registration_kept_list"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_registration_kept_list_forum_id"),
        sa.UniqueConstraint("forum_id", "number", name="uq_registration_kept_list_forum_id_number"),
    )
    op.create_table(
        "registration_kept_line",
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("list_id", "position", name="pk_registration_kept_line"),
        sa.ForeignKeyConstraint(["list_id"], ["registration_kept_list.id"], name="fk_registration_kept_line_list_id"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["registration_application.id"], name="fk_registration_kept_line_application_id"
        ),
    )
    op.create_index("ix_registration_kept_line_application_id", "registration_kept_line", ["application_id"])


def downgrade() -> None:
    """Back."""
    for name in ("kept_line", "kept_list", "table_guest", "head_table", "rank", "rung", "ladder"):
        op.drop_table(f"registration_{name}")
