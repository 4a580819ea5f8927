"""What of a speaker is public, which answer follows which, and when somebody cannot come."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.programme.rules.speakers import OPEN, Face, Part, Reply, face_of, may_become, parts_of, windows_of

ZONE = ZoneInfo("Asia/Phnom_Penh")
FIRST, LAST = date(2027, 3, 23), date(2027, 3, 24)
NOBODY: Face[str] = Face(None, None, None)


def test_until_the_name_is_announced_nothing_tells_who_it_is() -> None:
    known = {"name": "Bopha", "bio": "Chairs things.", "photo": "ab12"}
    assert face_of(announced=True, **known) == Face("Bopha", "Chairs things.", "ab12")
    assert face_of(announced=False, **known) == NOBODY
    assert face_of(announced=True, name=None, bio="Chairs things.", photo="ab12") == NOBODY


def test_a_mind_may_be_changed_and_who_accepted_is_not_asked_again() -> None:
    assert all(may_become(state, reply) for state in OPEN for reply in (Reply.ACCEPTED, Reply.DECLINED))
    assert not may_become(Reply.ACCEPTED, Reply.ASKED)
    assert may_become(Reply.DECLINED, Reply.ASKED)
    assert may_become(Reply.WITHDRAWN, Reply.ASKED)
    assert not any(may_become(state, Reply.ACCEPTED) for state in (Reply.UNASKED, Reply.WITHDRAWN))
    assert not any(may_become(state, Reply.UNASKED) for state in Reply)


def test_each_day_has_three_parts_and_open_dates_none() -> None:
    keys = [key for _, _, key in parts_of(FIRST, LAST)]
    assert keys[:3] == ["2027-03-23.morning", "2027-03-23.afternoon", "2027-03-23.evening"]
    assert len(set(keys)) == 6
    assert parts_of(None, LAST) == parts_of(FIRST, None) == parts_of(LAST, FIRST) == []
    assert len(parts_of(FIRST, FIRST + timedelta(days=400))) == 3 * 14


def test_parts_that_touch_are_one_window_in_the_forums_own_time() -> None:
    local = [datetime(2027, 3, 23, hour, tzinfo=ZONE).astimezone(UTC) for hour in (12, 18)]
    assert windows_of(["2027-03-23.afternoon"], ZONE) == (tuple(local),)
    whole = windows_of(["2027-03-24.morning", "2027-03-23.evening", "2027-03-23.afternoon"], ZONE)
    assert whole == ((local[0], local[0] + timedelta(hours=24)),)


@pytest.mark.parametrize("key", ["", "2027-03-23", "2027-03-23.noon", "2027-3-23.morning", ".morning", "x.evening"])
def test_what_is_no_part_of_a_day_counts_for_nothing(key: str) -> None:
    assert windows_of([key], ZONE) == ()


parts = st.tuples(st.dates(date(2026, 1, 1), date(2028, 12, 31)), st.sampled_from(Part))
zones = st.sampled_from(["Asia/Phnom_Penh", "Europe/Brussels", "America/New_York", "Pacific/Apia"])


@given(st.lists(parts, max_size=12), zones)
def test_windows_are_apart_in_order_and_hold_just_the_hours_chosen(chosen: list[tuple[date, Part]], name: str) -> None:
    zone = ZoneInfo(name)
    keys = [f"{day.isoformat()}.{part.value}" for day, part in chosen]
    windows = windows_of(keys, zone)
    assert windows == windows_of([*reversed(keys), *keys], zone)
    assert all(start < end for start, end in windows)
    assert all(one[1] < other[0] for one, other in pairwise(windows))
    middles = {Part.MORNING: 6, Part.AFTERNOON: 15, Part.EVENING: 21}
    for day, part in chosen:
        inside = datetime(day.year, day.month, day.day, middles[part], tzinfo=zone).astimezone(UTC)
        assert any(start <= inside < end for start, end in windows)
