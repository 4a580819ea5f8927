"""The table of how far each reaction has come."""

from app.kit.tables import Field, SQLModel


class Cursor(SQLModel, table=True):
    """How far a reaction has come in one forum's facts: all up to `number` are done, and of the one that follows
    everybody up to the id `within`."""

    __tablename__ = "jobs_cursor"

    reaction: str = Field(primary_key=True)
    forum_id: int = Field(primary_key=True, foreign_key="forum_forum.id")
    number: int
    within: int = 0
