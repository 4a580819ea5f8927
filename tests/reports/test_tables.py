"""Tables as files."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.tables import as_csv

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5))
def test_what_is_written_is_read_again_and_nothing_is_a_formula(rows: list[list[str]]) -> None:
    body = as_csv(["a", "b"], rows)
    assert body.startswith(b"\xef\xbb\xbf")
    head, *read = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))
    assert head == ["a", "b"]
    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [c.removeprefix("'") for c in r] for r in rows
    ]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", *"＝＋－＠")) for row in read for cell in row)


@pytest.mark.parametrize("text", ["\n=1+1", "＝1+1", "＋1", "－1", "＠SUM(1)"])
def test_nor_is_what_some_programs_read_as_a_formula(text: str) -> None:
    (cell,) = list(csv.reader(io.StringIO(as_csv(["a"], [[text]]).decode("utf-8-sig"), newline="")))[1]
    assert cell == f"'{text}"
