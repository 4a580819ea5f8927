"""Alembic's environment: finds every room's tables and runs on the database that Sala is set to."""

from importlib import import_module
from pathlib import Path
from typing import Any

from alembic import context
from sqlalchemy import DateTime, String

from app.kit.tables import SQLModel

for path in sorted((Path(__file__).parent.parent / "app").glob("*/models.py")):
    import_module(f"app.{path.parent.name}.models")


def _plain(kind: str, item: Any, _context: Any) -> str | bool:
    """Columns in migrations are the database's own types, so that an old migration needs nothing of today's code."""
    if kind != "type" or type(item).__module__.startswith("sqlalchemy."):
        return False
    if isinstance(item, DateTime) or isinstance(getattr(item, "impl", None), DateTime):
        return "sa.DateTime(timezone=True)"
    return "sa.String()" if isinstance(getattr(item, "impl", item), String) else "sa.JSON()"


def run() -> None:
    """Migrate on the connection that was handed in; Sala's own command always hands one in."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=_plain,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
