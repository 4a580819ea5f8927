"""What is due to a calendar: whatever happens to it, SEQUENCE never falls, and when all is sent nothing is due."""

from hypothesis import given
from hypothesis import strategies as st

from app.registration.rules.enclosures import Entry, Method, due, latest

UIDS = st.sampled_from("abcd")
STANDS = st.dictionaries(UIDS, st.integers(0, 4))
GONE = st.dictionaries(UIDS, st.integers(0, 4))
SENT = st.lists(st.builds(Entry, UIDS, st.sampled_from(Method), st.integers(0, 4)), max_size=8)
REQUEST, CANCEL = Method.REQUEST, Method.CANCEL


@given(SENT, STANDS, GONE)
def test_what_is_due_is_a_request_for_what_stands_and_a_cancel_of_what_does_not(
    sent: list[Entry], standing: dict[str, int], gone: dict[str, int]
) -> None:
    before = latest(sent)
    for entry in due(before, standing, gone):
        last = before.get(entry.uid)
        if entry.method is REQUEST:
            assert entry.uid in standing
            assert last is None or last.method is CANCEL or entry.sequence > last.sequence
        else:
            assert entry.uid not in standing
            assert last is not None
            assert last.method is REQUEST
        assert last is None or entry.sequence >= last.sequence


@given(SENT, STANDS, GONE)
def test_when_all_of_it_is_sent_nothing_is_due(
    sent: list[Entry], standing: dict[str, int], gone: dict[str, int]
) -> None:
    made = due(latest(sent), standing, gone)
    assert due(latest([*sent, *made]), standing, gone) == []
    assert len({entry.uid for entry in made}) == len(made)


@given(st.lists(st.tuples(STANDS, GONE), max_size=8))
def test_over_any_time_the_reader_ends_with_just_what_stands_and_sequence_never_falls(
    past: list[tuple[dict[str, int], dict[str, int]]],
) -> None:
    sent: list[Entry] = []
    reached: dict[str, int] = {}
    for standing, gone in past:
        made = due(latest(sent), standing, gone)
        for entry in made:
            assert entry.sequence >= reached.get(entry.uid, 0)
            reached[entry.uid] = entry.sequence
        sent += made
        assert {uid for uid, last in latest(sent).items() if last.method is REQUEST} == standing.keys()


def test_what_comes_back_has_at_least_the_sequence_it_was_taken_out_with() -> None:
    out = Entry("a", CANCEL, 3)
    assert due({"a": out}, {"a": 1}, {}) == [Entry("a", REQUEST, 3)]


def test_a_cancel_has_the_sequence_of_the_cancellation_where_that_is_known() -> None:
    there = Entry("a", REQUEST, 2)
    assert due({"a": there}, {}, {"a": 3}) == [Entry("a", CANCEL, 3)]
    assert due({"a": there}, {}, {}) == [Entry("a", CANCEL, 2)]
