from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.programme.rules.shifting import days_between, is_shown, shifted

ZONES = st.sampled_from([ZoneInfo(name) for name in ("Asia/Phnom_Penh", "Europe/Brussels", "Australia/Lord_Howe")])
INSTANTS = st.integers(946_684_800, 4_102_444_800).map(lambda second: datetime.fromtimestamp(second, UTC))
DAYS = st.integers(-1500, 1500)
PHNOM_PENH, BRUSSELS = ZoneInfo("Asia/Phnom_Penh"), ZoneInfo("Europe/Brussels")


@given(INSTANTS, DAYS, ZONES, ZONES)
def test_the_clocks_show_the_same_hour_so_many_days_later(at: datetime, days: int, zone: ZoneInfo, to: ZoneInfo):
    there = at.astimezone(zone)
    here = shifted(at, days, zone, to).astimezone(to)
    if is_shown(at, days, zone, to):
        assert here.date() == there.date() + timedelta(days=days)
        assert (here.hour, here.minute, here.second) == (there.hour, there.minute, there.second)
    else:
        assert timedelta(0) < abs(here.replace(tzinfo=None) - there.replace(tzinfo=None) - timedelta(days=days))


@given(INSTANTS, DAYS)
def test_without_summer_time_days_are_days_and_come_back(at: datetime, days: int):
    later = shifted(at, days, PHNOM_PENH, PHNOM_PENH)
    assert later - at == timedelta(days=days)
    assert shifted(later, -days, PHNOM_PENH, PHNOM_PENH) == at


def test_an_hour_stays_over_the_change_to_summer_time():
    nine = datetime(2027, 3, 27, 8, tzinfo=UTC)
    assert shifted(nine, 1, BRUSSELS, BRUSSELS) == datetime(2027, 3, 28, 7, tzinfo=UTC)


def test_an_hour_that_the_clocks_skip_is_told():
    half_past_two = datetime(2027, 3, 27, 1, 30, tzinfo=UTC)
    assert not is_shown(half_past_two, 1, BRUSSELS, BRUSSELS)
    assert is_shown(half_past_two, 2, BRUSSELS, BRUSSELS)


def test_days_are_counted_from_first_day_to_first_day():
    assert days_between(date(2027, 3, 23), date(2028, 3, 21)) == 364
