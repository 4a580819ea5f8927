"""speakers: what they were asked and answered, photographs, the desk's own calendars"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_0850"
down_revision: str | None = "20261129_0840"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("programme_speaker") as speaker:
        # a name that stands in the programme today has been announced
        speaker.add_column(sa.Column("announced", sa.Boolean(), nullable=False, server_default=sa.true()))
        speaker.add_column(sa.Column("guest", sa.Boolean(), nullable=False, server_default=sa.false()))
        speaker.add_column(sa.Column("photo", sa.String(), nullable=True))
        speaker.add_column(sa.Column("edition", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("programme_speaker") as speaker:
        for name in ("announced", "guest", "edition"):
            speaker.alter_column(name, server_default=None)
    op.create_table(
        "programme_asking",
        sa.Column("speaker_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("feed_generation", sa.Integer(), nullable=False),
        sa.Column("feed_digest", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("away", sa.JSON(), nullable=False),
        sa.Column("away_note", sa.String(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("speaker_id", name="pk_programme_asking"),
        sa.ForeignKeyConstraint(["speaker_id"], ["programme_speaker.id"], name="fk_programme_asking_speaker_id"),
    )
    op.create_index("ix_programme_asking_digest", "programme_asking", ["digest"])
    op.create_index("ix_programme_asking_feed_digest", "programme_asking", ["feed_digest"])
    op.create_table(
        "programme_portrait",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("speaker", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_programme_portrait"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_programme_portrait_forum_id"),
        sa.UniqueConstraint("forum_id", "speaker", "digest", name="uq_programme_portrait_forum_id_speaker_digest"),
    )
    op.create_table(
        "programme_subscription",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_programme_subscription"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_programme_subscription_forum_id"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name="fk_programme_subscription_user_id"),
        sa.UniqueConstraint("forum_id", "user_id", name="uq_programme_subscription_forum_id_user_id"),
        sa.UniqueConstraint("digest", name="uq_programme_subscription_digest"),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("programme_subscription")
    op.drop_table("programme_portrait")
    op.drop_table("programme_asking")
    with op.batch_alter_table("programme_speaker") as speaker:
        for name in ("edition", "photo", "guest", "announced"):
            speaker.drop_column(name)
