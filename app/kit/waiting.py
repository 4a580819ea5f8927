"""Rows that wait for the end of a transaction, to be written many in one statement (`app.kit.db.Db.later`)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from itertools import groupby
from typing import Any

from sqlalchemy import Insert, Table, insert
from sqlalchemy.orm import Session

Row = dict[str, Any]
Write = Callable[[Any, list[Row]], None]
"""Writes rows with the `Db` it is given."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of a table; `write` writes many at once where they are not simply inserted."""

    table: Table
    row: Row
    write: Write | None = None


class Spoiled(Exception):
    """A row of an earlier deed could not be written: the fault is not of whoever asked for it to be written now."""


def write_all(db: Session, waiting: Sequence[Waiting]) -> None:
    """Write rows, those of a table in the order they came in, and tables before those that point at them; behind all
    others those with a `write` of their own."""
    plain: dict[Table, list[Row]] = {}
    others: dict[Write, list[Row]] = {}
    for each in waiting:
        if each.write is None:
            plain.setdefault(each.table, []).append(each.row)
        else:
            others.setdefault(each.write, []).append(each.row)
    for table in _in_order(frozenset(plain)):
        # one statement has one list of columns
        for _, alike in groupby(plain[table], key=dict.keys):
            db.execute(_insert(table), list(alike))
    for write, rows in others.items():
        write(db, rows)


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
