"""When a message is tried again, and when a claim on it counts as abandoned (rules §6)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum


class Outcome(StrEnum):
    """How an attempt to hand a message to SMTP went."""

    SENT = "sent"
    TEMPORARY = "temporary"
    """The server refused this message for now (4yz)."""
    PERMANENT = "permanent"
    """The server refused this message for good (5yz)."""
    POLICY = "policy"
    """The server refused this message by its policy (5yz X.7.X): for our settings, or for good."""
    CONFIGURATION = "configuration"
    """The server refused us: sign-in, encryption, sender."""
    CONNECTION = "connection"
    """No server, no name, no answer."""


BACK_OFF_MINUTES: Mapping[Outcome, tuple[int, ...]] = {
    Outcome.TEMPORARY: (5, 15, 30, 60, 120, 240),
    Outcome.POLICY: (15, 30, 60, 120, 240),
    Outcome.CONFIGURATION: (15, 30, 60),
    Outcome.CONNECTION: (1, 2, 5, 10, 15),
}
"""Minutes to wait after the first, second, … attempt; the last number repeats. A failed sign-in waits longest
at first, because servers lock accounts that knock too often."""

MOST_ANSWERS: Mapping[Outcome, int] = {Outcome.PERMANENT: 1, Outcome.POLICY: 34, Outcome.TEMPORARY: 34}
"""After so many answers about itself a message is given up. 34 are about five days, the time RFC 5321 §4.5.4.1 asks
a sender to keep trying; a policy may be that of our own settings, so there is as long to mend them."""

CLAIM_LASTS = timedelta(minutes=10)
"""Longer than one delivery can last: delivery must give up on a silent server well before."""


CLOCKS_DIFFER = timedelta(minutes=5)
"""What was written further ahead than that was written by a clock that has been set back since."""
LONGEST_WAIT = timedelta(hours=5)
"""Longer than any back-off: who is to wait longer was told so by such a clock."""


def is_answer(outcome: Outcome) -> bool:
    """Did a server say something about the message itself? While none can be reached or none lets us in, none did."""
    return outcome in MOST_ANSWERS


def came_back(outcome: Outcome, said: str) -> bool:
    """Did a server refuse this message for good? `said` is its line, which begins with its code (RFC 5321 §4.2)."""
    return outcome is Outcome.PERMANENT and said[:1] == "5"


def next_attempt(outcome: Outcome, attempts: int, now: datetime) -> datetime | None:
    """When to try again (aware UTC) after `attempts` ≥ 1 attempts, the last just now; None: it has failed.

    Only an answer about the message itself ends in giving up, and only such answers are counted for it: hours without
    a server are not held against the message. What was sent has no next attempt: ValueError, as for fewer than one.
    """
    if outcome is Outcome.SENT or attempts < 1:
        raise ValueError(f"no next attempt: {outcome} after {attempts}")
    if attempts >= MOST_ANSWERS.get(outcome, attempts + 1):
        return None
    waits = BACK_OFF_MINUTES[outcome]
    return now + timedelta(minutes=waits[min(attempts, len(waits)) - 1])
