"""What stands in the way of a programme."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.programme.rules.conflicts import (
    HARD,
    Conflict,
    Kind,
    Part,
    Slot,
    conflicts,
    overlap_minutes,
)

ZONE = ZoneInfo("Asia/Phnom_Penh")
MINUTE = timedelta(minutes=1)
moderate = settings(deadline=None)


def at(clock: str, day: int = 23) -> datetime:
    """A local time of March 2027 as UTC."""
    hours, minutes = map(int, clock.split(":"))
    return datetime(2027, 3, day, hours, minutes, tzinfo=ZONE).astimezone(UTC)


def slot(code: str, start: str, end: str, **more: object) -> Slot:
    return Slot(**{"code": code, "type": "panel", "start": at(start), "end": at(end), **more})


def found(*slots: Slot) -> list[Conflict]:
    return conflicts(slots, first_day=date(2027, 3, 23), last_day=date(2027, 3, 24), zone=ZONE)


def kinds(*slots: Slot) -> list[Kind]:
    return [conflict.kind for conflict in found(*slots)]


def test_a_programme_without_collisions_has_no_conflicts() -> None:
    morning = slot("D1-01", "08:30", "09:15", room="mekong", tracks=frozenset("A"))
    after_it = slot("D1-02", "09:15", "09:45", room="mekong", tracks=frozenset("A"))
    assert found(morning, after_it) == []


def test_a_room_holds_one_session_at_a_time() -> None:
    one = slot("D1-07", "13:30", "15:00", room="mekong")
    other = slot("D1-08", "14:40", "16:00", room="mekong")
    assert found(other, one) == [Conflict(Kind.ROOM_TAKEN, ("D1-07", "D1-08"), ("mekong",), by=20)]
    assert found(one, replace(other, room="bassac")) == []
    assert found(replace(one, room=None), replace(other, room=None)) == []


def test_a_long_session_collides_with_all_it_covers_not_only_the_next() -> None:
    whole_day = slot("D1-01", "08:00", "18:00", room="mekong")
    early = slot("D1-02", "09:00", "10:00", room="mekong")
    late = slot("D1-03", "16:00", "17:00", room="mekong")
    assert [conflict.codes for conflict in found(early, late, whole_day)] == [
        ("D1-01", "D1-02"),
        ("D1-01", "D1-03"),
    ]


def test_a_person_speaks_in_one_place_and_a_chair_is_named_as_chair() -> None:
    panel = slot("D1-07", "13:30", "15:00", people=(Part("bopha", "speaker"), Part("chan", "speaker")))
    beside = slot("D1-08", "13:30", "15:00", people=(Part("bopha", "speaker"), Part("chan", "chair")))
    assert found(panel, beside) == [
        Conflict(Kind.SPEAKER_TAKEN, ("D1-07", "D1-08"), ("bopha",), by=90),
        Conflict(Kind.CHAIR_TAKEN, ("D1-07", "D1-08"), ("chan",), by=90),
    ]


def test_two_roles_in_one_session_are_no_collision() -> None:
    assert found(slot("D1-07", "13:30", "15:00", people=(Part("dara", "chair"), Part("dara", "speaker")))) == []


@pytest.mark.parametrize(
    ("start", "end", "outside"),
    [
        (at("00:00"), at("01:00"), False),
        (at("00:00") - MINUTE, at("01:00"), True),
        (at("23:00", 24), at("23:00", 24) + timedelta(hours=1), False),
        (at("23:00", 24), at("23:00", 24) + timedelta(minutes=61), True),
        (at("09:00", 25), at("10:00", 25), True),
    ],
)
def test_the_days_of_the_forum_are_days_of_its_own_place(start: datetime, end: datetime, outside: bool) -> None:
    assert kinds(Slot("D1-01", "panel", start, end)) == [Kind.OUTSIDE_DAYS] * outside


def test_days_to_be_announced_bound_nothing() -> None:
    early = [Slot("D1-01", "panel", at("08:30", 1), at("09:15", 1))]
    assert conflicts(early, first_day=None, last_day=None, zone=ZONE) == []
    assert len(conflicts(early, first_day=date(2027, 3, 23), last_day=None, zone=ZONE)) == 1


@pytest.mark.parametrize("end", ["13:30", "13:29"])
def test_an_end_not_after_the_start_is_reported_for_that_alone(end: str) -> None:
    broken = slot("D1-07", "13:30", end, room="mekong")
    beside = slot("D1-08", "13:00", "15:00", room="mekong")
    assert found(broken, beside) == [Conflict(Kind.ENDS_BEFORE_START, ("D1-07",))]


def test_sessions_without_times_collide_with_nothing() -> None:
    unplaced = Slot("D1-07", "panel", None, None, room="mekong", tracks=frozenset("A"))
    half_placed = replace(unplaced, code="D1-08", start=at("13:00"))
    assert found(unplaced, half_placed, slot("D1-09", "13:00", "15:00", room="mekong")) == []


def test_two_sessions_of_one_track_at_once_are_a_warning_that_names_the_shared_tracks() -> None:
    one = slot("D1-07", "13:30", "15:00", tracks=frozenset("FDBECA"))
    other = slot("D1-08", "13:30", "15:00", tracks=frozenset("ACEFBX"))
    (conflict,) = found(one, other)
    assert conflict == Conflict(Kind.TRACK_PARALLEL, ("D1-07", "D1-08"), tuple("ABCEF"), by=90)
    assert not conflict.hard


def test_an_intended_overlap_is_marked_and_not_dropped() -> None:
    one = slot("D1-07", "13:30", "15:00", tracks=frozenset("A"))
    other = slot("D1-08", "13:30", "15:00", tracks=frozenset("A"), overlap_intended=True)
    for pair in ((one, other), (other, one)):
        (conflict,) = found(*pair)
        assert (conflict.kind, conflict.intended) == (Kind.TRACK_PARALLEL, True)


def test_no_intention_makes_a_double_booking_harmless() -> None:
    one = slot("D1-07", "13:30", "15:00", room="mekong", overlap_intended=True)
    (conflict,) = found(one, replace(one, code="D1-08"))
    assert conflict.hard
    assert not conflict.intended


def test_lunch_overlapping_a_session_is_a_warning_but_not_beside_breaks_or_another_lunch() -> None:
    lunch = slot("D1-06", "11:30", "13:30", type="lunch", overlap_intended=True)
    questions = slot("D1-05", "11:45", "12:00", type="Q&A")
    coffee = slot("D1-10", "13:00", "13:20", type="break")
    early_lunch = replace(lunch, code="D1-06b")
    assert found(lunch, questions, coffee, early_lunch) == [
        Conflict(Kind.LUNCH_OVERLAP, ("D1-06", "D1-05"), (), by=15, intended=True),
        Conflict(Kind.LUNCH_OVERLAP, ("D1-06b", "D1-05"), (), by=15, intended=True),
    ]
    assert kinds(questions, coffee) == []


@pytest.mark.parametrize(("start", "missing"), [("15:00", [15]), ("15:14", [1]), ("15:15", [])])
def test_a_changed_setup_needs_its_quarter_of_an_hour(start: str, missing: list[int]) -> None:
    theatre = slot("D1-07", "13:30", "15:00", room="mekong", setup="theatre")
    boardroom = slot("D1-11", start, "17:00", room="mekong", setup="boardroom")
    assert [(conflict.kind, conflict.codes, conflict.where, conflict.by) for conflict in found(boardroom, theatre)] == [
        (Kind.CHANGEOVER_SHORT, ("D1-07", "D1-11"), ("mekong",), minutes) for minutes in missing
    ]


@pytest.mark.parametrize("other", [{"setup": "theatre"}, {"setup": None}, {"room": "bassac"}, {"room": None}])
def test_without_a_changed_setup_in_the_same_room_one_session_may_follow_at_once(
    other: dict[str, str | None],
) -> None:
    theatre = slot("D1-07", "13:30", "15:00", room="mekong", setup="theatre")
    following = slot("D1-11", "15:00", "17:00", **{"room": "mekong", "setup": "boardroom", **other})
    assert found(theatre, following) == []


def test_the_changeover_counts_from_whatever_ended_last_in_the_room() -> None:
    long = slot("D1-01", "08:00", "12:00", room="mekong", setup="theatre")
    inside = slot("D1-02", "09:00", "10:00", room="mekong", setup="theatre")
    after_both = slot("D1-03", "12:05", "13:00", room="mekong", setup="boardroom")
    changeovers = [c for c in found(long, inside, after_both) if c.kind is Kind.CHANGEOVER_SHORT]
    assert [conflict.codes for conflict in changeovers] == [("D1-01", "D1-03")]


def test_a_room_smaller_than_the_sign_ups_says_how_many_seats_are_missing() -> None:
    full = slot("D1-09", "13:30", "15:00", room="bassac", room_seats=90, sign_ups=90)
    assert found(full) == []
    assert found(replace(full, sign_ups=97)) == [Conflict(Kind.ROOM_SMALL, ("D1-09",), ("bassac",), by=7)]


def test_a_guest_who_has_not_accepted_is_a_warning_and_one_of_the_house_is_not() -> None:
    people = (
        Part("bopha", "keynote", guest=True, accepted=False),
        Part("bopha", "speaker", guest=True, accepted=False),
        Part("dara", "speaker", guest=True, accepted=True),
        Part("chan", "chair", guest=False, accepted=False),
    )
    assert found(slot("D1-02", "09:15", "09:45", people=people)) == [
        Conflict(Kind.GUEST_UNCONFIRMED, ("D1-02",), ("bopha",))
    ]


def test_who_declined_is_a_warning_and_is_not_awaited_as_well() -> None:
    people = (Part("bopha", "speaker", guest=True, accepted=False, declined=True), Part("dara", "chair"))
    assert found(slot("D1-02", "09:15", "09:45", people=people)) == [
        Conflict(Kind.SPEAKER_DECLINED, ("D1-02",), ("bopha",))
    ]


def test_who_cannot_come_at_that_time_is_a_warning() -> None:
    away = ((at("00:00"), at("12:00")),)
    people = (Part("bopha", "speaker", away=away), Part("dara", "chair"))
    early, late = slot("D1-02", "11:30", "12:30", people=people), slot("D1-03", "12:00", "13:00", people=people)
    assert [one for one in found(early, late) if one.kind is Kind.SPEAKER_AWAY] == [
        Conflict(Kind.SPEAKER_AWAY, ("D1-02",), ("bopha",))
    ]
    assert {Kind.SPEAKER_AWAY, Kind.SPEAKER_DECLINED}.isdisjoint(HARD)
    assert found(replace(late, start=None, end=None)) == []


def test_hard_conflicts_come_first() -> None:
    one = slot("D1-07", "13:30", "15:00", room="mekong", tracks=frozenset("A"))
    outside = Slot("D0-01", "panel", at("10:00", 20), at("11:00", 20))
    assert kinds(replace(one, code="D1-08"), one, outside) == [
        Kind.OUTSIDE_DAYS,
        Kind.ROOM_TAKEN,
        Kind.TRACK_PARALLEL,
    ]


def test_a_reason_kept_for_a_conflict_survives_a_change_of_minutes_but_not_of_room() -> None:
    conflict = Conflict(Kind.ROOM_TAKEN, ("D1-07", "D1-08"), ("mekong",), by=20)
    assert replace(conflict, by=30).key == conflict.key
    assert replace(conflict, where=("bassac",)).key != conflict.key


def test_overlaps_are_counted_in_minutes_rounded_up_and_touching_is_none() -> None:
    one = slot("D1-07", "13:30", "15:00")
    assert overlap_minutes(one, slot("D1-08", "15:00", "16:00")) == 0
    assert overlap_minutes(one, slot("D1-08", "14:00", "14:20")) == 20
    assert overlap_minutes(one, replace(one, start=one.end - timedelta(seconds=1))) == 1
    assert overlap_minutes(one, Slot("D1-08", "panel", None, None)) == 0


@st.composite
def programmes(draw: st.DrawFn) -> list[Slot]:
    slots = []
    for number in range(draw(st.integers(0, 8))):
        start = at("08:00") + draw(st.integers(-2, 12)) * 10 * MINUTE
        people = draw(st.lists(st.sampled_from(["bopha", "chan", "dara"]), max_size=2, unique=True))
        slots.append(
            Slot(
                code=f"D1-{number:02}",
                type=draw(st.sampled_from(["panel", "lunch", "break"])),
                start=start,
                end=start + draw(st.integers(-1, 6)) * 10 * MINUTE,
                room=draw(st.sampled_from([None, "mekong", "bassac"])),
                setup=draw(st.sampled_from([None, "theatre", "boardroom"])),
                tracks=draw(st.frozensets(st.sampled_from("ABC"))),
                people=tuple(Part(name, draw(st.sampled_from(["chair", "speaker"]))) for name in people),
                overlap_intended=draw(st.booleans()),
            )
        )
    return slots


@moderate
@given(programmes(), st.randoms(use_true_random=False))
def test_the_order_in_which_slots_are_given_is_irrelevant(slots: list[Slot], chance) -> None:
    assert found(*chance.sample(slots, len(slots))) == found(*slots)


@moderate
@given(programmes())
def test_every_pair_that_shares_a_room_or_a_person_at_one_time_is_found_once(slots: list[Slot]) -> None:
    expected = set()
    for one in slots:
        for other in slots:
            if one.code < other.code and overlap_minutes(one, other):
                pair = frozenset({one.code, other.code})
                if one.room is not None and one.room == other.room:
                    expected.add((pair, one.room))
                both = {part.speaker for part in one.people} & {part.speaker for part in other.people}
                expected |= {(pair, speaker) for speaker in both}
    taken = {Kind.ROOM_TAKEN, Kind.SPEAKER_TAKEN, Kind.CHAIR_TAKEN}
    reported = [(frozenset(conflict.codes), conflict.where[0]) for conflict in found(*slots) if conflict.kind in taken]
    assert set(reported) == expected
    assert len(reported) == len(expected)


@moderate
@given(programmes())
def test_only_warnings_are_ever_intended_and_no_conflict_is_told_twice(slots: list[Slot]) -> None:
    reported = found(*slots)
    assert not [conflict for conflict in reported if conflict.intended and conflict.kind in HARD]
    assert len({conflict.key for conflict in reported}) == len(reported)


@pytest.mark.parametrize(("own", "missing"), [(None, [5]), (0, []), (10, []), (30, [20])])
def test_a_room_may_need_more_or_less_than_the_usual_time(own: int | None, missing: list[int]) -> None:
    theatre = slot("D1-07", "13:30", "15:00", room="mekong", setup="theatre", changeover_minutes=own)
    boardroom = slot("D1-11", "15:10", "17:00", room="mekong", setup="boardroom", changeover_minutes=own)
    short = [conflict.by for conflict in found(theatre, boardroom) if conflict.kind is Kind.CHANGEOVER_SHORT]
    assert short == missing


@given(st.integers(0, 480), st.integers(0, 480))
def test_a_longer_changeover_never_hides_one_that_is_too_short(own: int, more: int) -> None:
    def short(minutes: int) -> list[int]:
        theatre = slot("D1-07", "13:30", "15:00", room="mekong", setup="theatre", changeover_minutes=minutes)
        boardroom = slot("D1-11", "16:00", "17:00", room="mekong", setup="boardroom", changeover_minutes=minutes)
        return [conflict.by for conflict in found(theatre, boardroom)]

    assert short(own) == ([own - 60] if own > 60 else [])
    assert sum(short(own + more)) >= sum(short(own))
