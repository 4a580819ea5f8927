"""Which changes somebody is written to about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.programme.rules.changes import Change, Kind, Published
from app.registration.rules.news import is_news

AT = datetime(2027, 3, 23, 2, tzinfo=UTC)
HERE = Published(
    uid="u",
    code="A-1",
    title=("A", "ក"),
    start=AT,
    end=AT + timedelta(hours=1),
    room="hall",
    people=(),
    tracks=(),
    attribution=None,
    cancelled=False,
    fingerprint="",
    sequence=0,
    changed_at=AT,
)
LATER = Change(Kind.MOVED, HERE, replace(HERE, start=AT + timedelta(minutes=30)))
NEXT_DOOR = Change(Kind.MOVED, HERE, replace(HERE, room="next door"))
CALLED_OFF = Change(Kind.CANCELLED, HERE, replace(HERE, cancelled=True))
DETAILS = Change(Kind.EDITED, HERE, replace(HERE, fingerprint="other"))
RENAMED = Change(Kind.RETITLED, HERE, replace(HERE, title=("B", "ខ")))


def test_of_a_session_one_chose_everything_but_details_is_news():
    assert all(is_news(one, own=True, common=False) for one in (LATER, NEXT_DOOR, CALLED_OFF, RENAMED))
    assert not is_news(DETAILS, own=True, common=True)


def test_of_a_plenary_only_another_time_and_whether_it_takes_place_is_news():
    assert is_news(LATER, own=False, common=True)
    assert is_news(CALLED_OFF, own=False, common=True)
    assert not any(is_news(one, own=False, common=True) for one in (NEXT_DOOR, RENAMED, DETAILS))


@given(st.sampled_from([LATER, NEXT_DOOR, CALLED_OFF, DETAILS, RENAMED]))
def test_what_is_neither_ones_own_nor_everybodys_is_no_news(change: Change):
    assert not is_news(change, own=False, common=False)
