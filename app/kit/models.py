"""The table of scopes, a row per forum and one for the site: what a pen locks and published bytes are keyed by."""

from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING


class Scope(SQLModel, table=True):
    """A forum's slug or "site"; `revision` grows with every change of what is published in it."""

    __tablename__ = "kit_scope"

    name: str = Field(primary_key=True)
    revision: int = 0
