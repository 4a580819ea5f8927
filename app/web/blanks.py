"""Empty forms to register, rendered once for all who open them at the same moment; each gets a token of its own.

A storm of registrations opens as many forms as it sends, and all but the token is the same on each. An empty form is
kept, with what it was made of, until this process writes anything at all, and never longer than a figure that is shown
may be old (rules §1.8): what another process wrote shows within a second. Whether somebody gets a seat is decided
by the deed alone, from what holds under the pen.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from app.kit import clock
from app.kit.pen import Pen

TOKEN = f"token-{secrets.token_hex(16)}"
"""What stands in the place of the token in a kept form."""
LASTS = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Blank:
    """A kept form: what it was made of, its page, and what held when it was rendered."""

    sheet: Any
    body: bytes
    language: str
    commits: int
    at: datetime


@dataclass(slots=True)
class Blanks:
    """The kept forms by their addresses: as many as there are groups, in each language."""

    kept: dict[str, Blank] = field(default_factory=dict)

    def find(self, path: str, pen: Pen) -> Blank | None:
        """The form of this address, where it is still what would be rendered."""
        found = self.kept.get(path)
        if found is None or found.commits != pen.tally.commits or abs(clock.now() - found.at) >= LASTS:
            return None
        return found

    def keep(self, path: str, sheet: Any, page: Response, commits: int, at: datetime) -> Blank:
        """Keep a form that was rendered with TOKEN; `commits` and `at` are those before it was read."""
        found = Blank(sheet, bytes(page.body), page.headers["content-language"], commits, at)
        self.kept[path] = found
        return found
