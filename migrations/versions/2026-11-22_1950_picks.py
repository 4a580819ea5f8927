"""picks: the sessions people choose, and the places of those that ask for sign-up"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261122_1950"
down_revision: str | None = "20261122_1940"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "registration_pick",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("session_uid", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("admitted", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registration_pick"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["registration_application.id"], name="fk_registration_pick_application_id"
        ),
        sa.UniqueConstraint("application_id", "session_uid", name="uq_registration_pick_application_id_session_uid"),
        sa.UniqueConstraint("session_uid", "number", name="uq_registration_pick_session_uid_number"),
        sa.CheckConstraint(
            "(number IS NOT NULL) = (state = 'seated')", name=op.f("ck_registration_pick_seated_on_a_place")
        ),
    )
    op.create_table(
        "registration_pick_list",
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name="pk_registration_pick_list"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["registration_application.id"], name="fk_registration_pick_list_application_id"
        ),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("registration_pick_list")
    op.drop_table("registration_pick")
