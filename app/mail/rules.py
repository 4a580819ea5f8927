"""When a mail that did not leave is tried again."""

from datetime import datetime, timedelta
from enum import StrEnum


class Outcome(StrEnum):
    SENT = "sent"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    CONFIGURATION = "configuration"
    CONNECTION = "connection"


def next_attempt(outcome: Outcome, attempts: int, now: datetime) -> datetime | None:
    if outcome is Outcome.PERMANENT or attempts >= 12:
        return None
    return now + timedelta(minutes=min(240, 2 ** min(attempts, 8)))
