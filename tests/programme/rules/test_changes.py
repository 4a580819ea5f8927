"""What changed between two versions, and the stamps of calendars."""

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.programme.rules.changes import (
    FIELDS,
    SEQUENCED,
    STAMPS,
    Change,
    Kind,
    Planned,
    Published,
    apply,
    changes,
    changes_for,
    next_sequences,
)
from app.programme.rules.visibility import PUBLIC, Attribution, Viewer, shown

NOON = datetime(2027, 3, 23, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
moderate = settings(deadline=None)

PANEL = Planned(
    uid="u1",
    code="D1-07",
    title=("Strategic Sea Lanes", "ផ្លូវសមុទ្រយុទ្ធសាស្ត្រ"),
    start=NOON,
    end=NOON + HOUR,
    room="mekong",
    people=(("bopha", "speaker"), ("chan", "chair")),
    tracks=("A",),
    attribution=Attribution.REC,
    cancelled=False,
    fingerprint="f1",
)
OTHER = {
    "code": "D1-08",
    "title": ("Sea Lanes", "ផ្លូវសមុទ្រ"),
    "start": NOON - HOUR,
    "end": NOON + 2 * HOUR,
    "room": "grand-ballroom",
    "people": (("chan", "chair"),),
    "tracks": ("A", "B"),
    "attribution": Attribution.CHR,
    "cancelled": True,
    "fingerprint": "f2",
}


def published(*planned: Planned, at: datetime = NOON) -> dict[str, Published]:
    return next_sequences({}, planned, at)


def planned_entries(uid: str) -> st.SearchStrategy[Planned]:
    return st.builds(
        Planned,
        uid=st.just(uid),
        code=st.sampled_from([f"D1-{uid}", f"D2-{uid}"]),
        title=st.sampled_from([("Sea", "សមុទ្រ"), ("Sky", "មេឃ")]),
        start=st.sampled_from([None, NOON, NOON + HOUR]),
        end=st.sampled_from([None, NOON + 2 * HOUR, NOON + 3 * HOUR]),
        room=st.sampled_from([None, "mekong", "bassac"]),
        people=st.sampled_from([(), (("bopha", "speaker"),), (("bopha", "chair"),)]),
        tracks=st.sampled_from([(), ("A",)]),
        attribution=st.none() | st.sampled_from(Attribution),
        cancelled=st.booleans(),
        fingerprint=st.sampled_from("xy"),
    )


def drafts() -> st.SearchStrategy[list[Planned]]:
    """A working copy with any of four sessions in it."""
    slots = [st.none() | planned_entries(uid) for uid in "abcd"]
    return st.tuples(*slots).map(lambda entries: [entry for entry in entries if entry is not None])


@st.composite
def versions(draw: st.DrawFn) -> dict[str, Published]:
    """Any published version, also one whose stamps no history would give."""
    return {
        entry.uid: Published(
            **{field.name: getattr(entry, field.name) for field in fields(Planned)},
            sequence=draw(st.integers(0, 2)),
            changed_at=NOON + draw(st.integers(0, 2)) * HOUR,
        )
        for entry in draw(drafts())
    }


def history(copies: Iterable[list[Planned]]) -> list[dict[str, Published]]:
    """Working copies published one after the other, an hour apart."""
    line: list[dict[str, Published]] = [{}]
    for number, copy in enumerate(copies):
        line.append(next_sequences(line[-1], copy, NOON + number * HOUR))
    return line


@moderate
@given(versions(), versions())
def test_applying_the_changes_to_the_old_version_gives_the_new_one(
    before: dict[str, Published], after: dict[str, Published]
) -> None:
    assert apply(before, changes(before, after)) == after


@moderate
@given(versions())
def test_a_version_compared_with_itself_has_no_changes(version: dict[str, Published]) -> None:
    assert changes(version, dict(reversed(version.items()))) == []


@moderate
@given(versions(), versions())
def test_the_order_of_the_entries_is_irrelevant_to_the_list(
    before: dict[str, Published], after: dict[str, Published]
) -> None:
    turned = changes(dict(reversed(before.items())), dict(reversed(after.items())))
    assert turned == changes(before, after)


def test_every_field_but_the_uid_belongs_to_a_kind_or_to_the_stamps() -> None:
    named = {name for names in FIELDS.values() for name in names}
    assert {"uid", *named, *STAMPS} == {field.name for field in fields(Published)}
    assert set(FIELDS) == set(Kind) - {Kind.ADDED, Kind.WITHDRAWN}
    assert set(OTHER) == named


@pytest.mark.parametrize("field", OTHER)
def test_a_single_altered_field_gives_one_change_of_its_kind(field: str) -> None:
    before = published(PANEL)
    after = next_sequences(before, [replace(PANEL, **{field: OTHER[field]})], NOON + HOUR)
    (change,) = changes(before, after)
    assert field in FIELDS[change.kind]
    assert change.altered == (field,)
    assert (change.before, change.after) == (before["u1"], after["u1"])


def test_a_session_that_moved_and_changed_its_speakers_has_two_changes() -> None:
    before = published(PANEL)
    moved = replace(PANEL, start=NOON - HOUR, room="bassac", people=())
    after = next_sequences(before, [moved], NOON + HOUR)
    assert [(change.kind, change.altered) for change in changes(before, after)] == [
        (Kind.MOVED, ("start", "room")),
        (Kind.SPEAKERS_CHANGED, ("people",)),
    ]


def test_cancelling_and_restoring_are_told_apart() -> None:
    on = published(PANEL)
    off = next_sequences(on, [replace(PANEL, cancelled=True)], NOON + HOUR)
    assert [change.kind for change in changes(on, off)] == [Kind.CANCELLED]
    assert [change.kind for change in changes(off, on)] == [Kind.RESTORED]


def test_what_is_new_is_added_and_what_is_missing_is_withdrawn() -> None:
    version = published(PANEL)
    assert changes({}, version) == [Change(Kind.ADDED, None, version["u1"])]
    assert changes(version, {}) == [Change(Kind.WITHDRAWN, version["u1"], None)]
    assert changes({}, version)[0].altered == ()


def test_changes_are_listed_by_time_with_those_to_be_announced_last() -> None:
    late = replace(PANEL, uid="u2", code="D1-01", start=NOON + HOUR)
    unplaced = replace(PANEL, uid="u3", code="D1-00", start=None, end=None)
    beside = replace(PANEL, uid="u4", code="D1-06")
    listed = changes({}, published(unplaced, late, PANEL, beside))
    assert [change.entry.code for change in listed] == ["D1-06", "D1-07", "D1-01", "D1-00"]


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="before or an after"):
        _ = Change(Kind.EDITED, None, None).entry


@moderate
@given(versions(), versions(), st.sampled_from([PUBLIC, Viewer(desk=True), Viewer(frozenset({"D1-a"}))]))
def test_a_viewer_reads_nothing_of_what_is_hidden_now_or_was_hidden_then(
    before: dict[str, Published], after: dict[str, Published], viewer: Viewer
) -> None:
    listed = changes_for(before, after, viewer)
    for change in listed:
        assert all(shown(entry, viewer) for entry in (change.before, change.after) if entry is not None)
        assert shown(after.get(change.entry.uid, change.entry), viewer)
    told = {change.entry.uid for change in listed}
    for uid, entry in after.items():
        differs_openly = shown(entry, viewer) and before.get(uid) != entry
        assert (uid in told) == differs_openly


def test_a_session_that_was_closed_is_in_no_public_list_and_one_that_was_opened_is_new() -> None:
    open_version = published(PANEL)
    closed_version = next_sequences(open_version, [replace(PANEL, attribution=Attribution.CLO)], NOON + HOUR)
    assert changes_for(open_version, closed_version, PUBLIC) == []
    assert [change.kind for change in changes_for(closed_version, open_version, PUBLIC)] == [Kind.ADDED]
    desk = changes_for(open_version, closed_version, Viewer(desk=True))
    assert [change.kind for change in desk] == [Kind.EDITED]


@pytest.mark.parametrize("field", OTHER)
def test_time_place_title_and_status_raise_the_sequence_and_nothing_else_does(field: str) -> None:
    before = published(PANEL)
    after = next_sequences(before, [replace(PANEL, **{field: OTHER[field]})], NOON + HOUR)
    grows = field in {"start", "end", "room", "title", "cancelled"}
    assert after["u1"].sequence == (1 if grows else 0)
    assert after["u1"].changed_at == NOON + HOUR


def test_publishing_again_without_a_change_leaves_every_stamp() -> None:
    before = published(PANEL, replace(PANEL, uid="u2", code="D1-08"))
    assert next_sequences(before, [PANEL, before["u2"]], NOON + 9 * HOUR) == before


def test_a_session_taken_out_stays_as_cancelled_and_goes_on_counting_when_it_returns() -> None:
    first = published(PANEL)
    gone = next_sequences(first, [], NOON + HOUR)
    assert gone["u1"] == replace(first["u1"], cancelled=True, sequence=1, changed_at=NOON + HOUR)
    still_gone = next_sequences(gone, [], NOON + 2 * HOUR)
    assert still_gone == gone
    back = next_sequences(still_gone, [PANEL], NOON + 3 * HOUR)
    assert back["u1"] == replace(first["u1"], sequence=2, changed_at=NOON + 3 * HOUR)


def test_restoring_an_old_version_does_not_bring_back_its_sequence() -> None:
    first = published(PANEL)
    second = next_sequences(first, [replace(PANEL, room="bassac")], NOON + HOUR)
    third = next_sequences(second, first.values(), NOON + 2 * HOUR)
    assert (third["u1"].sequence, third["u1"].room) == (2, "mekong")


@moderate
@given(st.lists(drafts(), max_size=5))
def test_through_any_history_nothing_vanishes_and_stamps_move_exactly_with_what_they_stamp(
    copies: list[list[Planned]],
) -> None:
    line = history(copies)
    for number, (before, after) in enumerate(pairwise(line)):
        now = NOON + number * HOUR
        assert set(before) <= set(after)
        for uid, entry in after.items():
            if uid not in before:
                assert (entry.sequence, entry.changed_at) == (0, now)
                continue
            old = before[uid]
            significant = any(getattr(old, name) != getattr(entry, name) for name in SEQUENCED)
            assert entry.sequence == old.sequence + significant
            if replace(entry, sequence=old.sequence, changed_at=old.changed_at) == old:
                assert entry == old
            else:
                assert entry.changed_at == now


@moderate
@given(drafts(), drafts())
def test_what_is_published_is_the_working_copy_and_tombstones_of_the_rest(
    first: list[Planned], second: list[Planned]
) -> None:
    version = history([first, second])[-1]
    for entry in second:
        assert {f.name: getattr(version[entry.uid], f.name) for f in fields(Planned)} == {
            f.name: getattr(entry, f.name) for f in fields(Planned)
        }
    missing = {entry.uid for entry in first} - {entry.uid for entry in second}
    assert set(version) == missing | {entry.uid for entry in second}
    assert all(version[uid].cancelled for uid in missing)
