"""When a focal point is reminded, and whether the parties have equal shares."""

from datetime import timedelta

import pytest

from app.registration.rules.delegations import Share, common_share, differing, needs_reason, remind_at
from tests.cast import NOW


@pytest.mark.parametrize(("days", "after"), [(30, 23), (14, 7), (10, 5), (2, 1)])
def test_the_reminder_comes_a_week_before_the_deadline_or_half_way(days: int, after: int) -> None:
    assert remind_at(NOW, NOW + timedelta(days=days)) == NOW + timedelta(days=after)


def test_the_common_share_is_the_most_usual_without_a_reason() -> None:
    shares = [Share("A", 2), Share("B", 3), Share("C", 3), Share("D", 5, "It leads the government")]
    assert common_share(shares) == 3
    assert [share.code for share in differing(shares)] == ["A", "D"]
    assert common_share([Share("A", 4), Share("B", 2)]) == 2
    assert common_share([]) is None
    assert common_share([Share("A", 4, "alone")]) == 4


def test_another_number_than_the_others_needs_a_reason() -> None:
    assert needs_reason([Share("A", 3), Share("B", 3)], 4) == 3
    assert needs_reason([Share("A", 3)], 3) is None
    assert needs_reason([], 9) is None
