"""Rows that wait for the end of a transaction, to be written many in one statement (`app.kit.db.Db.later`)."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from graphlib import TopologicalSorter
from itertools import groupby
from typing import Any

from sqlalchemy import Insert, Table, insert

Row = dict[str, Any]
FEWEST_TO_COPY = 4
"""Rows of one table for which `kit.copying` is worth it: a COPY waits for the server twice."""
Write = Callable[[Any, list[Row]], None]
"""Writes rows with the `Db` it is given."""


class Waiting:
    """Rows by their table, in the order they came in."""

    __slots__ = ("others", "rows")

    def __init__(self) -> None:
        self.rows: dict[Table, list[Row]] = {}
        self.others: dict[Table, Write] = {}
        """How rows are written that are not simply inserted."""

    def __bool__(self) -> bool:
        return bool(self.rows)

    def add(self, table: Table, row: Row, write: Write | None = None) -> None:
        """One more; `write` says how all of its table are written."""
        if table in self.rows:
            self.rows[table].append(row)
            return
        self.rows[table] = [row]
        if write is not None:
            self.others[table] = write

    def append(self, later: "Waiting") -> None:
        """Those behind these."""
        for table, rows in later.rows.items():
            self.rows.setdefault(table, []).extend(rows)
        self.others |= later.others

    def has(self, tables: Iterable[Table], matters: Callable[[Row], bool]) -> bool:
        """Is there a row of one of these tables that matters?"""
        return any(matters(row) for table in tables for row in self.rows.get(table, ()))

    def write(self, db: Any) -> None:
        """Write them, tables before those that point at them; behind all others those that are not simply inserted."""
        for table in _in_order(frozenset(self.rows.keys() - self.others.keys())):
            # one statement has one list of columns
            for _, alike in groupby(self.rows[table], key=dict.keys):
                insert_rows(db, table, list(alike))
        for table, write in self.others.items():
            write(db, self.rows[table])


def insert_rows(db: Any, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that have the same columns, by one statement; nobody is told their ids."""
    if len(rows) >= FEWEST_TO_COPY and db.get_bind().dialect.name == "postgresql":
        from app.kit import copying  # noqa: PLC0415 - a site on SQLite needs no driver for PostgreSQL

        try:
            return copying.copy(db.bare_connection(), table, rows)
        except copying.Unsuited:
            pass  # nothing was sent: inserted as they are
    db.execute(_insert(table), rows)
    return None


class Spoiled(Exception):
    """A row of an earlier deed could not be written: the fault is not of whoever asked for it to be written now."""


@cache
def _insert(table: Table) -> Insert:
    return insert(table).inline()  # nobody asks for the ids


@cache
def _in_order(tables: frozenset[Table]) -> tuple[Table, ...]:
    """Each of these tables behind those of them that it points at. By name: what else it points at need not be known
    to this process."""
    known = {table.name: table for table in tables}
    points_at = {
        table.name: {named for key in table.foreign_keys if (named := key.target_fullname.split(".")[0]) in known}
        - {table.name}
        for table in tables
    }
    return tuple(known[name] for name in TopologicalSorter(points_at).static_order())
