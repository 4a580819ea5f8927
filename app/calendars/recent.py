"""Private calendars that were read a short while ago, for the applications that ask for them all day.

Whatever changes one is a fact in its forum's chain or in the site's (rules §6), or another revision of what is
published. So a calendar stands as long as those do: how far they go is asked once a second for all of them together,
instead of each time whose calendar it is and what is in it.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.audit.recording import heads
from app.calendars.feeds import Feed
from app.kit.db import Db
from app.kit.pen import SITE, revisions

LONGEST = 60.0
"""Seconds after which a calendar is read anew in any case."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How far the chains of facts and the revisions go, by scope."""

    facts: Mapping[str, int] = field(default_factory=dict)
    revisions: Mapping[str, int] = field(default_factory=dict)

    def of(self, forum: str) -> tuple[int, int, int]:
        """What a calendar of this forum hangs on."""
        return self.facts.get(forum, 0), self.facts.get(SITE, 0), self.revisions.get(forum, 0)


def stand_of(db: Db) -> Stand:
    """How everything stands now. Two queries."""
    return Stand(heads(db), revisions(db))


@dataclass(frozen=True, slots=True)
class _Kept:
    feed: Feed
    of: tuple[int, int, int]
    at: float


@dataclass(slots=True)
class Recent:
    """The private calendars read lately, at most `most`; nothing is kept of one but what everybody's share, its head
    and its token.

    A renewed token or a lost seat shows within `seconds`, as any change does (house: "What is published is bytes").
    """

    most: int = 2000
    seconds: float = 1.0
    stand: Stand = field(default_factory=Stand)
    _looked: float = float("-inf")
    _kept: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)

    def is_due(self, moment: float) -> bool:
        """Is it `seconds` ago at `moment` (monotonic seconds) that it was asked how everything stands?"""
        return moment - self._looked >= self.seconds

    async def look(self, read: Callable[[Callable[[Db], Any]], Awaitable[Any]], moment: float) -> None:
        """Ask how everything stands at `moment`, if that is due."""
        if self.is_due(moment):
            self.stand = await read(stand_of)
            self._looked = moment

    def get(self, token: str, moment: float, now: datetime) -> Feed | None:
        """The calendar of this token, where it is known and stands as it was."""
        kept = self._kept.get(token)
        if kept is None or kept.of != self.stand.of(kept.feed.forum) or moment - kept.at >= LONGEST:
            return None
        over = kept.feed.valid_until is not None and kept.feed.valid_until <= now
        return None if over else kept.feed

    def keep(self, token: str, moment: float, feed: Feed, stand: Stand) -> None:
        """Remember the calendar as read at `moment`, after everything stood so; the one longest there goes when there
        are too many."""
        self._kept.pop(token, None)
        self._kept[token] = _Kept(feed, stand.of(feed.forum), moment)
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)
