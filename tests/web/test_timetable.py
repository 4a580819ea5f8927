"""Places in the timetable: nothing hides behind anything else."""

from hypothesis import given
from hypothesis import strategies as st

from app.web.assets import STATIC
from app.web.timetable import COLUMNS, ROWS, Place, Span, hours, place, stylesheet


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    found = []
    for _ in range(draw(st.integers(0, 12))):
        start = draw(st.integers(0, 280) | st.integers(100, 130)) * 5
        length = draw(st.integers(1, 30)) * 5
        weight = draw(st.sampled_from([2, 3]))
        found.append(Span(start, min(start + length, 24 * 60), draw(st.integers(0, 5)), weight))
    return found


def rows(one: Place) -> set[int]:
    return set(range(one.row, one.row + one.rows))


def columns(one: Place) -> set[int]:
    return set(range(one.column, one.column + one.columns))


@given(spans())
def test_no_two_sessions_share_a_cell(day: list[Span]) -> None:
    there = place(day)
    for index, one in enumerate(there):
        for another in there[index + 1 :]:
            assert not (rows(one) & rows(another) and columns(one) & columns(another))


@given(spans())
def test_every_session_stands_inside_the_grid_as_long_as_it_lasts(day: list[Span]) -> None:
    for span, one in zip(day, place(day), strict=True):
        assert one.row >= 1
        assert one.row + one.rows - 1 <= ROWS
        assert one.column >= 1
        assert one.column + one.columns - 1 <= COLUMNS
        assert one.rows * 5 == span.end - span.start


def test_what_runs_alone_has_the_whole_width() -> None:
    plenary, coffee = place([Span(510, 555, 0), Span(555, 585, 3, 2)])
    assert (plenary.column, plenary.columns) == (coffee.column, coffee.columns) == (1, COLUMNS)


def test_parallel_rooms_stand_side_by_side_in_the_rooms_order_and_lunch_is_narrower() -> None:
    tonle_sap, mekong, lunch = place([Span(630, 720, 2), Span(630, 720, 1), Span(690, 810, 5, 2)])
    assert mekong.column < tonle_sap.column < lunch.column
    assert mekong.columns == tonle_sap.columns > lunch.columns
    assert mekong.columns + tonle_sap.columns + lunch.columns == COLUMNS


def test_two_sessions_in_one_room_one_after_the_other_share_its_lane_beside_a_long_lunch() -> None:
    panel, questions, lunch = place([Span(615, 705, 0), Span(705, 720, 0), Span(690, 810, 5, 2)])
    assert panel.column == questions.column
    assert questions.row == panel.row + panel.rows
    assert lunch.column == panel.column + panel.columns


def test_what_overlaps_only_through_a_long_lunch_shares_the_width_too() -> None:
    lunch, early, late = place([Span(600, 720, 1, 2), Span(610, 620, 0), Span(660, 680, 0)])
    assert not columns(lunch) & columns(late)
    assert early.column == late.column


def test_a_double_booked_room_shows_both_sessions() -> None:
    first, second = place([Span(600, 660, 0), Span(630, 690, 0)])
    assert not columns(first) & columns(second)


def test_the_hours_down_the_side_begin_with_the_full_hour_of_the_first_session() -> None:
    assert hours([Span(510, 555, 0), Span(570, 610, 0)]) == [(1, 8), (13, 9), (25, 10)]
    assert hours([]) == [(1, 0)]


def test_the_sheet_on_disk_is_the_one_that_is_written_here() -> None:
    assert (STATIC / "programme" / "grid.css").read_text() == stylesheet()
