"""Whether this site can have passkeys, and the form in which a browser shows one."""

from starlette.requests import Request

from app.accounts.authenticators import Relying, relying_on
from app.web.pages import form_token
from app.web.site import site_of

SHOW = "passkey"
"""The purpose of the form on the pages for signing in."""


def relying_of(request: Request) -> Relying | None:
    """The site as authenticators know it, from its own address and not from what a request says; None where browsers
    know no passkeys there."""
    return relying_on(site_of(request).settings.base_url)


def passkey_seal(request: Request) -> str:
    """The hidden field of that form; "" where there is none to show."""
    return form_token(request, SHOW) if relying_of(request) is not None else ""
