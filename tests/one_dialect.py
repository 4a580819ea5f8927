"""One SQLite dialect and one cache of compiled statements for every database of a worker.

Each test has a database of its own and so engines of its own, and each engine would compile every statement anew: a
third of the time of all tests. What is compiled belongs to the dialect, so the engines share one.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_COMPILED: LRUCache[Any, Any] = LRUCache(4000)


class OneSQLite(SQLiteDialect_pysqlite):
    """SQLAlchemy's own dialect for SQLite, made once."""

    supports_statement_cache = True
    _one: "OneSQLite | None" = None

    def __new__(cls, **_options: Any) -> "OneSQLite":
        if cls._one is None:
            cls._one = super().__new__(cls)
        return cls._one

    def __init__(self, **options: Any) -> None:
        if "name" not in vars(self):
            super().__init__(**options)
            self.name = "sqlite"

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_COMPILED)


def install() -> None:
    """From now on engines for SQLite in this process share it."""
    registry.register("sqlite", __name__, OneSQLite.__name__)
