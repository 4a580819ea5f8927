"""Whether this site can have passkeys: what the pages ask that offer one."""

from starlette.requests import Request

from app.accounts.authenticators import Relying, relying_on
from app.web.site import site_of


def relying_of(request: Request) -> Relying | None:
    """The site as authenticators know it, from its own address and not from what a request says; None where browsers
    know no passkeys there."""
    return relying_on(site_of(request).settings.base_url)
