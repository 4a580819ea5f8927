"""Values that are known not to be in a table: asked once for many who are written in one commit.

Whoever registers is nearly always somebody new, and to be told so takes a question each, which on PostgreSQL is a way
to the server and back. What is asked ahead says of which values there is no row at all; for those nobody has to ask.
Whose value has one, or comes twice in a commit, asks for themselves as if nothing had been asked before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Column, Connection, String, Table, any_, bindparam, or_, select

from app.kit.questions import Question

FEWEST = 3
"""Deeds for which it is worth it to ask ahead."""


class Absence:
    """A question for which of many values there is no row in a table: in any of its `columns`, and of the rows with one
    and the same value in `within` where that is given."""

    def __init__(self, *columns: Column[str], within: Column[Any] | None = None) -> None:
        self.columns = tuple(column.key for column in columns)
        self.table = columns[0].table
        many = bindparam("values", type_=ARRAY(String))
        asks: Any = select(*columns).where(or_(*(column == any_(many) for column in columns)))
        if within is not None:
            asks = asks.where(within == bindparam("within"))
        self.question = Question(asks, planned_anew=True)


@dataclass(frozen=True, slots=True)
class Sought:
    """Values that somebody is going to ask for, of an absence and the value of its `within`, if it has one."""

    absence: Absence
    values: tuple[str, ...]
    within: Any = None


class Absences:
    """What is known of a transaction whose locks keep others from writing such rows."""

    __slots__ = ("_missing",)

    def __init__(self) -> None:
        self._missing: dict[tuple[Absence, Any], set[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._missing)

    def look(self, connection: Connection, sought: Iterable[Sought]) -> None:
        """Ask for all that is sought, in one question for each absence."""
        wanted: dict[tuple[Absence, Any], set[str]] = {}
        for one in sought:
            wanted.setdefault((one.absence, one.within), set()).update(one.values)
        for (absence, within), values in wanted.items():
            asked = {"values": list(values)} | ({} if within is None else {"within": within})
            found = {value for row in absence.question.ask(connection, asked) for value in row}
            self._missing[absence, within] = values - found

    def has_none(self, sought: Sought) -> bool:
        """Is it known that there is no row with one of these values?"""
        missing = self._missing.get((sought.absence, sought.within))
        return missing is not None and missing.issuperset(sought.values)

    def wrote(self, table: Table, row: Mapping[str, Any]) -> None:
        """There is a row more."""
        for (absence, _), missing in self._missing.items():
            if absence.table is table:
                missing.difference_update(row.get(column) for column in absence.columns)

    def forget(self) -> None:
        """Anything may have been written."""
        self._missing.clear()
