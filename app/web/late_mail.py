"""Whether mail leaves late, as those are told who wait for one: looked at once in a while, not for each of them."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.kit import clock
from app.kit.db import Db
from app.mail.watching import longest_due

log = logging.getLogger("sala.web")
SECONDS = 10.0
"""How old the answer may be."""
LATE = timedelta(minutes=5)
"""Mail that has been due for so long is not there "in a few minutes"."""


@dataclass(slots=True)
class LateMail:
    """What was last known; without an answer, that stands."""

    _late: bool = False
    _looked: float = float("-inf")

    async def look(self, read: Callable[[Callable[[Db], datetime | None]], Awaitable[datetime | None]]) -> bool:
        """Does mail leave late now? At most one query."""
        moment = time.monotonic()
        if moment - self._looked >= SECONDS:
            self._looked = moment
            try:
                due = await read(longest_due)
                self._late = due is not None and clock.now() - due > LATE
            except Exception:
                log.exception("the outbox could not be read")
        return self._late
