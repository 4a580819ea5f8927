"""Tables taken along as files."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from app.reports.taking import MANY
from app.web.taking import file_answer


class Row(list[str]):
    """A row that says when it is written."""

    def __init__(self, table: str, written: list[str]) -> None:
        super().__init__([table])
        self.written = written

    def __iter__(self) -> Iterator[str]:
        self.written.append(self[0])
        return super().__iter__()


def test_large_files_are_made_one_after_the_other(in_loop: Callable[[Callable[[], Any]], Any]) -> None:
    written: list[str] = []

    async def take() -> None:
        tables = [[Row(name, written)] * (2 * MANY) for name in ("first", "second")]
        await asyncio.gather(*(file_answer("list", ["of"], table, "xlsx", "List") for table in tables))

    in_loop(take)
    turns = sum(one != other for one, other in itertools.pairwise(written))
    assert turns == 1
