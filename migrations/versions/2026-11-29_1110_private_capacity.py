"""registrations: no list is searched or sorted by the institution of whoever attends in a private capacity"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.registration.people import searched_by, sort_columns

revision: str = "20261129_1110"
down_revision: str | None = "20261129_1100"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

NAMES = ("family_name", "given_name", "display_name", "name_km", "institution", "attends_as")
PEOPLE = sa.table(
    "registration_application",
    *(sa.column(name, sa.String) for name in (*NAMES, "name_search")),
    sa.column("id", sa.Integer),
    sa.column("sort_institution", sa.LargeBinary),
    sa.column("erased_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    """Forward."""
    connection = op.get_bind()
    private = sa.and_(PEOPLE.c.attends_as == "private", PEOPLE.c.erased_at.is_(None))
    for row in connection.execute(sa.select(PEOPLE).where(private)).all():
        searched = searched_by(row._mapping)  # noqa: SLF001 - its public name
        values = {"name_search": searched, "sort_institution": sort_columns(row)["sort_institution"]}
        connection.execute(sa.update(PEOPLE).where(PEOPLE.c.id == row.id).values(**values))


def downgrade() -> None:
    """Nothing goes back: the next correction writes both anew."""
