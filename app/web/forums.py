"""Which forum an address stands in, for pages that have read nothing: the error pages and their menu."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from app.forum.models import Forum
from app.forum.queries import public_forums
from app.kit.db import Db
from app.kit.i18n import LANGS

log = logging.getLogger("sala.web")
SECONDS = 1.0
"""How old what is known may be, so that a storm of errors costs one query a second and not one each."""


@dataclass(slots=True)
class Forums:
    """Every public forum by its slug, read at most once a second; without an answer, what was known stands."""

    _known: dict[str, Forum] = field(default_factory=dict)
    _looked: float = float("-inf")

    async def look(self, read: Callable[[Callable[[Db], list[Forum]]], Awaitable[list[Forum]]]) -> None:
        """Learn which forums there are, if that is not known of the last second. At most one query."""
        moment = time.monotonic()
        if moment - self._looked < SECONDS:
            return
        self._looked = moment
        try:
            self._known = {forum.slug: forum for forum in await read(public_forums)}
        except Exception:
            log.exception("the forums could not be read")

    def at(self, path: str) -> Forum | None:
        """The forum in which an address of a public page stands (`/{lang}/{forum}/…`), as far as one is known there."""
        _, lang, slug, *_ = [*path.split("/", 3), "", ""]
        return self._known.get(slug) if lang in LANGS else None
