"""Bringing a database to the newest schema, with Alembic."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from app.kit.db import Database, Db

MIGRATIONS = Path(__file__).parent.parent.parent / "migrations"


def newest() -> str:
    """The revision of the newest migration: their file names are dated and they have one line of descent."""
    last = max(path.stem for path in (MIGRATIONS / "versions").glob("*_*.py"))
    day, hour, _ = last.split("_", 2)
    return f"{day.replace('-', '')}_{hour}"


def revision_of(db: Db) -> str | None:
    """The revision that the database has, or None where it was never migrated."""
    known = inspect(db.connection()).has_table("alembic_version")
    return db.execute(text("SELECT version_num FROM alembic_version")).scalar() if known else None


def _alembic(connection: Connection) -> Any:
    from alembic.config import Config  # noqa: PLC0415 - 0.2 s that a running site never needs

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(year)d-%%(month).2d-%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def migrate(database: Database, to: str = "head") -> None:
    """Upgrade to `to`. Harmless where nothing is new, and quick: Alembic is not even read then."""
    if to == "head" and database.read(revision_of) == newest():
        return
    from alembic import command  # noqa: PLC0415 - see _alembic

    with _unbound(database) as connection:
        command.upgrade(_alembic(connection), to)


def downgrade(database: Database, to: str) -> None:
    """Go back to `to` ("base": no tables at all)."""
    from alembic import command  # noqa: PLC0415 - see _alembic

    with _unbound(database) as connection:
        command.downgrade(_alembic(connection), to)


@contextmanager
def _unbound(database: Database) -> Iterator[Connection]:
    """A transaction that may rebuild a table others point at.

    SQLite changes most of a table by making it anew under the old name; with foreign keys on, dropping the old one
    would take every row that points at it for orphaned. So they are off meanwhile, and checked before the commit.
    """
    with database.write_engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if not database.is_sqlite:
            with connection.begin():
                yield connection
            return
        driver.execute("PRAGMA foreign_keys=OFF")  # only outside a transaction does it do anything
        try:
            with connection.begin():
                yield connection
                if orphans := driver.execute("PRAGMA foreign_key_check").fetchall():
                    raise ValueError(f"the migration leaves rows that point at nothing: {orphans[:5]}")
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


def differences(database: Database) -> list[Any]:
    """What the models have that the migrated schema has not, or the other way round; empty where they agree."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - see _alembic
    from alembic.migration import MigrationContext  # noqa: PLC0415 - see _alembic
    from sqlmodel import SQLModel  # noqa: PLC0415 - only this check needs all models

    with database.write_engine.connect() as connection:
        found: list[Any] = compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)
        return found


def write_migration(database: Database, message: str) -> None:
    """Write a new migration from what the models have and the schema has not."""
    from alembic import command  # noqa: PLC0415 - see _alembic

    with database.write_engine.begin() as connection:
        command.revision(_alembic(connection), message=message, autogenerate=True)
