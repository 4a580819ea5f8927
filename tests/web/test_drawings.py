"""The hall as a waffle, and registrations by day."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.i18n import Bilingual
from app.registration.desk_queries import Overview, SeatTally, Tally
from app.registration.rules.seats import Availability
from app.web.drawings import ACROSS, days, waffle

NAME = Bilingual("Students", "និស្សិត")
counts = st.integers(0, 60)


def hall(capacity: int, target: int, *taken: tuple[int, int, int]) -> Overview:
    """A hall with one group for each (confirmed, unconfirmed, held)."""
    seats = tuple(
        SeatTally(
            tally=Tally(f"G{number}", "ABCDEFGH"[number], "red", NAME),
            category_id=number,
            in_hall=True,
            guarantee=0,
            limit=None,
            lapsed=False,
            taken=sum(three),
            confirmed=three[0],
            unconfirmed=three[1],
            held=three[2],
            left=0,
        )
        for number, three in enumerate(taken)
    )
    return Overview(capacity, target, Availability(0, 0, {}), seats, {})


def corners(path: str) -> list[str]:
    return [part.split("h")[0] for part in path.split("M") if part]


@given(st.lists(st.tuples(counts, counts, counts), max_size=8), st.integers(1, 400), st.integers(0, 500))
def test_every_place_is_drawn_once_whatever_is_taken(
    taken: list[tuple[int, int, int]], capacity: int, target: int
) -> None:
    drawn = waffle(hall(capacity, target, *taken))
    all_squares = [corner for patch in drawn.patches for corner in corners(patch.squares)] + corners(drawn.free)
    assert len(all_squares) == len(set(all_squares)) == max(capacity, drawn.taken)
    assert drawn.taken == sum(map(sum, taken))


@given(st.tuples(counts, counts, counts))
def test_every_taken_square_has_its_letter_and_only_confirmed_ones_are_filled(three: tuple[int, int, int]) -> None:
    drawn = waffle(hall(300, 250, three))
    by_kind = {patch.kind: patch for patch in drawn.patches}
    assert {kind: patch.count for kind, patch in by_kind.items()} == {
        kind: n for kind, n in (("confirmed", three[0]), ("held", three[1] + three[2])) if n
    }
    for patch in drawn.patches:
        assert patch.letters == "A" * patch.count
        assert len(patch.xs.split()) == len(patch.ys.split()) == len(corners(patch.squares)) == patch.count


@pytest.mark.parametrize(
    ("target", "line"),
    [(250, "M-1 100H250"), (260, "M-1 110H100V100H250"), (0, ""), (900, "M-1 120H250")],
)
def test_the_line_stands_between_the_target_and_the_rest(target: int, line: str) -> None:
    assert ACROSS == 25
    assert waffle(hall(300, target)).target_line == line


def test_every_day_is_drawn_and_the_busiest_is_the_highest() -> None:
    drawn = days(
        {date(2026, 12, 1): 1, date(2026, 12, 3): 2, date(2026, 11, 1): 1},
        date(2026, 12, 1),
        date(2026, 12, 4),
    )
    assert [(bar.day.day, bar.count, bar.height) for bar in drawn.bars] == [
        (1, 1, "30"),
        (2, 0, "0"),
        (3, 2, "60"),
        (4, 0, "0"),
    ]
    assert (drawn.most, drawn.total) == (2, 3)


def test_days_without_any_registration_stay_flat() -> None:
    drawn = days({}, date(2026, 12, 1), datetime(2026, 12, 2, tzinfo=UTC).date())
    assert [bar.height for bar in drawn.bars] == ["0", "0"]
    assert (drawn.most, drawn.total) == (0, 0)
