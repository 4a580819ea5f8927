"""The table of scopes, a row per forum and one for the site: what a pen locks and published bytes are keyed by."""

from app.kit.tables import Field, SQLModel


class Scope(SQLModel, table=True):
    """A forum's slug or "site"; `revision` grows with every change of what is published in it."""

    __tablename__ = "kit_scope"

    name: str = Field(primary_key=True)
    revision: int = 0
