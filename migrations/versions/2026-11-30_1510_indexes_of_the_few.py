"""registration: what few rows say is indexed for those alone, and when a held seat is to be confirmed by"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261130_1510"
down_revision: str | None = "20261130_0710"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_FEW = {
    "registration_application": ("invitation_id", "delegation_id", "accompanies_id", "merged_into_id"),
    "registration_seat": ("hold_back_id", "invitation_id", "delegation_id"),
}
_DUE = "ix_registration_application_due"


def upgrade() -> None:
    """Forward: nothing is asked of them but by a value, so no row without one need stand in them."""
    for table, columns in _FEW.items():
        for column in columns:
            op.drop_index(f"ix_{table}_{column}", table)
            said = sa.text(f"{column} IS NOT NULL")
            op.create_index(f"ix_{table}_{column}", table, [column], postgresql_where=said, sqlite_where=said)
    open_still = sa.text("confirm_by IS NOT NULL AND confirmed_at IS NULL")
    columns = ["forum_id", "confirm_by"]
    op.create_index(_DUE, "registration_application", columns, postgresql_where=open_still, sqlite_where=open_still)


def downgrade() -> None:
    """Back: every row stands in each."""
    op.drop_index(_DUE, "registration_application")
    for table, columns in _FEW.items():
        for column in columns:
            op.drop_index(f"ix_{table}_{column}", table)
            op.create_index(f"ix_{table}_{column}", table, [column])
