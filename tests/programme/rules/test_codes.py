"""Codes offered to new sessions."""

from hypothesis import given
from hypothesis import strategies as st

from app.programme.rules.codes import next_code, series_of, split


def test_the_next_code_of_a_series_is_as_wide_as_the_others():
    assert next_code(["D1-01", "D1-09", "C-01"], "D1-") == "D1-10"
    assert next_code(["C-1"], "C-") == "C-2"
    assert next_code([], "D3-") == "D3-01"


def test_the_series_of_a_day_is_that_of_most_of_its_sessions_and_never_the_closed_one():
    assert series_of(["D1-01", "D1-02", "X-01", "C-01"], "D9-") == "D1-"
    assert series_of(["C-01", "OPENING"], "D9-") == "D9-"


@given(st.lists(st.from_regex(r"[A-Z][0-9]?-[0-9]{1,4}", fullmatch=True)), st.sampled_from(["A-", "B1-", "C-"]))
def test_a_code_that_is_offered_is_free_and_the_highest_of_its_series(codes: list[str], series: str):
    offered = next_code(codes, series)
    assert offered not in codes
    assert split(offered)[0] == series
    assert all(split(code)[1] < split(offered)[1] for code in codes if split(code)[0] == series)
