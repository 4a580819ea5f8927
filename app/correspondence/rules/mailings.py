"""A mailing's life: which step may follow which."""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where a mailing stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    """It begins at its time, by itself; until then nobody was written to."""
    SENDING = "sending"
    SENT = "sent"
    """Everybody meant is written to: the outbox has the rest of the way."""
    STOPPED = "stopped"


STEPS: Mapping[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.SCHEDULED}),
    State.SCHEDULED: frozenset({State.DRAFT, State.SENDING}),
    State.SENDING: frozenset({State.SENT, State.STOPPED}),
    State.SENT: frozenset({State.STOPPED}),
    State.STOPPED: frozenset(),
}
"""What may follow; a mailing that is over may still be stopped while some of its mail waits to leave."""


def may_follow(before: State, after: State) -> bool:
    """May this step be taken?"""
    return after in STEPS[before]
