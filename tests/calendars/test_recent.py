"""Private calendars that are remembered: as long as no fact and no revision says otherwise, and a minute at most."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from app.audit.recording import record
from app.calendars.feeds import Feed
from app.calendars.personal import Holder, personal
from app.calendars.recent import LONGEST, Recent, Stand, stand_of
from app.kit.db import Database, Db
from app.kit.pen import SITE, Pen, republish
from tests.calendars.sample import MOVED, NOW, shelf
from tests.cast import SLUG

TOKEN = "a" * 32
FEED: Feed = personal(shelf(), Holder("small-forum", "en", holds_seat=True, changed_at=MOVED), TOKEN, now=NOW)


def test_a_calendar_is_remembered_a_minute_at_most_and_not_beyond_what_it_says_of_time() -> None:
    recent = Recent()
    recent.keep(TOKEN, 100.0, FEED, recent.stand)
    assert recent.get(TOKEN, 100.0 + LONGEST - 0.1, NOW) is FEED
    assert recent.get(TOKEN, 100.0 + LONGEST, NOW) is None
    assert recent.get("b" * 32, 100.0, NOW) is None
    until = NOW + timedelta(days=1)
    recent.keep(TOKEN, 100.0, replace(FEED, valid_until=until), recent.stand)
    assert recent.get(TOKEN, 100.0, until - timedelta(seconds=1)) is not None
    assert recent.get(TOKEN, 100.0, until) is None


def test_a_fact_of_its_forum_or_of_the_site_or_another_revision_ends_it_and_nothing_elsewhere_does() -> None:
    own = FEED.forum
    for changed, ends in (
        (Stand({own: 1}), True),
        (Stand({SITE: 1}), True),
        (Stand({}, {own: 1}), True),
        (Stand({"another": 1}, {"another": 1, SITE: 1}), False),
    ):
        recent = Recent()
        recent.keep(TOKEN, 100.0, FEED, recent.stand)
        recent.stand = changed
        assert (recent.get(TOKEN, 100.0, NOW) is None) == ends, changed
        recent.keep(TOKEN, 100.0, FEED, Stand())  # read while that happened: as it stood before
        assert (recent.get(TOKEN, 100.0, NOW) is None) == ends, changed


def test_no_more_calendars_are_remembered_than_allowed() -> None:
    recent = Recent(most=2)
    for token in "abc":
        recent.keep(token, 100.0, FEED, recent.stand)
    assert [token for token in "abc" if recent.get(token, 100.0, NOW)] == ["b", "c"]


def test_how_everything_stands_is_asked_once_a_second(either_database: Database) -> None:
    recent, asked, pen = Recent(), [], Pen(either_database)

    async def read(query: Any) -> Any:
        asked.append(query)
        return either_database.read(query)

    def seen(moment: float) -> tuple[int, int, int]:
        asyncio.run(recent.look(read, moment))
        return recent.stand.of(SLUG)

    def fact(db: Db) -> None:
        record(db, SLUG, ("worker:", ""), "registration.noted", "registration:X", now=NOW)

    first = seen(100.0)
    pen.write_now(SLUG, fact)
    assert seen(100.9) == first
    assert len(asked) == 1
    facts, site, revision = seen(101.0)
    assert (facts, site, revision) == (first[0] + 1, *first[1:])
    pen.write_now(SLUG, lambda db: republish(db, SLUG))
    assert seen(102.0) == (facts, site, revision + 1)
    assert either_database.read(stand_of) == recent.stand
