"""invitations by mail: the calendar entries that mails took along, the forum's own entry, and who has looked"""

import secrets
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_0840"
down_revision: str | None = "20261129_0830"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "registration_enclosure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_enclosure")),
        sa.UniqueConstraint("message_id", "uid", name=op.f("uq_registration_enclosure_message_id_uid")),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["registration_application.id"],
            name=op.f("fk_registration_enclosure_application_id"),
        ),
    )
    for column in ("application_id", "mailbox"):
        op.create_index(op.f(f"ix_registration_enclosure_{column}"), "registration_enclosure", [column])
    with op.batch_alter_table("registration_following") as following:
        following.alter_column("told", existing_type=sa.Integer(), nullable=True)
        following.add_column(sa.Column("looked", sa.Integer(), nullable=True))
    with op.batch_alter_table("forum_forum") as forums:
        forums.add_column(sa.Column("uid", sa.String(), nullable=True))
        forums.add_column(sa.Column("sequence", sa.Integer(), nullable=True))
        forums.add_column(sa.Column("slot_changed_at", sa.DateTime(timezone=True), nullable=True))
    link = op.get_bind()
    rows = sa.table("forum_forum", sa.column("id"), sa.column("uid"), sa.column("sequence"))
    for (forum,) in link.execute(sa.select(rows.c.id)).all():
        own = sa.update(rows).where(rows.c.id == forum)
        link.execute(own.values(uid=f"{secrets.token_hex(12)}@sala", sequence=0))
    with op.batch_alter_table("forum_forum") as forums:
        forums.alter_column("uid", existing_type=sa.String(), nullable=False)
        forums.alter_column("sequence", existing_type=sa.Integer(), nullable=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("forum_forum") as forums:
        for column in ("slot_changed_at", "sequence", "uid"):
            forums.drop_column(column)
    rows = sa.table("registration_following", sa.column("told"))
    op.get_bind().execute(sa.delete(rows).where(rows.c.told.is_(None)))
    with op.batch_alter_table("registration_following") as following:
        following.drop_column("looked")
        following.alter_column("told", existing_type=sa.Integer(), nullable=False)
    op.drop_table("registration_enclosure")
