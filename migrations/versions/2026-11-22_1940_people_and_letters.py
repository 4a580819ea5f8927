"""people: stated name order, companions, merges, pairs that are two people; letters made for a passport"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261122_1940"
down_revision: str | None = "20261122_1930"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
_LINKS = ("accompanies_id", "merged_into_id")


def upgrade() -> None:
    """Forward. Nobody has said an order of names so far."""
    with op.batch_alter_table("registration_application") as people:
        people.add_column(sa.Column("name_order", sa.String(), nullable=False, server_default=""))
        for name in _LINKS:
            people.add_column(sa.Column(name, sa.Integer(), nullable=True))
            people.create_foreign_key(f"fk_registration_application_{name}", "registration_application", [name], ["id"])
            people.create_index(f"ix_registration_application_{name}", [name])
    with op.batch_alter_table("registration_application") as people:
        people.alter_column("name_order", existing_type=sa.String(), existing_nullable=False, server_default=None)
    op.create_table(
        "registration_distinct",
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("first_id", "second_id", name="pk_registration_distinct"),
        sa.ForeignKeyConstraint(
            ["first_id"], ["registration_application.id"], name="fk_registration_distinct_first_id"
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["registration_application.id"], name="fk_registration_distinct_second_id"
        ),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_registration_distinct_forum_id"),
    )
    op.create_index("ix_registration_distinct_second_id", "registration_distinct", ["second_id"])
    op.create_index("ix_registration_distinct_forum_id", "registration_distinct", ["forum_id"])
    op.create_table(
        "registration_letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("request_key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("passport_name", sa.String(), nullable=False),
        sa.Column("passport_number", sa.String(), nullable=False),
        sa.Column("nationality", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_registration_letter"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_registration_letter_forum_id"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["registration_application.id"], name="fk_registration_letter_application_id"
        ),
        sa.UniqueConstraint("forum_id", "number", name="uq_registration_letter_forum_id_number"),
        sa.UniqueConstraint("forum_id", "code", name="uq_registration_letter_forum_id_code"),
        sa.UniqueConstraint("forum_id", "request_key", name="uq_registration_letter_forum_id_request_key"),
    )
    op.create_index("ix_registration_letter_application_id", "registration_letter", ["application_id"])


def downgrade() -> None:
    """Back. Who accompanied whom and what was joined with what is forgotten."""
    op.drop_table("registration_letter")
    op.drop_table("registration_distinct")
    with op.batch_alter_table("registration_application") as people:
        for name in _LINKS:
            people.drop_index(f"ix_registration_application_{name}")
            people.drop_constraint(f"fk_registration_application_{name}", type_="foreignkey")
            people.drop_column(name)
        people.drop_column("name_order")
