"""api: tokens, answers kept for requests that are sent again, webhooks and what they deliver"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261129_1020"
down_revision: str | None = "20261129_1010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "forum_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("ending", sa.String(), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_forum_token"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_forum_token_forum_id"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name="fk_forum_token_user_id"),
        sa.UniqueConstraint("digest", name="uq_forum_token_digest"),
    )
    op.create_index("ix_forum_token_forum_id", "forum_token", ["forum_id"])
    op.create_index("ix_forum_token_user_id", "forum_token", ["user_id"])
    op.create_table(
        "kit_given_answer",
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name="pk_kit_given_answer"),
    )
    op.create_index("ix_kit_given_answer_given_at", "kit_given_answer", ["given_at"])
    op.create_table(
        "forum_webhook",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("families", sa.JSON(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_forum_webhook"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_forum_webhook_forum_id"),
    )
    op.create_index("ix_forum_webhook_forum_id", "forum_webhook", ["forum_id"])
    op.create_table(
        "forum_delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_forum_delivery"),
        sa.ForeignKeyConstraint(["webhook_id"], ["forum_webhook.id"], name="fk_forum_delivery_webhook_id"),
        sa.UniqueConstraint("message", name="uq_forum_delivery_message"),
    )
    op.create_index("ix_forum_delivery_webhook_id", "forum_delivery", ["webhook_id"])
    op.create_index("ix_forum_delivery_due", "forum_delivery", ["state", "due_at"])


def downgrade() -> None:
    """Back."""
    op.drop_table("forum_delivery")
    op.drop_table("forum_webhook")
    op.drop_table("kit_given_answer")
    op.drop_table("forum_token")
