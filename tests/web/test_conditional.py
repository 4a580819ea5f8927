"""When a GET or HEAD may be answered 304 (RFC 9110 §13)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.web.conditional import http_date, unchanged

ETAG = b'"abc123"'
CHANGED = datetime(2026, 12, 1, 3, 0, 7, tzinfo=UTC)
MODIFIED = CHANGED.timestamp()


def sent(*headers: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers]


def test_a_date_is_in_gmt_and_whole_seconds() -> None:
    there = CHANGED.astimezone(timezone(timedelta(hours=7))).replace(microsecond=987654)
    assert http_date(there) == "Tue, 01 Dec 2026 03:00:07 GMT"


@pytest.mark.parametrize("value", ['"abc123"', 'W/"abc123"', '"x", "abc123"', '"x",W/"abc123" , "y"', "*"])
def test_the_same_tag_alone_weak_in_a_list_or_any_is_unchanged(value: str) -> None:
    assert unchanged(ETAG, MODIFIED, sent(("if-none-match", value)))


@pytest.mark.parametrize("value", ['"abc12"', "abc123", '"abc123-gz"', 'W/"x"', ""])
def test_another_tag_or_one_without_its_quotes_is_changed(value: str) -> None:
    assert not unchanged(ETAG, MODIFIED, sent(("if-none-match", value)))


def test_tags_in_several_header_lines_count_together() -> None:
    assert unchanged(ETAG, MODIFIED, sent(("if-none-match", '"abc123"'), ("if-none-match", '"x"')))


@pytest.mark.parametrize(("seconds", "answer"), [(-1, False), (0, True), (3600, True)])
def test_the_date_is_asked_where_no_tag_was_sent(seconds: int, answer: bool) -> None:
    since = http_date(CHANGED + timedelta(seconds=seconds))
    assert unchanged(ETAG, MODIFIED, sent(("if-modified-since", since))) is answer


def test_the_tag_decides_where_both_were_sent() -> None:
    since = ("if-modified-since", http_date(CHANGED))
    assert not unchanged(ETAG, MODIFIED, sent(("if-none-match", '"x"'), since))
    assert unchanged(ETAG, MODIFIED, sent(("if-none-match", '"abc123"'), ("if-modified-since", http_date(CHANGED)[:0])))


@pytest.mark.parametrize("since", ["yesterday", "", "Tue, 99 Dec 2026 03:00:07 GMT", "Tue, 01 Dec 0000 00:00:00 GMT"])
def test_a_date_that_is_none_is_as_good_as_not_sent(since: str) -> None:
    assert not unchanged(ETAG, MODIFIED, sent(("if-modified-since", since)))


def test_older_forms_of_a_date_are_read_too() -> None:
    assert unchanged(ETAG, MODIFIED, sent(("if-modified-since", "Tuesday, 01-Dec-26 03:00:07 GMT")))
    assert unchanged(ETAG, MODIFIED, sent(("if-modified-since", "Tue Dec  1 03:00:07 2026")))


def test_without_a_date_of_its_own_an_answer_has_always_changed() -> None:
    assert not unchanged(ETAG, 0.0, sent(("if-modified-since", http_date(CHANGED))))
    assert not unchanged(ETAG, MODIFIED, [])
