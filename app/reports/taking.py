"""A list of the desk taken along as a file: the columns chosen, the file, and the fact that it left."""

import threading
from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import Fault, Invalid
from app.reports.tables import Cell, as_csv, as_workbook

KINDS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
"""The kinds of files that a table may be, each with its media type."""
MANY = 5000
_ALONE = threading.Lock()
"""A file of more rows than `MANY` is made while no other such is: one of a hundred thousand takes 500 MB."""


def columns_chosen(wanted: Sequence[str], offered: Collection[str]) -> list[str]:
    """The columns that were chosen, in the order they are offered in. Raises Invalid: `none_chosen`, `not_a_choice`."""
    columns = [name for name in offered if name in wanted]
    if not columns or len(columns) != len(wanted):
        raise Invalid([Fault("columns", "not_a_choice" if wanted else "none_chosen")])
    return columns


def as_file(headings: Sequence[str], rows: Iterable[Sequence[Cell]], kind: str, title: str) -> bytes:
    """A table as a file of one of `KINDS`. A hundred thousand rows take seconds, so it is called in a thread; a second
    one as large waits."""
    table = list(rows)
    with _ALONE if len(table) > MANY else nullcontext():
        return as_csv(headings, table) if kind == "csv" else as_workbook(headings, table, title)


def note_taken(
    db: Db,
    by: Actor,
    forum: Forum,
    name: str,
    columns: Sequence[str],
    kind: str,
    entries: int,
    *,
    needs: Collection[Permission],
    now: datetime,
) -> None:
    """Record that the list of this name was taken as a file of this kind. Raises Forbidden without all of `needs`."""
    for need in needs:
        by.must(need, forum_id(forum))
    after = {"of": name, "columns": list(columns), "kind": kind, "entries": entries}
    record(db, forum.slug, by.signature, "list.exported", f"forum:{forum.slug}", now=now, after=after)
