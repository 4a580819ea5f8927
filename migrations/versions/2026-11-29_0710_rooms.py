"""how rooms are set up, and how long it takes to set them up otherwise"""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "20261129_0710"
down_revision: str | None = "20261129_0700"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward. Rooms so far stand in rows, with the usual time to set them up anew."""
    with op.batch_alter_table("forum_meeting_room") as rooms:
        rooms.add_column(
            sa.Column("setup", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default="theatre")
        )
        rooms.add_column(sa.Column("changeover_minutes", sa.Integer(), nullable=False, server_default="15"))
        rooms.add_column(sa.Column("edition", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("forum_meeting_room") as rooms:
        rooms.alter_column("setup", existing_type=sa.String(), existing_nullable=False, server_default=None)
        for name in ("changeover_minutes", "edition"):
            rooms.alter_column(name, existing_type=sa.Integer(), existing_nullable=False, server_default=None)
    op.create_table(
        "forum_room_setup",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("setup", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["forum_meeting_room.id"], name=op.f("fk_forum_room_setup_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forum_room_setup")),
        sa.UniqueConstraint("room_id", "setup", name=op.f("uq_forum_room_setup_room_id_setup")),
    )
    with op.batch_alter_table("programme_session") as sessions:
        sessions.add_column(sa.Column("setup", sqlmodel.sql.sqltypes.AutoString(), nullable=True))


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("programme_session") as sessions:
        sessions.drop_column("setup")
    op.drop_table("forum_room_setup")
    with op.batch_alter_table("forum_meeting_room") as rooms:
        for name in ("edition", "changeover_minutes", "setup"):
            rooms.drop_column(name)
