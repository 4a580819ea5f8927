"""Which sessions each feed holds, what it is called, where it says it comes from, and until when it holds."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from app.calendars.feeds import Feed, of_day, of_session, of_speaker, of_track, whole_forum
from app.calendars.shelves import Shelf
from app.kit.errors import NotFound
from app.kit.i18n import LANGS, Lang
from tests.calendars.sample import (
    BASE_URL,
    CANCELLED,
    CLOSED,
    LONG,
    MOVED,
    MOVED_SESSION,
    NOW,
    OPEN_TIME,
    OPENING,
    OVER,
    PUBLISHED,
    SESSIONS,
    forum,
    shelf,
)

DAY = date(2027, 3, 23)
EVERY: list[Callable[[Shelf], Feed]] = [
    lambda of: whole_forum(of, now=NOW),
    lambda of: of_day(of, DAY, now=NOW),
    lambda of: of_track(of, "issues", now=NOW),
    lambda of: of_session(of, "D1-02", now=NOW),
    lambda of: of_speaker(of, "keynote-scholar", now=NOW),
]


def uids(feed: Feed) -> list[str]:
    return re.findall(r"^UID:(.*?)\r$", feed.body.decode(), re.MULTILINE)


def source(feed: Feed) -> str:
    found = re.search(r"SOURCE;VALUE=URI:(.*?)\r\n(?! )", feed.body.decode(), re.DOTALL)
    assert found
    return found[1].replace("\r\n ", "")


def test_the_forums_calendar_holds_every_public_session_with_a_time_and_the_cancelled_one() -> None:
    assert uids(whole_forum(shelf(), now=NOW)) == [s.uid for s in (OPENING, LONG, MOVED_SESSION, CANCELLED)]


def test_while_the_forums_dates_are_to_be_announced_no_calendar_holds_anything() -> None:
    held = shelf()
    undated = replace(held, forum=forum(starts_on=None, ends_on=None))
    for make in (EVERY[0], *EVERY[2:]):
        assert uids(make(held)) != []
        assert uids(make(undated)) == []


def test_a_days_calendar_holds_what_begins_on_that_day_in_phnom_penh() -> None:
    assert uids(of_day(shelf(), DAY, now=NOW)) == [OPENING.uid, LONG.uid, MOVED_SESSION.uid]
    late = replace(OPENING, starts_at=OVER - timedelta(hours=1), ends_at=OVER)  # 23:00 there, 16:00 in London
    early = replace(LONG, starts_at=OVER - timedelta(hours=23), ends_at=OVER - timedelta(hours=22))  # 01:00 there
    assert uids(of_day(shelf(sessions=(late, early)), date(2027, 3, 24), now=NOW)) == [late.uid, early.uid]


def test_a_day_of_the_forum_without_sessions_is_a_calendar_with_its_zone_alone() -> None:
    feed = of_day(shelf(sessions=(CANCELLED,)), DAY, now=NOW)
    assert uids(feed) == []
    assert b"BEGIN:VTIMEZONE" in feed.body


def test_a_day_that_is_none_of_the_forums_is_not_found_even_if_something_closed_is_on_it() -> None:
    before = replace(CLOSED, starts_at=NOW, ends_at=NOW + timedelta(hours=1))
    for day in (date(2027, 3, 22), date(2027, 3, 25), date(2026, 12, 1)):
        with pytest.raises(NotFound):
            of_day(shelf(sessions=(*SESSIONS, before)), day, now=NOW)


def test_a_tracks_calendar_holds_its_sessions_in_its_colour() -> None:
    feed = of_track(shelf(), "review", now=NOW)
    assert uids(feed) == [LONG.uid, CANCELLED.uid]
    assert b"COLOR:mediumvioletred\r\n" in feed.body
    with pytest.raises(NotFound):
        of_track(shelf(), "no-such-track", now=NOW)


def test_a_speakers_calendar_holds_that_speakers_sessions_once_each() -> None:
    twice = replace(LONG, people=(*LONG.people, replace(LONG.people[1], role="rapporteur")))
    feed = of_speaker(shelf(sessions=(OPENING, twice)), "keynote-scholar", now=NOW)
    assert uids(feed) == [LONG.uid]
    assert feed.name == "A Small Forum: Prof. Chan Keo"


def test_a_speaker_without_an_announced_name_is_called_by_function() -> None:
    feed = of_speaker(shelf("km"), "moderator-institute", now=NOW)
    assert feed.name == "វេទិកាតូច៖ អ្នកសម្របសម្រួល សមាជិកវិទ្យាស្ថានស្រាវជ្រាវ"


def test_a_session_whose_time_is_open_is_a_calendar_without_entries() -> None:
    assert uids(of_session(shelf(), OPEN_TIME.code, now=NOW)) == []
    assert uids(of_session(shelf(), LONG.code, now=NOW)) == [LONG.uid]


def test_a_closed_session_and_its_speaker_are_as_unknown_as_what_never_was() -> None:
    for code in (CLOSED.code, "X-99"):
        with pytest.raises(NotFound) as refused:
            of_session(shelf(), code, now=NOW)
        assert (refused.value.code, refused.value.values) == ("", {})
    for person in ("closed-door-speaker", "nobody"):
        with pytest.raises(NotFound):
            of_speaker(shelf(), person, now=NOW)


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("lang", LANGS)
def test_a_closed_session_leaves_no_trace_in_any_feed(make: Callable[[Shelf], Feed], lang: Lang) -> None:
    without = tuple(one for one in SESSIONS if one is not CLOSED)
    assert make(shelf(lang)).body == make(shelf(lang, sessions=without)).body
    assert CLOSED.uid in shelf(lang).vevents


@pytest.mark.parametrize("make", EVERY)
def test_one_session_is_the_same_text_in_every_feed(make: Callable[[Shelf], Feed]) -> None:
    assert shelf().vevents[LONG.uid] in make(shelf()).body


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("lang", LANGS)
def test_every_feed_has_a_plain_file_name_and_a_source_of_its_own(make: Callable[[Shelf], Feed], lang: Lang) -> None:
    feed = make(shelf(lang))
    assert re.fullmatch(rf"small-forum[A-Za-z0-9-]*-{lang}\.ics", feed.file_name)
    assert source(feed).startswith(f"{BASE_URL}/{lang}/small-forum/")
    assert source(feed).endswith(".ics")
    assert len({source(one(shelf(lang))) for one in EVERY}) == len(EVERY)


def test_a_cancelled_session_is_there_until_the_forum_is_over_and_the_feed_says_until_when() -> None:
    before = whole_forum(shelf(), now=OVER - timedelta(seconds=1))
    after = whole_forum(shelf(), now=OVER)
    assert before.valid_until == OVER
    assert CANCELLED.uid in uids(before)
    assert CANCELLED.uid not in uids(after)
    assert after.valid_until is None
    assert (before.last_modified, after.last_modified) == (MOVED.replace(microsecond=0), OVER)
    assert before.etag != after.etag


def test_a_change_of_the_forums_own_texts_is_a_modification() -> None:
    later = MOVED + timedelta(hours=5)
    feed = whole_forum(shelf(of=forum(changed_at=later)), now=NOW)
    assert feed.last_modified == later.replace(microsecond=0)


def test_a_forum_without_dates_and_programme_is_a_calendar_without_entries() -> None:
    feed = whole_forum(shelf(sessions=(), of=forum(starts_on=None, ends_on=None)), now=NOW)
    assert uids(feed) == []
    assert b"BEGIN:VTIMEZONE" in feed.body
    assert feed.last_modified >= PUBLISHED
    with pytest.raises(NotFound):
        of_day(shelf(sessions=(), of=forum(starts_on=None, ends_on=None)), DAY, now=NOW)


def test_the_etag_is_strong_and_changes_with_the_bytes_alone() -> None:
    first, second = whole_forum(shelf(), now=NOW), whole_forum(shelf(), now=NOW + timedelta(days=1))
    assert first.etag == second.etag
    assert re.fullmatch(r'"[0-9a-f]{24}"', first.etag)
    renamed = replace(LONG, title=OPENING.title)
    assert whole_forum(shelf(sessions=(OPENING, renamed)), now=NOW).etag != first.etag
