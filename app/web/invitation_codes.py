"""Invitation codes as people type them: read from an address or a form, and looked up without letting anybody guess."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from app.forum.queries import forum_by_slug
from app.kit import clock
from app.kit.throttling import network, who
from app.registration.replying import Tried, try_code
from app.web.site import site_of

_LONGEST = 64


def code_in(sent: Mapping[str, Any]) -> str:
    """The code in an address's question or in a form; "" without one."""
    typed = sent.get("code", "")
    kept = typed if isinstance(typed, str) else ""
    return "".join(letter for letter in kept[:_LONGEST] if letter.isprintable()).strip()


async def try_typed_code(request: Request, slug: str, typed: str) -> Tried:
    """What a typed code opens. Unknown ones are counted by network address. Raises TooMany."""
    site, now = site_of(request), clock.now()
    settings = site.settings
    whom = who(settings.secret_key, "codes", network(request.scope.get("client_address", "")))
    most, window = settings.throttle_wrong_codes, settings.throttle_window_seconds
    return await site.write(slug, lambda db: try_code(db, forum_by_slug(db, slug), typed, whom, most, window, now=now))
