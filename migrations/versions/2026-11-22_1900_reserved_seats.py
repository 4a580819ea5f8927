"""reserved seats: hold-backs, invitations, delegations; classes of badges outside the hall; times per category"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "20261122_1900"
down_revision: str | None = "20261122_1805"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward. Every seat so far is one in the hall."""
    op.create_table(
        "registration_hold_back",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("release_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *_keys("registration_hold_back"),
    )
    op.create_index("ix_registration_hold_back_forum_id", "registration_hold_back", ["forum_id"])
    op.create_table(
        "registration_invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("reserves", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("titles", sa.JSON(), nullable=False),
        sa.Column("family_name", sa.String(), nullable=False),
        sa.Column("given_name", sa.String(), nullable=False),
        sa.Column("name_km", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("position_title", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("reply_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        *_keys("registration_invitation"),
        sa.UniqueConstraint("forum_id", "code", name="uq_registration_invitation_forum_id_code"),
    )
    op.create_index("ix_registration_invitation_digest", "registration_invitation", ["digest"])
    op.create_table(
        "registration_delegation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forum_id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("institution_km", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("uneven_reason", sa.String(), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("focal_name", sa.String(), nullable=False),
        sa.Column("focal_email", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("feed_generation", sa.Integer(), nullable=False),
        sa.Column("feed_digest", sa.String(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        *_keys("registration_delegation"),
        sa.UniqueConstraint("forum_id", "code", name="uq_registration_delegation_forum_id_code"),
    )
    op.create_index("ix_registration_delegation_digest", "registration_delegation", ["digest"])
    op.create_index("ix_registration_delegation_feed_digest", "registration_delegation", ["feed_digest"])
    with op.batch_alter_table("registration_category") as categories:
        categories.add_column(sa.Column("in_hall", sa.Boolean(), nullable=False, server_default=sa.true()))
        categories.add_column(sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True))
        categories.add_column(sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("registration_category") as categories:
        categories.alter_column("in_hall", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
    with op.batch_alter_table("registration_application") as people:
        people.add_column(sa.Column("invitation_id", sa.Integer(), nullable=True))
        people.add_column(sa.Column("delegation_id", sa.Integer(), nullable=True))
        people.add_column(sa.Column("heads_delegation", sa.Boolean(), nullable=False, server_default=sa.false()))
        for name in ("invitation", "delegation"):
            people.create_foreign_key(
                f"fk_registration_application_{name}_id", f"registration_{name}", [f"{name}_id"], ["id"]
            )
            people.create_index(f"ix_registration_application_{name}_id", [f"{name}_id"])
    with op.batch_alter_table("registration_application") as people:
        people.alter_column(
            "heads_delegation", existing_type=sa.Boolean(), existing_nullable=False, server_default=None
        )
    with op.batch_alter_table("registration_seat") as seats:
        seats.add_column(sa.Column("outside", sa.Boolean(), nullable=False, server_default=sa.false()))
        for name in ("hold_back", "invitation", "delegation"):
            seats.add_column(sa.Column(f"{name}_id", sa.Integer(), nullable=True))
            seats.create_foreign_key(f"fk_registration_seat_{name}_id", f"registration_{name}", [f"{name}_id"], ["id"])
            seats.create_index(f"ix_registration_seat_{name}_id", [f"{name}_id"])
        seats.alter_column("number", existing_type=sa.Integer(), nullable=True)
        seats.drop_column("purpose")
    with op.batch_alter_table("registration_seat") as seats:
        seats.alter_column("outside", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
        seats.create_check_constraint(op.f("ck_registration_seat_place_or_outside"), "(number IS NULL) = outside")


def _keys(name: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["forum_id"], ["forum_forum.id"], name=f"fk_{name}_forum_id"),
        sa.ForeignKeyConstraint(["category_id"], ["registration_category.id"], name=f"fk_{name}_category_id"),
    )


def downgrade() -> None:
    """Back. What was outside the hall or reserved for nobody yet has no row in the older form."""
    op.execute("DELETE FROM registration_seat WHERE outside OR application_id IS NULL")
    with op.batch_alter_table("registration_seat") as seats:
        seats.drop_constraint(op.f("ck_registration_seat_place_or_outside"), type_="check")
        for name in ("delegation", "invitation", "hold_back"):
            seats.drop_index(f"ix_registration_seat_{name}_id")
            seats.drop_constraint(f"fk_registration_seat_{name}_id", type_="foreignkey")
            seats.drop_column(f"{name}_id")
        seats.drop_column("outside")
        seats.alter_column("number", existing_type=sa.Integer(), nullable=False)
        seats.add_column(sa.Column("purpose", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("registration_application") as people:
        for name in ("delegation", "invitation"):
            people.drop_index(f"ix_registration_application_{name}_id")
            people.drop_constraint(f"fk_registration_application_{name}_id", type_="foreignkey")
            people.drop_column(f"{name}_id")
        people.drop_column("heads_delegation")
    with op.batch_alter_table("registration_category") as categories:
        categories.drop_column("closes_at")
        categories.drop_column("opens_at")
        categories.drop_column("in_hall")
    op.drop_table("registration_delegation")
    op.drop_table("registration_invitation")
    op.drop_table("registration_hold_back")
