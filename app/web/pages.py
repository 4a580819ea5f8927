"""Making an HTML answer: language, common values, forms' tokens. A handler gives a template's name and its values."""

import re
from functools import partial
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Match

from app.kit import clock, codes
from app.kit.errors import Expired, Fault, NotFound, Refused
from app.kit.i18n import LANGS, Lang, has_text, wished, worded
from app.kit.templates import environment
from app.web import cookies
from app.web.headers import PUBLISHED, SECRET
from app.web.labels import with_labels
from app.web.site import site_of

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,31}\Z")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,128}\Z")


def language(text: str) -> Lang:
    """A path's language. Raises NotFound for any other word."""
    for lang in LANGS:
        if lang == text:
            return lang
    raise NotFound


def preferred(request: Request) -> Lang:
    """The reader's language where the address does not say it: the cookie's, then the browser's, then Khmer's host's
    second language English."""
    known = cookies.read(request, cookies.LANGUAGE)
    for lang in LANGS:
        if known == lang:
            return lang
    return wished(request.headers.get("accept-language", ""))


def slug(text: str) -> str:
    """A path's slug (forum, track, speaker). Raises NotFound where it cannot be one, before any query."""
    if not _SLUG.match(text):
        raise NotFound
    return text


def code(text: str) -> str:
    """A path's public code (registration, session). Raises NotFound where it cannot be one."""
    if not _CODE.match(text):
        raise NotFound
    return text


def token(text: str) -> str:
    """A path's token. Raises NotFound where it cannot be one."""
    if not _TOKEN.match(text):
        raise NotFound
    return text


def page(
    request: Request,
    lang: Lang,
    template: str,
    *,
    status: int = 200,
    secret: bool = False,
    wording: str = "",
    **values: Any,
) -> HTMLResponse:
    """Render a page. `secret` pages (tokened or signed in) are never stored by anybody.

    A view may give a `twin` of its own where the address does not say everything, and a second `wording` of the texts.
    """
    site = site_of(request)
    if "twin" not in values:
        values["twin"] = twin(opened_at(request, status), lang)
    if wording:
        values["t"] = partial(worded, lang, wording)
    html = (
        environment(lang)
        .get_template(template)
        .render(asset=site.assets.url, base_url=site.settings.base_url, path=request.url.path, **values)
    )
    response = HTMLResponse(with_labels(lang, html), status_code=status)
    response.headers["cache-control"] = SECRET if secret or status >= 400 else PUBLISHED
    response.headers["content-language"] = lang
    return response


def opened_at(request: Request, status: int = 200) -> str:
    """The path under which a reader can open a page again that was answered with this status.

    What answers a form stands where the form was sent, which often cannot be opened: then it is the nearest page
    above, the one the form is on.
    """
    path = request.url.path
    if request.method in {"GET", "HEAD"} and status != 405:
        return path
    above = path
    while above:
        question = {**request.scope, "method": "GET", "path": above}
        if any(route.matches(question)[0] is Match.FULL for route in request.app.router.routes):
            return above
        above = above.rpartition("/")[0]
    return path


def twin(path: str, lang: Lang) -> str:
    """The same page in the other language; pages without a language in their address take `?lang=`."""
    other = "en" if lang == "km" else "km"
    if path.startswith(f"/{lang}/"):
        return f"/{other}{path[3:]}"
    return f"/{other}" if path == f"/{lang}" else f"{path}?lang={other}"


def form_token(request: Request, purpose: str, bound_to: str = "") -> str:
    """A hidden field for a form: when it was opened, a random request key, sealed for this purpose and login.

    It is what makes sending twice harmless (the key), sending from elsewhere useless (the seal) and sending in an
    instant suspicious (the time).
    """
    opened = int(clock.now().timestamp() * 1000)
    return codes.seal(
        site_of(request).settings.secret_key, f"form/{purpose}/{bound_to}", f"{opened}-{codes.public_code(20)}"
    )


def read_form_token(request: Request, form: FormData, purpose: str, bound_to: str = "") -> tuple[str, float]:
    """The form's request key and its age in seconds.

    Raises Refused("form_missing") where the token is absent or not ours, Expired("form_old") where it is too old.
    """
    settings = site_of(request).settings
    sealed = form.get("form")
    text = codes.unseal(settings.secret_key, f"form/{purpose}/{bound_to}", sealed) if isinstance(sealed, str) else None
    if text is None:
        raise Refused("form_missing")
    opened, _, key = text.partition("-")
    age = clock.now().timestamp() - int(opened) / 1000
    if age > settings.form_hours * 3600:
        raise Expired("form_old", hours=settings.form_hours)
    return key, age


def sentence(lang: Lang, fault: Fault | Refused | Exception, wording: str = "") -> str:
    """A fault or refusal in words: `refused.<code>` of the catalogue, in a second `wording` where there is one."""
    name = getattr(fault, "code", "") or type(fault).__name__.lower()
    key = f"refused.{name}"
    values = getattr(fault, "values", {})
    return worded(lang, wording, key if has_text(lang, key) else "refused.unknown", **values)
