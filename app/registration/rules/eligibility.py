"""Who may apply when."""

from datetime import datetime
from enum import StrEnum


class Mode(StrEnum):
    OPEN = "open"
    MODERATED = "moderated"
    INVITATION = "invitation"


class Door(StrEnum):
    NOT_YET = "not_yet"
    OPEN = "open"
    BY_INVITATION = "by_invitation"
    CLOSED = "closed"
    OVER = "over"


def door_state(
    opens_at: datetime | None, closes_at: datetime | None, forum_ends_at: datetime | None, mode: Mode, now: datetime
) -> Door:
    if forum_ends_at is not None and now >= forum_ends_at:
        return Door.OVER
    if closes_at is not None and now >= closes_at:
        return Door.CLOSED
    if opens_at is not None and now < opens_at:
        return Door.NOT_YET
    return Door.BY_INVITATION if mode is Mode.INVITATION else Door.OPEN
