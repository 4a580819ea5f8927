"""A table taken along as a file: what of a form was chosen, the kinds of files, and the answer."""

import asyncio
from collections.abc import Collection, Iterable, Sequence

from starlette.datastructures import FormData
from starlette.responses import Response

from app.kit.errors import Fault, Invalid
from app.kit.i18n import Lang, text_of
from app.reports.tables import Cell
from app.reports.taking import KINDS, as_file, columns_chosen
from app.web.headers import SECRET


def kinds(lang: Lang) -> list[tuple[str, str, str]]:
    """The kinds of files to choose from, as a form's radios take them."""
    return [(kind, text_of(lang, f"export.kind.{kind}"), "") for kind in KINDS]


def chosen(sent: FormData, offered: Collection[str]) -> tuple[list[str], str]:
    """The columns that were chosen, in the order they are offered in, and the kind of file. Raises Invalid."""
    columns, kind = columns_chosen([str(name) for name in sent.getlist("columns")], offered), str(sent.get("kind", ""))
    if kind not in KINDS:
        raise Invalid([Fault("kind", "not_a_choice")])
    return columns, kind


async def file_answer(
    name: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]], kind: str, title: str
) -> Response:
    """The table as a file of this name, kept by nobody on the way; made in a thread, so that nobody waits."""
    made = await asyncio.to_thread(as_file, headings, rows, kind, title)
    headers = {"content-disposition": f'attachment; filename="{name}.{kind}"', "cache-control": SECRET}
    return Response(made, headers=headers, media_type=KINDS[kind])
