"""What the doors share while the program runs: settings, database, pen, assets, ready calendars, known forums."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.calendars.recent import Recent
from app.calendars.shelves import Shelves
from app.kit import clock
from app.kit.absences import Sought
from app.kit.db import READ_AT_ONCE, SECONDS_TO_BE_READ, Database, Db
from app.kit.errors import Busy
from app.kit.pen import Deed, Pen
from app.kit.printing import pdf, png
from app.kit.settings import Settings
from app.kit.turns import Gate
from app.registration.settling import settle_ahead
from app.registration.tallying import Counted
from app.web.assets import Assets
from app.web.blanks import Blanks
from app.web.forums import Forums
from app.web.late_mail import LateMail

if TYPE_CHECKING:
    from app.web.figures import Figures

T = TypeVar("T")
PRINTED_AT_ONCE = 2
"""Letters typeset at one time: each takes a core for some milliseconds, and pages go first."""
LISTS_AT_ONCE = 1
"""Lists of people read at one time, for the same reason."""


@dataclass(slots=True)
class Site:
    """One running site."""

    settings: Settings
    database: Database
    pen: Pen
    assets: Assets
    shelves: Shelves = field(default_factory=Shelves)
    recent: Recent = field(default_factory=Recent)
    forums: Forums = field(default_factory=Forums)
    counted: Counted = field(default_factory=Counted)
    blanks: Blanks = field(default_factory=Blanks)
    late_mail: LateMail = field(default_factory=LateMail)
    figures: "Figures | None" = None
    """What the process counts, where somebody may read it."""
    press: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PRINTED_AT_ONCE))
    api: Callable[[], Mapping[str, Any]] = dict
    """Says what the API can do, as OpenAPI."""
    threads: Gate = field(default_factory=lambda: Gate(READ_AT_ONCE, seconds=SECONDS_TO_BE_READ))
    """Where readers wait for a thread; on SQLite none does."""
    reading_desk: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LISTS_AT_ONCE))

    async def read(self, query: Callable[[Db], T], *, replica: bool = False) -> T:
        """Run a query on a read-only view: inline on SQLite, where a thread costs more than it gives. With `replica`
        a replica may answer, see `Database.read`."""
        if self.database.is_sqlite:
            return self.database.read(query)
        read = self.database.in_turn(query, replica=replica)
        async with self.threads.turn():
            return await run_in_threadpool(read)

    async def read_list(self, query: Callable[[Db], T]) -> T:
        """Run a query that reads a long list which was sent, in a thread and after those sent before."""
        async with self.reading_desk:
            return await run_in_threadpool(self.database.read, query)

    async def write(self, scope: str, deed: Deed[T]) -> T:
        """Have the pen write a deed in a forum's scope (its slug) or SITE; answers after the commit."""
        return await self.pen.write(scope, deed)

    async def print(self, template: str, values: Mapping[str, Any], *, at: datetime) -> bytes:
        """Have a PDF typeset in a thread, outside the pen; see `app.kit.printing`."""
        async with self.press:
            return await run_in_threadpool(pdf, template, values, at=at)

    async def draw(self, template: str, values: Mapping[str, Any]) -> bytes:
        """Have a picture (PNG) typeset, likewise."""
        async with self.press:
            return await run_in_threadpool(png, template, values)

    async def write_settled(
        self,
        forum: str,
        deed: Deed[T],
        *,
        now: datetime | None = None,
        counted: Deed[None] | None = None,
        quiet: bool = False,
        ahead: Sequence[Sought] = (),
    ) -> T:
        """Have a deed about seats written, and what is due before it as a deed of its own, in the same commit.

        So a deed that is refused takes back only itself, and nobody's lapse or expiry with it (rules §1.4). A deed
        that settles at this very `now` does not do so again. `counted` counts the try before all of that: a try that is
        refused has been counted, and one that is refused by the count is none. `quiet` and `ahead`: see
        `Pen.submit_together`.
        """
        at, barred = now or clock.now(), _Barred()

        def settled(db: Db) -> None:
            settle_ahead(db, forum, now=at)

        deeds: list[Deed[Any]] = [settled, deed]
        if counted is not None:
            deeds = [barred.until_counted(counted, settled), barred.behind(deed)]
        done: T = await self.pen.write_together(forum, deeds, quiet=quiet, ahead=ahead)
        return done


class _Barred:
    """Keeps one deed from being done until another, which the pen writes before it, was: in the same transaction, or in
    one that was committed. Should the count be dropped or not be kept, nothing is done uncounted."""

    def __init__(self) -> None:
        self.why: Exception | None = Busy("busy", seconds=2)
        self._in: Db | None = None

    def until_counted(self, *first: Deed[None]) -> Deed[None]:
        @wraps(first[0])
        def counting(db: Db) -> None:
            try:
                for each in first:
                    each(db)
            except Exception as refusal:
                self.why = refusal
                raise
            self.why, self._in = None, db

        return counting

    def behind(self, deed: Deed[T]) -> Deed[T]:
        @wraps(deed)
        def done(db: Db) -> T:
            if self.why is not None:
                raise self.why
            if self._in is not db and not (self._in is not None and self._in.is_kept):
                raise Busy("busy", seconds=2)
            return deed(db)

        return done


def site_of(request: Request) -> Site:
    """The site that serves this request."""
    site: Site = request.app.state.site
    return site
