from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.programme.rules.reading import Unreadable, day_in, guarded, hour_in, several_in, unguarded

DAYS = st.dates(date(1990, 1, 1), date(2199, 12, 31))
FORUM = [date(2027, 3, 23) + timedelta(days=number) for number in range(3)]


@given(DAYS)
def test_a_day_is_read_as_it_is_written_year_first(day: date):
    for text in (day.isoformat(), f"{day.isoformat()}T00:00:00", f"{day.isoformat()} 00:00:00"):
        assert day_in(text) == day


@given(DAYS, st.sampled_from("/.-"))
def test_a_day_written_otherwise_is_this_day_or_refused_but_never_another(day: date, sign: str):
    for text in (f"{day.day}{sign}{day.month}{sign}{day.year}", f"{day.month}{sign}{day.day}{sign}{day.year}"):
        if day.day > 12 or day.day == day.month:
            assert day_in(text) == day
        else:
            with pytest.raises(Unreadable, match="day_two_ways"):
                day_in(text)
            assert day_in(text, [day]) == day


def test_what_could_be_two_days_is_the_one_in_which_the_forum_is():
    assert day_in("23/03/2027", FORUM) == day_in("3/23/2027", FORUM) == FORUM[0]
    with pytest.raises(Unreadable, match="day_two_ways"):
        day_in("3/4/2027", FORUM)
    with pytest.raises(Unreadable, match="day_two_ways"):
        day_in("3/4/2027", [date(2027, 3, 4), date(2027, 4, 3)])


@pytest.mark.parametrize("text", ["", "soon", "2027-13-01", "31/4/2027", "2027-03-23T09:00", "1.1.0001", "9999-12-31"])
def test_no_day_is_none(text: str):
    with pytest.raises(Unreadable, match="not_a_day"):
        day_in(text)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("9:00", time(9)),
        ("09:05", time(9, 5)),
        ("09:05:00", time(9, 5)),
        ("9h30", time(9, 30)),
        ("9.30", time(9, 30)),
        ("12:00 AM", time(0)),
        ("12:30 pm", time(12, 30)),
        ("1:15 p.m.", time(13, 15)),
    ],
)
def test_an_hour_is_read_whichever_way_a_spreadsheet_shows_it(text: str, hour: time):
    assert hour_in(text) == hour


@pytest.mark.parametrize("text", ["", "9", "24:01", "13:00 pm", "0:30 am", "09:05:30", "0.375", "-1:00"])
def test_no_hour_is_none(text: str):
    with pytest.raises(Unreadable, match="not_an_hour"):
        hour_in(text)


def test_several_things_stand_between_signs_each_once_in_their_order():
    assert several_in(" b; a,\n b |c;;") == ["b", "a", "c"]


@given(st.text())
def test_a_guarded_text_is_the_text_again_and_no_formula(text: str):
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text(alphabet="'=+-@ a"))
def test_so_it_is_whatever_signs_it_begins_with(text: str):
    assert unguarded(guarded(text)) == text
