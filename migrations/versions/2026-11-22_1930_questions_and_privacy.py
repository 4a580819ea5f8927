"""questions with their answers, files and consents; the day on which sensitive answers go; erased registrations"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261122_1930"
down_revision: str | None = "20261122_1910"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward. Who agreed before has no wording kept: none is made up."""
    op.create_table(
        "registration_question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("label", sa.JSON(), nullable=False),
        sa.Column("help", sa.JSON(), nullable=False),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("shown_if", sa.String(), nullable=False),
        sa.Column("shown_for", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registration_question"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_registration_question_forum_id"),
        sa.UniqueConstraint("forum_id", "code", name="uq_registration_question_forum_id_code"),
    )
    op.create_table(
        "registration_answer",
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("application_id", "question_id", name="pk_registration_answer"),
        *_keys("registration_answer"),
    )
    op.create_table(
        "registration_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registration_file"),
        *_keys("registration_file"),
        sa.UniqueConstraint("application_id", "question_id", name="uq_registration_file_application_id_question_id"),
    )
    op.create_table(
        "registration_consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=True),
        sa.Column("wording", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_registration_consent"),
        *_keys("registration_consent"),
    )
    op.create_index("ix_registration_consent_application_id", "registration_consent", ["application_id"])
    with op.batch_alter_table("registration_terms") as terms:
        terms.add_column(sa.Column("retention_on", sa.Date(), nullable=True))
    with op.batch_alter_table("registration_application") as people:
        people.add_column(sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))


def _keys(name: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(["application_id"], ["registration_application.id"], name=f"fk_{name}_application_id"),
        sa.ForeignKeyConstraint(["question_id"], ["registration_question.id"], name=f"fk_{name}_question_id"),
    )


def downgrade() -> None:
    """Back. Answers, files and consents have no place in the older form."""
    with op.batch_alter_table("registration_application") as people:
        people.drop_column("erased_at")
    with op.batch_alter_table("registration_terms") as terms:
        terms.drop_column("retention_on")
    for name in ("consent", "file", "answer", "question"):
        op.drop_table(f"registration_{name}")
