"""Many rows into one table of PostgreSQL by COPY: an INSERT is bound, begun, ended and answered for each row, which
takes both sides longer than the row itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from json import dumps
from types import NoneType
from typing import Any

from psycopg import Binary
from psycopg.types.json import Json
from sqlalchemy import Column, Connection, Dialect, Table

from app.kit.questions import Asking, Failure, told

Row = dict[str, Any]
Change = Callable[[Any], Any]


class Unsuited(Exception):
    """Rows with a value that is not written as text here; nothing was sent."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How rows with the same columns are copied."""

    statement: str
    given: tuple[tuple[str, Change | None], ...]
    """The columns that rows say, each with what SQLAlchemy makes of its value."""
    same: tuple[str, ...]
    """What the table's own defaults give for the columns behind those, the same for each row."""


def copy(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, all with the columns of the first, in their order. Listeners of the engine hear of it as of an
    INSERT of many, and an error is one of SQLAlchemy's without the values. Raises Unsuited where rows need that."""
    way = _way(table, tuple(rows[0]), connection.dialect)
    driver: Any = connection.connection.driver_connection
    body = _text_of(way, rows, driver.info.encoding)
    cursor, asking, heard = driver.cursor(), Asking(), connection.dispatch
    try:
        for listen in heard.before_cursor_execute:
            listen(connection, cursor, way.statement, rows, asking, True)
        with cursor.copy(way.statement) as sink:
            sink.write(body)
        for listen in heard.after_cursor_execute:
            listen(connection, cursor, way.statement, rows, asking, True)
    except connection.dialect.loaded_dbapi.Error as failure:
        for listen in connection.dialect.dispatch.handle_error:
            listen(Failure(asking, failure))
        raise told(connection, failure, way.statement, cursor) from failure
    finally:
        cursor.close()


@lru_cache(maxsize=512)
def _way(table: Table, names: tuple[str, ...], dialect: Dialect) -> _Way:
    left = [column for column in table.c if column.key not in names and column.default is not None]
    columns = [*(table.c[name] for name in names), *left]
    quoted = dialect.identifier_preparer
    listed = ", ".join(quoted.format_column(column) for column in columns)
    changes = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]
    defaults = zip(map(_default, left), changes[len(names) :], strict=True)
    same = [value if change is None else change(value) for value, change in defaults]
    if unknown := {type(value) for value in same} - _AS_TEXT.keys():
        raise Unsuited(str(unknown))
    return _Way(
        statement=f"COPY {quoted.format_table(table)} ({listed}) FROM STDIN",
        given=tuple(zip(names, changes[: len(names)], strict=True)),
        same=tuple(_AS_TEXT[type(value)](value) for value in same),
    )


def _default(column: Column[Any]) -> Any:
    default: Any = column.default
    if default.is_scalar:
        return default.arg
    if default.is_callable and getattr(default.arg, "__wrapped__", None) in {dict, list}:
        return default.arg(None)
    raise Unsuited(column.name)  # another for each row


def _text_of(way: _Way, rows: Sequence[Row], encoding: str) -> bytes:
    """COPY's text format: https://www.postgresql.org/docs/15/sql-copy.html, "Text Format", in the letters that the
    connection speaks."""
    lines, texts, same = [], _AS_TEXT, [*way.same]
    try:
        for row in rows:
            values = [row[name] if change is None else change(row[name]) for name, change in way.given]
            lines.append("\t".join([texts[type(value)](value) for value in values] + same))
        return "\n".join([*lines, ""]).encode(encoding)
    except Exception as unknown:
        raise Unsuited from unknown  # inserting them says what is wrong


_ESCAPED = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def _words(value: str) -> str:
    # nearly all are plain, and to see that takes a tenth of what it takes to write them anew
    return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPED)


_AS_TEXT: dict[type, Change] = {
    NoneType: lambda _: "\\N",
    str: _words,
    int: str,
    bool: lambda value: "true" if value else "false",
    Binary: lambda value: "\\\\x" + bytes(value.obj).hex(),
    datetime: str,
    date: str,
    Json: lambda value: _words((value.dumps or dumps)(value.obj)),
}
