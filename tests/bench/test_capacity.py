"""The model of what more machines would hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.capacity import BEGIN, END, PAGE, Costs, newest, section, written

some = st.floats(1e-5, 1.0)


def test_the_page_shows_what_the_model_says_of_the_latest_run():
    assert section(newest()) in PAGE.read_text(), "python -m bench.capacity writes it anew"


@given(some, some, st.floats(0.01, 1.0), st.integers(1, 500), st.integers(1, 50))
def test_more_cores_never_do_less_and_no_more_than_the_writers_can(
    answer: float, registration: float, share: float, cores: int, writers: int
):
    known = Costs(answer, registration, registration * share)
    rate = known.registrations(cores, writers)
    assert rate <= known.registrations(cores + 1, writers)
    assert rate <= writers / known.behind * 1.000001
    assert rate <= cores / registration * 1.000001
    beyond = known.enough(writers) + 1
    assert known.registrations(beyond, writers) == pytest.approx(known.registrations(beyond * 2, writers))


def test_only_what_stands_between_the_marks_is_written_anew():
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert written(page, f"{BEGIN}\nnew\n{END}") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
