"""materials: papers, slides and speeches with their release, and their files in pieces"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_0830"
down_revision: str | None = "20261129_0820"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "programme_material",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("session_uid", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("note", sa.JSON(), nullable=True),
        sa.Column("link", sa.String(), nullable=True),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("release_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announced", sa.Boolean(), nullable=False),
        sa.Column("against_delivery", sa.Boolean(), nullable=False),
        sa.Column("stays", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("request_key", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_programme_material"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_programme_material_forum_id"),
        sa.UniqueConstraint("forum_id", "code", name="uq_programme_material_forum_id_code"),
    )
    op.create_table(
        "programme_material_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("material_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_programme_material_file"),
        sa.ForeignKeyConstraint(
            ["material_id"], ["programme_material.id"], name="fk_programme_material_file_material_id"
        ),
        sa.UniqueConstraint("material_id", "language", name="uq_programme_material_file_material_id_language"),
    )
    op.create_table(
        "programme_material_piece",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("file_id", "number", name="pk_programme_material_piece"),
        sa.ForeignKeyConstraint(
            ["file_id"], ["programme_material_file.id"], name="fk_programme_material_piece_file_id"
        ),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("programme_material_piece")
    op.drop_table("programme_material_file")
    op.drop_table("programme_material")
