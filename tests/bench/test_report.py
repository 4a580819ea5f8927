"""The arithmetic and the table of the benchmark."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.report import Figure, as_markdown, number, paired, store

AT = datetime(2026, 11, 29, 14, 0, tzinfo=UTC)


def figure(*ratios: float, target: float | None = 0.75, at_most: bool = False, faults: tuple[str, ...] = ()) -> Figure:
    return Figure("home", "/en", 900.0, "a second", ratios, 1000.0, "bare", target, at_most, {"p99": "3 ms"}, faults)


def test_each_slice_is_held_against_the_one_beside_it():
    assert paired([50, 90, 30], [100, 100, 40]) == (0.5, 0.9, 0.75)
    with pytest.raises(ValueError, match="shorter"):
        paired([50, 90], [100])


def test_the_median_of_the_ratios_counts_and_one_bad_slice_does_not():
    assert figure(0.9, 0.1, 0.8).ratio == 0.8
    assert figure(0.9, 0.1, 0.8).reached
    assert figure(0.9, 0.1, 0.7).reached is False


def test_what_is_to_be_little_is_reached_from_below():
    assert figure(1.5, 1.6, 2.5, target=2, at_most=True).reached
    assert figure(2.5, 1.6, 2.5, target=2, at_most=True).reached is False
    assert figure(target=899).reached
    assert figure(target=899, at_most=True).reached is False


def test_a_figure_without_a_target_is_neither_reached_nor_missed_unless_something_went_wrong():
    assert figure(0.1, target=None).reached is None
    assert figure(0.9, faults=("One was lost.",)).reached is False


@pytest.mark.parametrize(("value", "said"), [(13249.4, "13,249"), (36.04, "36.0"), (1.234, "1.23")])
def test_figures_have_as_many_digits_as_count(value: float, said: str):
    assert number(value) == said


def test_the_table_says_what_was_missed_and_why():
    missed = figure(0.5, faults=("One was lost.",))
    page = as_markdown([figure(0.9), missed], {"processor": "two"}, {"home": "The profiler says so."}, AT)
    assert "| home | 900 a second · p99 3 ms | 1,000 (bare) | 0.90 (0.90–0.90) | ≥ 0.75 | reached |" in page
    assert "- **home**: One was lost. The profiler says so." in page
    assert "- processor: two" in page


def test_a_run_is_stored_as_a_page_and_as_json(tmp_path: Path):
    page = store([figure(0.9, 0.8)], {"processor": "two"}, {}, AT, tmp_path)
    kept = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert page.name == "2026-11-29-1400.md"
    assert kept["machine"] == {"processor": "two"}
    assert kept["figures"][0]["ratios"] == [0.9, 0.8]
    assert kept["figures"][0]["ratio"] == pytest.approx(0.85)
