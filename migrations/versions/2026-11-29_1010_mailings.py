"""mailings: a forum's own words, mails to a segment, opt-outs, attempts, resends and bounces"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_1010"
down_revision: str | None = "20261129_1000"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("mail_message") as message:
        message.add_column(sa.Column("batch", sa.String(), nullable=True))
        message.add_column(sa.Column("bulk", sa.Boolean(), nullable=False, server_default=sa.false()))
        message.add_column(sa.Column("resend_of", sa.Integer(), nullable=True))
        message.add_column(sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True))
        message.add_column(sa.Column("bounce", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("mail_message") as message:
        message.alter_column("bulk", server_default=None)
        message.alter_column("bounce", server_default=None)
        message.create_unique_constraint("uq_mail_message_batch_subject", ["batch", "subject"])
        message.create_index("ix_mail_message_address", ["forum", "to_address"])
        message.create_index("ix_mail_message_bulk", ["bulk", "claimed_at"])
    op.create_table(
        "mail_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mail_attempt"),
        sa.ForeignKeyConstraint(["message_id"], ["mail_message.id"], name="fk_mail_attempt_message_id"),
    )
    op.create_index("ix_mail_attempt_message_id", "mail_attempt", ["message_id"])
    op.create_table(
        "correspondence_own_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("template", "wording")),
        sa.Column("edition", sa.Integer(), nullable=False),
        *(sa.Column(f"{part}_{lang}", sa.String(), nullable=False) for part in PARTS for lang in ("en", "km")),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_correspondence_own_words"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_correspondence_own_words_forum_id"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name="fk_correspondence_own_words_user_id"),
        sa.UniqueConstraint(
            "forum_id",
            "template",
            "wording",
            "edition",
            name="uq_correspondence_own_words_forum_id_template_wording_edition",
        ),
    )
    op.create_table(
        "correspondence_mailing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("name", "purpose")),
        sa.Column("essential", sa.Boolean(), nullable=False),
        *(sa.Column(f"{part}_{lang}", sa.String(), nullable=False) for part in PARTS for lang in ("en", "km")),
        sa.Column("segment", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("within", "queued", "opted_out", "left_out")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_correspondence_mailing"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_correspondence_mailing_forum_id"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name="fk_correspondence_mailing_user_id"),
        sa.UniqueConstraint("forum_id", "number", name="uq_correspondence_mailing_forum_id_number"),
    )
    op.create_index("ix_correspondence_mailing_send_at", "correspondence_mailing", ["send_at"])
    op.create_table(
        "correspondence_mailbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("opted_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_correspondence_mailbox"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_correspondence_mailbox_forum_id"),
        sa.UniqueConstraint("forum_id", "who", name="uq_correspondence_mailbox_forum_id_who"),
    )
    op.create_index("ix_correspondence_mailbox_digest", "correspondence_mailbox", ["digest"])


PARTS = ("subject", "text")


def downgrade() -> None:
    """Back. Mail of mailings that has not left does not: nothing could say what it is any more."""
    op.execute("UPDATE mail_message SET state = 'withheld' WHERE batch IS NOT NULL AND state IN ('queued', 'retrying')")
    for name in ("correspondence_mailbox", "correspondence_mailing", "correspondence_own_words", "mail_attempt"):
        op.drop_table(name)
    with op.batch_alter_table("mail_message") as message:
        message.drop_index("ix_mail_message_address")
        message.drop_index("ix_mail_message_bulk")
        message.drop_constraint("uq_mail_message_batch_subject", type_="unique")
        for name in ("batch", "bulk", "resend_of", "bounced_at", "bounce"):
            message.drop_column(name)
