"""Pages of registering that are kept for a moment: what forms ask, the empty ones, and the groups to choose from.

A storm of registrations opens as many forms as it sends, and all but the token is the same on each; on the page with
the groups all is. A page is kept until this process writes anything but registrations, and never longer than a figure
that is shown may be old (rules §1.8): what another process wrote shows within a second. These pages say besides how the
seats stand: after registrations that is looked at anew. Whether somebody gets a seat, and whether what was sent answers
what is asked, is decided by the deed alone, from what holds under the pen.
"""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from app.kit import clock
from app.kit.pen import Pen

TOKEN, EMAIL, LINK = (f"{what}-{secrets.token_hex(16)}" for what in ("token", "email", "link"))
"""What stands in a kept page in the place of the form's token, the address and the link of one person."""
LASTS = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was read, by the clock and by what this process had written."""

    at: datetime
    commits: int
    changes: int

    @classmethod
    def now(cls, pen: Pen) -> "Moment":
        return cls(clock.now(), pen.tally.commits, pen.tally.changes)

    def holds(self, pen: Pen) -> bool:
        """Has nothing been written since but registrations, and is it no longer ago than it may be?"""
        return self.changes == pen.tally.changes and abs(clock.now() - self.at) < LASTS


@dataclass(frozen=True, slots=True)
class Blank:
    """An empty form, or the groups to choose from: what it was made of, its page, and since when it holds."""

    sheet: Any
    body: bytes
    language: str
    since: Moment


Answers = dict[tuple[bool, ...], tuple[bytes, str]]
"""Pages and their languages, by what differs in them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form asks, since when that holds, and the answers to whoever sends it."""

    sheet: Any
    since: Moment
    answers: Answers = field(default_factory=dict)


@dataclass(slots=True)
class Blanks:
    """The pages by their addresses: one for each group and one for all of them, in each language."""

    kept: dict[str, Blank] = field(default_factory=dict)
    _asked: dict[str, Asked] = field(default_factory=dict)
    _reading: dict[str, asyncio.Future[None]] = field(default_factory=dict)

    async def waited(self, what: str) -> bool:
        """Wait for whoever is `reading` this, a second at most; whether anybody was. They may have come to nothing."""
        reading = self._reading.get(what)
        if reading is None:
            return False
        await asyncio.wait([reading], timeout=LASTS.total_seconds())
        return True

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Others who want this may wait until the end."""
        over = asyncio.get_running_loop().create_future()
        self._reading.setdefault(what, over)
        try:
            yield
        finally:
            if self._reading.get(what) is over:
                del self._reading[what]
            over.set_result(None)

    def asked(self, path: str, pen: Pen) -> Asked | None:
        """What the form of this address asks, where it is known. How the seats stood may be another by now."""
        found = self._asked.get(path)
        return found if found is not None and found.since.holds(pen) else None

    def keep_asked(self, path: str, sheet: Any, since: Moment) -> Asked:
        """Keep what a form asks, read after `since`."""
        self._asked[path] = found = Asked(sheet, since)
        return found

    def find(self, path: str, pen: Pen) -> tuple[Blank | None, bool]:
        """The page of this address, and whether how the seats stand must be looked at before it is given."""
        found = self.kept.get(path)
        if found is None or not found.since.holds(pen):
            return None, False
        return found, found.since.commits != pen.tally.commits

    def keep(self, path: str, sheet: Any, page: Response, since: Moment) -> Blank:
        """Keep a page that was read after `since`; a form is rendered with TOKEN."""
        self.kept[path] = found = Blank(sheet, bytes(page.body), page.headers["content-language"], since)
        return found

    def looked_at(self, path: str, blank: Blank, commits: int) -> None:
        """The seats stand as the page says; `commits` is from before that was read."""
        self.kept[path] = replace(blank, since=replace(blank.since, commits=commits))
