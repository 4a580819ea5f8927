"""Questions that go straight to the driver, for the few that every registration asks.

What SQLAlchemy does between a statement and its driver costs several times what the database takes to answer one like
these. A question is written in SQLAlchemy all the same, which compiles it once for each kind of database; afterwards it
is a text, the order of its values, and how each of them is given to this driver and read from it.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, SelectBase, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.visitors import iterate

Change = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A question as one kind of database is asked it."""

    text: str
    fixed: Mapping[str, Any]
    order: tuple[str, ...] | None
    """Of the values, where the driver takes them in order and not by name."""
    given: tuple[tuple[str, Change], ...]
    options: Mapping[str, Any]
    """For the driver."""


@dataclass(slots=True)
class Asking:
    """What listeners of the engine are told of a question in place of SQLAlchemy's own context: nothing but that it
    is one and the same before and after, so that they may note something in it."""

    told: Any = None


@dataclass(frozen=True, slots=True)
class Failure:
    """What listeners to errors are told."""

    execution_context: Asking
    original_exception: BaseException


class Question:
    """A SELECT; its values are named by `bindparam`."""

    def __init__(self, asks: SelectBase, *, planned_anew: bool = False, named: bool = False) -> None:
        """`planned_anew`: PostgreSQL keeps no plan of it, where that depends on the values. Rows are plain tuples, or
        have their columns' names where they are `named`."""
        self._asks: Any = asks
        self._planned_anew = planned_anew
        self._row: Any = namedtuple("Row", asks.selected_columns.keys()) if named else None
        self._ready: dict[str, _Ready] = {}
        self._read: dict[str, tuple[tuple[int, Change], ...]] = {}
        self.tables = frozenset(each for each in iterate(asks) if isinstance(each, Table))
        """What it reads."""

    def ask(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows, read whole. Raises as SQLAlchemy does."""
        ready = self._ready.get(connection.dialect.name) or self._get_ready(connection.dialect)
        named = {**ready.fixed, **values}
        for name, change in ready.given:
            named[name] = change(named[name])
        sent: Any = named if ready.order is None else [named[name] for name in ready.order]
        read = self._read.get(connection.dialect.name)
        rows, columns = _through(connection, ready.text, sent, ready.options, described=read is None)
        if read is None:
            read = self._read[connection.dialect.name] = self._get_read(connection.dialect, columns)
        if not rows:
            return rows
        if read:
            rows = [_changed(row, read) for row in rows]
        return rows if self._row is None else [self._row._make(row) for row in rows]

    def _get_ready(self, dialect: Dialect) -> _Ready:
        compiled: Any = self._asks.compile(dialect=dialect)
        given = {
            name: bound.type.dialect_impl(dialect).bind_processor(dialect) for name, bound in compiled.binds.items()
        }
        ready = self._ready[dialect.name] = _Ready(
            text=str(compiled),
            fixed=dict(compiled.params),
            order=tuple(compiled.positiontup) if compiled.positional else None,
            given=tuple((name, change) for name, change in given.items() if change is not None),
            options={"prepare": False} if self._planned_anew and dialect.name == "postgresql" else {},
        )
        return ready

    def _get_read(self, dialect: Dialect, columns: Sequence[Any]) -> tuple[tuple[int, Change], ...]:
        """How columns are read, as an answer itself describes them."""
        kinds = [each.type.dialect_impl(dialect) for each in self._asks.selected_columns]
        found = [kind.result_processor(dialect, column[1]) for kind, column in zip(kinds, columns, strict=True)]
        return tuple((place, change) for place, change in enumerate(found) if change is not None)


def _changed(row: tuple[Any, ...], changes: tuple[tuple[int, Change], ...]) -> tuple[Any, ...]:
    found = list(row)
    for place, change in changes:
        found[place] = change(found[place])
    return tuple(found)


def _through(
    connection: Connection, text: str, sent: Any, options: Mapping[str, Any], *, described: bool
) -> tuple[list[tuple[Any, ...]], Sequence[Any]]:
    """The rows, and the driver's description of their columns where they are to be `described`: of a broad table it
    takes longer than the rows. As with SQLAlchemy, whoever listens to the engine hears of it, and an error is one of
    SQLAlchemy's."""
    driver: Any = connection.connection.driver_connection
    cursor, asking, heard = driver.cursor(), Asking(), connection.dispatch
    try:
        for listen in heard.before_cursor_execute:
            listen(connection, cursor, text, sent, asking, False)
        cursor.execute(text, sent, **options)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        columns: Sequence[Any] = cursor.description if described else ()
        for listen in heard.after_cursor_execute:
            listen(connection, cursor, text, sent, asking, False)
    except connection.dialect.loaded_dbapi.Error as failure:
        for listen in connection.dialect.dispatch.handle_error:
            listen(Failure(asking, failure))
        raise told(connection, failure, text, cursor) from failure
    finally:
        cursor.close()
    return rows, columns


def told(connection: Connection, failure: Any, text: str, cursor: Any) -> BaseException:
    """A driver's error as SQLAlchemy's, without the values. A connection that broke is given up."""
    dialect: Any = connection.dialect
    lost = dialect.is_disconnect(failure, connection.connection, cursor)
    told: BaseException = DBAPIError.instance(
        text,
        None,
        failure,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )
    if lost:
        connection.invalidate(failure)
    return told
