"""Who may know of a session, and what stays inside."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.programme.rules.visibility import (
    PUBLIC,
    Attribution,
    Viewer,
    betrayed_by_gap,
    counted,
    may_record,
    shown,
    visible,
    withholds_attendance,
)


@dataclass(frozen=True)
class Programmed:
    code: str
    attribution: Attribution | None


DESK = Viewer(desk=True)
CLOSED = Programmed("D1-12", Attribution.CLO)
OPEN = [
    Programmed("D1-03", None),
    Programmed("D1-04", Attribution.REC),
    Programmed("D1-07", Attribution.CHR),
]


@pytest.mark.parametrize("entry", OPEN, ids=lambda entry: entry.code)
def test_everybody_sees_what_is_not_closed(entry: Programmed) -> None:
    assert shown(entry, PUBLIC)


def test_a_closed_session_exists_only_for_those_admitted_to_it_and_the_desk() -> None:
    assert not shown(CLOSED, PUBLIC)
    assert not shown(CLOSED, Viewer(admitted_codes=frozenset({"D1-07"})))
    assert shown(CLOSED, Viewer(admitted_codes=frozenset({"D1-12"})))
    assert shown(CLOSED, DESK)


@pytest.mark.parametrize("unknown", ["clo", "", "off the record"])
def test_a_rule_nobody_knows_is_treated_as_closed(unknown: str) -> None:
    entry = Programmed("D1-20", unknown)
    assert not shown(entry, PUBLIC)
    assert withholds_attendance(unknown)
    assert not may_record(unknown)


def test_counts_leave_out_what_does_not_exist_for_the_viewer() -> None:
    entries = [*OPEN, CLOSED]
    assert (counted(entries, PUBLIC), counted(entries, DESK)) == (3, 4)
    assert visible(entries, PUBLIC) == OPEN


@settings(deadline=None)
@given(
    st.lists(st.builds(Programmed, st.sampled_from("ABCD"), st.none() | st.sampled_from(Attribution)), max_size=8),
    st.frozensets(st.sampled_from("ABCD")),
)
def test_admission_adds_to_what_the_public_sees_and_the_desk_sees_all(
    entries: list[Programmed], admitted: frozenset[str]
) -> None:
    own = visible(entries, Viewer(admitted))
    assert set(visible(entries, PUBLIC)) <= set(own) <= set(entries)
    assert visible(entries, DESK) == entries
    assert all(e.attribution is Attribution.CLO and e.code not in admitted for e in set(entries) - set(own))


@pytest.mark.parametrize(
    ("attribution", "withheld", "recorded"),
    [
        (None, False, False),
        (Attribution.REC, False, True),
        (Attribution.CHR, True, False),
        (Attribution.CLO, True, False),
    ],
)
def test_only_on_the_record_is_recorded_and_attendance_is_told(
    attribution: Attribution | None, withheld: bool, recorded: bool
) -> None:
    assert withholds_attendance(attribution) is withheld
    assert may_record(attribution) is recorded


def test_a_gap_in_the_numbers_betrays_a_closed_session() -> None:
    shown_after = Programmed("D1-13", Attribution.REC)
    for entries in ([*OPEN, CLOSED, shown_after], [shown_after, CLOSED, *OPEN]):
        assert betrayed_by_gap(entries) == ["D1-12"]


def test_a_closed_session_at_the_end_of_its_series_or_in_its_own_leaves_no_gap() -> None:
    closed_last = [Programmed("D1-14", Attribution.CLO), Programmed("D1-15", Attribution.CLO)]
    own_series = Programmed("C-1", Attribution.CLO)
    next_day = Programmed("D2-20", Attribution.REC)
    without_number = Programmed("retreat", Attribution.CLO)
    assert betrayed_by_gap([*OPEN, *closed_last, own_series, next_day, without_number]) == []
