"""the table of registrations: keys to sort by, views, notes, tags, many at once"""

from collections.abc import Sequence
from types import SimpleNamespace

import sqlalchemy as sa
from alembic import op

from app.registration.people import sort_columns

revision: str = "20261129_1000"
down_revision: str | None = "20261129_0900"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KEYS = ("sort_name", "sort_name_km", "sort_institution")
NAMES = ("family_name", "given_name", "display_name", "name_km", "institution", "attends_as")
QUEUE = "ix_registration_application_queue"
ORDERS = {
    "group": ["forum_id", "category_id", "id"],
    "name": ["forum_id", "sort_name", "id"],
    "name_km": ["forum_id", "sort_name_km", "id"],
    "institution": ["forum_id", "sort_institution", "id"],
}


def upgrade() -> None:
    """Forward. Everybody who is there gets their keys; whoever was erased stands behind everybody."""
    with op.batch_alter_table("registration_application") as people:
        for name in KEYS:
            people.add_column(sa.Column(name, sa.LargeBinary(), nullable=True))
    _fill()
    with op.batch_alter_table("registration_application") as people:
        for name in KEYS:
            people.alter_column(name, existing_type=sa.LargeBinary(), nullable=False)
        people.drop_index(QUEUE)
        people.create_index(QUEUE, ["forum_id", "state", "category_id", "id"])
        for name, columns in ORDERS.items():
            people.create_index(f"ix_registration_application_{name}", columns)
    op.create_table(
        "registration_tag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_normal", sa.String(), nullable=False),
        sa.Column("letter", sa.String(), nullable=False),
        sa.Column("tone", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registration_tag"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_registration_tag_forum_id"),
        sa.UniqueConstraint("forum_id", "name_normal", name="uq_registration_tag_forum_id_name_normal"),
    )
    op.create_table(
        "registration_tagged",
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("application_id", "tag_id", name="pk_registration_tagged"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["registration_application.id"], name="fk_registration_tagged_application_id"
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["registration_tag.id"], name="fk_registration_tagged_tag_id"),
    )
    op.create_index("ix_registration_tagged_tag_id", "registration_tagged", ["tag_id"])
    op.create_table(
        "registration_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registration_note"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["registration_application.id"], name="fk_registration_note_application_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name="fk_registration_note_user_id"),
    )
    op.create_index("ix_registration_note_application_id", "registration_note", ["application_id"])
    op.create_table(
        "registration_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("usual", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_registration_view"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_registration_view_forum_id"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name="fk_registration_view_user_id"),
    )
    op.create_index("ix_registration_view_forum_id", "registration_view", ["forum_id"])
    op.create_index("ix_registration_view_user_id", "registration_view", ["user_id"])
    op.create_table(
        "registration_bulk",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_back_by", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_registration_bulk"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name="fk_registration_bulk_forum_id"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name="fk_registration_bulk_user_id"),
        sa.ForeignKeyConstraint(["taken_back_by"], ["accounts_user.id"], name="fk_registration_bulk_taken_back_by"),
        sa.UniqueConstraint("forum_id", "number", name="uq_registration_bulk_forum_id_number"),
    )
    op.create_index("ix_registration_bulk_state", "registration_bulk", ["state"])
    op.create_table(
        "registration_bulk_item",
        sa.Column("bulk_id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("fact", sa.Integer(), nullable=False),
        sa.Column("back", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("bulk_id", "application_id", name="pk_registration_bulk_item"),
        sa.ForeignKeyConstraint(["bulk_id"], ["registration_bulk.id"], name="fk_registration_bulk_item_bulk_id"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["registration_application.id"], name="fk_registration_bulk_item_application_id"
        ),
    )
    op.create_index("ix_registration_bulk_item_application_id", "registration_bulk_item", ["application_id"])


def _fill() -> None:
    columns = (sa.column("id", sa.Integer), *(sa.column(name, sa.String) for name in NAMES))
    keys = (sa.column(name, sa.LargeBinary) for name in KEYS)
    people = sa.table("registration_application", *columns, *keys)
    connection = op.get_bind()
    rows = connection.execute(sa.select(*columns).select_from(people)).mappings().all()
    written = [{"of": row["id"], **sort_columns(SimpleNamespace(**row))} for row in rows]
    if written:
        values = {name: sa.bindparam(name) for name in KEYS}
        connection.execute(sa.update(people).where(people.c.id == sa.bindparam("of")).values(**values), written)


def downgrade() -> None:
    """Back."""
    for name in ("bulk_item", "bulk", "view", "note", "tagged", "tag"):
        op.drop_table(f"registration_{name}")
    with op.batch_alter_table("registration_application") as people:
        for name in ORDERS:
            people.drop_index(f"ix_registration_application_{name}")
        people.drop_index(QUEUE)
        people.create_index(QUEUE, ["forum_id", "state", "category_id"])
    with op.batch_alter_table("registration_application") as people:
        for name in KEYS:
            people.drop_column(name)
