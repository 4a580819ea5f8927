"""A table taken along as a file: what of a form was chosen, the kinds of files, and the answer."""

import asyncio
import threading
from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext

from starlette.datastructures import FormData
from starlette.responses import Response

from app.kit.errors import Fault, Invalid
from app.kit.i18n import Lang, text_of
from app.reports.tables import Cell, as_csv, as_workbook
from app.web.headers import SECRET

KINDS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}

MANY = 5000
_ALONE = threading.Lock()
"""A file of more rows than `MANY` is made while no other such is: one of a hundred thousand takes 500 MB."""


def kinds(lang: Lang) -> list[tuple[str, str, str]]:
    """The kinds of files to choose from, as a form's radios take them."""
    return [(kind, text_of(lang, f"export.kind.{kind}"), "") for kind in KINDS]


def chosen(sent: FormData, offered: Collection[str]) -> tuple[list[str], str]:
    """The columns that were chosen, in the order they are offered in, and the kind of file. Raises Invalid."""
    wanted, kind = sent.getlist("columns"), str(sent.get("kind", ""))
    columns = [name for name in offered if name in wanted]
    if not columns or len(columns) != len(wanted):
        raise Invalid([Fault("columns", "not_a_choice" if wanted else "none_chosen")])
    if kind not in KINDS:
        raise Invalid([Fault("kind", "not_a_choice")])
    return columns, kind


async def file_answer(
    name: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]], kind: str, title: str
) -> Response:
    """The table as a file of this name, kept by nobody on the way. A hundred thousand rows take seconds, so it is made
    in a thread and nobody waits but for a second one as large."""

    def made() -> bytes:
        table = list(rows)
        with _ALONE if len(table) > MANY else nullcontext():
            return as_csv(headings, table) if kind == "csv" else as_workbook(headings, table, title)

    headers = {"content-disposition": f'attachment; filename="{name}.{kind}"', "cache-control": SECRET}
    return Response(await asyncio.to_thread(made), headers=headers, media_type=KINDS[kind])
