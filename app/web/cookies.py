"""The site's cookies: what they are called, and how a browser is given them and they are taken back.

Reached by https each is called `__Host-…` (ASVS 5.0, 3.3.1 and 3.3.3): a browser takes such a one over https alone,
for this host alone and for all of its paths, so neither another host of the same domain nor anybody on the way can put
one of theirs in its place. Only that name is read then.
"""

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from app.web.site import site_of

LOGIN, LANGUAGE = "sala_login", "lang"
CHALLENGE = "sala_challenge"
"""What binds a passkey's challenge to the browser that asked for it, while nobody is signed in there."""


def called(request: Request, name: str) -> str:
    """What one of these cookies is called on this site."""
    return f"__Host-{name}" if site_of(request).settings.secure else name


def read(request: Request, name: str) -> str:
    """What the browser sent of it; "" where nothing."""
    return request.cookies.get(called(request, name), "")


def give(
    request: Request,
    response: Response,
    name: str,
    value: str,
    lasts: int,
    samesite: Literal["lax", "strict"] = "lax",
) -> None:
    """Give it to the browser for `lasts` seconds: for this site alone, not readable by scripts, not sent along from
    elsewhere."""
    secure = site_of(request).settings.secure
    response.set_cookie(
        called(request, name), value, max_age=lasts, path="/", httponly=True, samesite=samesite, secure=secure
    )


def take_back(request: Request, response: Response, name: str, samesite: Literal["lax", "strict"] = "lax") -> None:
    """Take it back from the browser."""
    secure = site_of(request).settings.secure
    response.delete_cookie(called(request, name), path="/", httponly=True, samesite=samesite, secure=secure)
