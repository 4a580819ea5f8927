"""the edition of a forum's terms; whether a person turned an offered seat down"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261122_1910"
down_revision: str | None = "20261122_1900"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward. What stands is the first edition; nobody could turn an offer down so far."""
    with op.batch_alter_table("registration_terms") as terms:
        terms.add_column(sa.Column("edition", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("registration_terms") as terms:
        terms.alter_column("edition", existing_type=sa.Integer(), existing_nullable=False, server_default=None)
    with op.batch_alter_table("registration_application") as people:
        people.add_column(sa.Column("turned_down", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("registration_application") as people:
        people.alter_column("turned_down", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("registration_application") as people:
        people.drop_column("turned_down")
    with op.batch_alter_table("registration_terms") as terms:
        terms.drop_column("edition")
