"""Whoever reads a list: who they are, what they may, and the language and forum in which they read."""

from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.kit.i18n import Lang


class Reader(Protocol):
    """Somebody at the desk, or a program that acts for them."""

    @property
    def actor(self) -> Actor:
        """Who asks."""

    @property
    def lang(self) -> Lang:
        """In which language."""

    @property
    def forum(self) -> Forum:
        """Of which forum."""

    def may(self, permission: Permission) -> bool:
        """Have they this permission in this forum?"""


def local(reader: Reader, at: datetime | None) -> datetime | None:
    """An instant as the clocks of the forum's place show it."""
    return None if at is None else at.astimezone(ZoneInfo(reader.forum.timezone)).replace(tzinfo=None)
