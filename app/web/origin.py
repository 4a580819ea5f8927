"""Where a form came from: what another site's page sends is refused before it is read."""

from urllib.parse import urlsplit

from starlette.requests import Request

from app.kit.errors import Forbidden
from app.web.site import site_of


def same_site(request: Request) -> None:
    """Raises Forbidden("cross_site") for a POST that a browser says comes from another site.

    Browsers say so with Sec-Fetch-Site; older ones with Origin. A program that says neither carries no cookies of
    ours, and the form's sealed token is asked for in any case.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        raise Forbidden("cross_site")
    origin = request.headers.get("origin")
    if site is None and origin is not None:
        ours = {urlsplit(site_of(request).settings.base_url).netloc, request.headers.get("host", "")} - {""}
        if _place(origin) not in ours:
            raise Forbidden("cross_site")


def _place(origin: str) -> str:
    """Host and port of an Origin, or "" (no place of ours) where it cannot be read."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
