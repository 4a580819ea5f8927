"""What of a session becomes a calendar entry, and what a person's own calendar holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calendars.rules import (
    GATHERINGS,
    Status,
    changes_at,
    has_entry,
    identity,
    is_over,
    own_sessions,
    plenaries,
    status,
    takes_time,
)
from app.programme.published import PublishedSession
from tests.calendars.sample import CANCELLED, MOVED_SESSION, NOW, OPEN_TIME, OPENING, OVER, session

START = datetime(2027, 3, 23, 2, 0, tzinfo=UTC)


def at(hours: float, code: str, **changes: object) -> PublishedSession:
    starts_at = START + timedelta(hours=hours)
    return session(code, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), **changes)


def codes(sessions: list[PublishedSession]) -> list[str]:
    return [one.code for one in sessions]


def test_a_session_whose_time_is_to_be_announced_has_no_entry() -> None:
    assert not has_entry(OPEN_TIME, over=False)
    assert not has_entry(replace(OPEN_TIME, cancelled=True), over=False)


def test_a_cancelled_session_keeps_its_entry_until_the_forum_is_over() -> None:
    assert has_entry(CANCELLED, over=False)
    assert not has_entry(CANCELLED, over=True)
    assert has_entry(OPENING, over=True)


def test_the_forum_is_over_at_its_last_midnight_and_never_while_its_dates_are_open() -> None:
    assert not is_over(OVER, OVER - timedelta(seconds=1))
    assert is_over(OVER, OVER)
    assert not is_over(None, OVER + timedelta(days=1000))


def test_only_a_cancelled_session_makes_a_feed_change_by_itself() -> None:
    assert changes_at([OPENING, CANCELLED], OVER, NOW) == OVER
    assert changes_at([OPENING], OVER, NOW) is None
    assert changes_at([CANCELLED], OVER, OVER) is None
    assert changes_at([CANCELLED], None, NOW) is None
    assert changes_at([replace(OPEN_TIME, cancelled=True)], OVER, NOW) is None


def test_the_identity_is_the_uid_as_made_the_sequence_and_the_last_change_in_whole_seconds() -> None:
    known = identity(MOVED_SESSION)
    assert known == (MOVED_SESSION.uid, 1, datetime(2026, 11, 30, 9, 15, 42, tzinfo=UTC))
    elsewhere = MOVED_SESSION.changed_at.astimezone(tz=datetime.fromisoformat("2026-01-01T00:00:00+07:00").tzinfo)
    assert identity(replace(MOVED_SESSION, changed_at=elsewhere)) == known


def test_renaming_and_moving_a_session_does_not_touch_its_uid() -> None:
    renamed = replace(MOVED_SESSION, code="D2-09", title=OPENING.title, starts_at=START)
    assert identity(renamed).uid == identity(MOVED_SESSION).uid


def test_a_cancelled_session_says_so_and_leaves_its_reader_free() -> None:
    assert status(CANCELLED) is Status.CANCELLED
    assert status(OPENING) is Status.CONFIRMED
    assert takes_time(OPENING)
    assert not takes_time(CANCELLED)


@pytest.mark.parametrize("kind", ["break", "lunch"])
def test_breaks_and_meals_leave_their_reader_free(kind: str) -> None:
    assert not takes_time(session("D1-03", type=kind))


@pytest.mark.parametrize("kind", sorted(GATHERINGS))
def test_a_gathering_is_everybodys_in_whatever_room(kind: str) -> None:
    assert codes(plenaries([session("D1-14", type=kind, room="terrace")], ())) == ["D1-14"]


def test_what_meets_in_the_hall_without_sign_up_is_everybodys() -> None:
    sessions = [OPENING, at(2, "D1-04"), at(2, "D1-07", room="mekong"), at(4, "D1-10", type="break")]
    assert codes(plenaries(sessions, ())) == ["D1-01", "D1-04"]


def test_without_an_opening_a_closing_or_a_plenary_there_is_no_hall() -> None:
    assert plenaries([at(2, "D1-04")], ()) == []


def test_what_asks_for_sign_up_is_nobodys_before_it_is_picked() -> None:
    hall = at(2, "D1-04")
    gathering = at(4, "D1-13", type="ceremony")
    sign_ups = {hall.uid, gathering.uid}
    assert codes(plenaries([OPENING, hall, gathering], sign_ups)) == ["D1-01"]
    assert codes(own_sessions([OPENING, hall, gathering], sign_ups, {hall.uid})) == ["D1-01", "D1-04"]


def test_without_picks_a_person_has_the_plenaries() -> None:
    sessions = [OPENING, at(2, "D1-04"), at(2, "D1-07", room="mekong")]
    assert own_sessions(sessions, (), ()) == plenaries(sessions, ())


def test_a_panel_in_the_hall_gives_way_to_a_pick_at_the_same_time_and_a_gathering_does_not() -> None:
    panel, keynote = at(2, "D1-04"), at(2.5, "D1-05", type="keynote")
    pick, later = at(2.5, "D1-07", room="mekong"), at(3.5, "D1-08")
    assert codes(own_sessions([OPENING, panel, keynote, pick, later], (), {pick.uid})) == [
        "D1-01",
        "D1-05",
        "D1-07",
        "D1-08",  # begins as the pick ends
    ]
    beside = at(3, "D1-09", room="mekong")
    assert codes(own_sessions([OPENING, panel, beside], (), {beside.uid})) == ["D1-01", "D1-04", "D1-09"]


def test_nothing_gives_way_to_a_cancelled_pick_which_stays_to_be_seen() -> None:
    panel, pick = at(2, "D1-04"), at(2, "D1-07", room="mekong", cancelled=True)
    assert codes(own_sessions([OPENING, panel, pick], (), {pick.uid})) == ["D1-01", "D1-04", "D1-07"]


@st.composite
def programmes(draw: st.DrawFn) -> list[PublishedSession]:
    kinds = st.sampled_from(["panel", "opening", "break", "keynote", "closing", "lunch", "working-group"])
    return [
        at(
            draw(st.integers(0, 6)) / 2,
            f"D1-{number:02}",
            type=draw(kinds),
            room=draw(st.sampled_from(["hall", "mekong", None])),
            cancelled=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


@given(programmes(), st.sets(st.integers(0, 8)), st.sets(st.integers(0, 8)))
def test_an_own_calendar_is_the_picks_and_nothing_but_plenaries_beside_them(
    sessions: list[PublishedSession], picked: set[int], asked: set[int]
) -> None:
    picks = {one.uid for number, one in enumerate(sessions) if number in picked}
    sign_ups = {one.uid for number, one in enumerate(sessions) if number in asked}
    own = own_sessions(sessions, sign_ups, picks)
    everybodys = {one.uid for one in plenaries(sessions, sign_ups)}
    held = {one.uid for one in own}
    assert picks <= held <= picks | everybodys
    assert not (held & sign_ups) - picks
    assert {one.uid for one in sessions if one.type in GATHERINGS} - sign_ups <= held
    assert [one for one in sessions if one.uid in held] == own
