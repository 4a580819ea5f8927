"""the heads of the chains of facts, kept beside them"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261122_2105"
down_revision: str | None = "20261122_1950"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward. Where a chain ends now is its head."""
    op.create_table(
        "audit_head",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_audit_head"),
    )
    op.execute(
        "INSERT INTO audit_head (scope, number, hash) SELECT scope, number, hash FROM audit_fact AS last "
        "WHERE number = (SELECT max(number) FROM audit_fact WHERE audit_fact.scope = last.scope)"
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("audit_head")
