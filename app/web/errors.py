"""The error pages: every answer that is not "done" in the page's language, or as problem+json for programs."""

import logging
import traceback
import uuid
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from app.forum.models import Forum
from app.kit.errors import Answer, BodyTooLarge, Busy, TooMany, Unavailable
from app.kit.i18n import LANGS, Lang, has_text, text_of
from app.kit.logs import REQUEST
from app.kit.trouble import BUSY, UNCERTAIN, UNREACHABLE, UNWRITABLE, trouble_of
from app.web.deps import SecondFactorNeeded, SignInNeeded, back
from app.web.forms import read_form
from app.web.guards import App, Receive, Scope, Send
from app.web.headers import SECRET
from app.web.pages import opened_at, page, preferred, sentence
from app.web.site import site_of

log = logging.getLogger("sala.web")
SECONDS = {BUSY: 5, UNREACHABLE: 10, UNWRITABLE: 60, UNCERTAIN: 5}
"""After how long it is worth trying again, where nobody knows better."""
_MOST_KEPT, _MOST_FILES = 1000, 20


def install(app: FastAPI) -> None:
    """Tell the app how to answer each kind of error."""
    app.add_exception_handler(Answer, _answer)
    app.add_exception_handler(Busy, _busy)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(SQLAlchemyError, _trouble)
    app.add_exception_handler(OSError, _trouble)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(BodyTooLarge, _too_large)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(SecondFactorNeeded, _second_factor)
    app.add_exception_handler(Exception, _fault)


def language_of(request: Request) -> Lang:
    """The language of the address, or the reader's."""
    first = request.url.path.split("/", 2)[1]
    return next((lang for lang in LANGS if lang == first), preferred(request))


async def _answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, Answer)  # noqa: S101 - registered for this class
    response = await show(
        request,
        error.status,
        sentence(language_of(request), error) if error.code else "",
        sign_in=error.code == "sign_in_link",
    )
    if isinstance(error, TooMany) or "seconds" in error.values:
        response.headers["retry-after"] = str(int(error.values.get("seconds", 60)))
    return response


async def _busy(request: Request, error: Exception) -> Response:
    assert isinstance(error, Busy)  # noqa: S101 - registered for this class
    return await _later(request, BUSY, int(error.values.get("seconds", SECONDS[BUSY])))


async def _unavailable(request: Request, error: Exception) -> Response:
    assert isinstance(error, Unavailable)  # noqa: S101 - registered for this class
    log.error("the database is %s at %s %s", error.code, request.method, route_of(request))
    return await _later(request, error.code, SECONDS[error.code])


async def _trouble(request: Request, error: Exception) -> Response:
    """What the database itself cannot do now; whatever else a driver complains of is a fault of ours."""
    if not (trouble := trouble_of(error)):
        raise error
    log.error("the database is %s at %s %s", trouble, request.method, route_of(request))
    return await _later(request, trouble, SECONDS[trouble])


async def _later(request: Request, trouble: str, seconds: int) -> Response:
    """503: not now. What was typed stands in the page, to be sent again as it is: with the same request key, so that
    it is taken once. It asks the database for nothing."""
    kept, files = await _sent(request)
    response = await show(request, 503, name=trouble, kept=kept, files=files, again=request.method == "GET")
    response.headers["retry-after"] = str(seconds)
    return response


async def _sent(request: Request) -> tuple[list[tuple[str, str]], bool]:
    """The fields of the form that was sent, and whether files were; nothing where it was none."""
    if request.method != "POST":
        return [], False
    try:
        sent = await read_form(request, fields=_MOST_KEPT, files=_MOST_FILES)
    except (Answer, HTTPException, BodyTooLarge):
        return [], False
    every = sent.multi_items()
    kept = [(name, value) for name, value in every if isinstance(value, str)]
    return kept, len(kept) < len(every)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    response = await show(request, error.status_code)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


async def _too_large(request: Request, _error: Exception) -> Response:
    return await show(request, 413)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # who broke off reads nothing, and it is nobody's fault


def too_large(app: FastAPI) -> App:
    """The same page for a body that was announced as too large: it is shown before the app is asked."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        response = await show(Request({**scope, "app": app}), 413)
        await response(scope, receive, send)

    return answer


def busy(app: FastAPI, seconds: int) -> App:
    """The page for whoever waited too long for their turn: made once in each language, because there are many of them.
    It is no forum's and leads to the same address once more."""
    made: dict[Lang, Response] = {}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request({**scope, "app": app})
        lang = language_of(request)
        if scope["path"].endswith((".json", ".xml", ".ics")):
            response = await show(request, 503)
        elif lang in made:
            response = made[lang]
        else:
            nobodys = {"path": f"/{lang}", "raw_path": f"/{lang}".encode(), "query_string": b"", "headers": []}
            response = made[lang] = await show(Request({**request.scope, **nobodys}), 503, again=True)
        response.headers["retry-after"] = str(seconds)
        await response(scope, receive, send)

    return answer


async def _sign_in(request: Request, _error: Exception) -> Response:
    """A page leads to signing in; what was sent by a form cannot be kept, and the answer says so."""
    if request.method in {"GET", "HEAD"}:
        return back("/login")
    response = await show(request, 401)
    response.headers["www-authenticate"] = 'Link realm="Sala"'  # RFC 9110 §15.5.2 wants one; no browser asks for it
    return response


async def _second_factor(request: Request, _error: Exception) -> Response:
    """A page leads to where one is set up; a form is refused and says why."""
    if request.method in {"GET", "HEAD"}:
        return back("/account/factor?needed=1")
    return await show(request, 403, text_of(language_of(request), "refused.second_factor_needed"))


async def _fault(request: Request, error: Exception) -> Response:
    reference = REQUEST.get() or uuid.uuid4().hex[:16]
    log.error("fault %s at %s %s", reference, request.method, route_of(request), exc_info=error)
    if site_of(request).settings.debug:
        return PlainTextResponse("".join(traceback.format_exception(error)), 500)
    return await show(request, 500, reference=reference)


def route_of(request: Request) -> str:
    """The route's template, for logs: the path itself may hold a secret link."""
    return str(getattr(request.scope.get("route"), "path", "no route"))


async def _forum_around(request: Request, status: int) -> Forum | None:
    """The forum whose menu an error page has; a fault of ours asks the database for nothing more."""
    site, path = site_of(request), request.url.path
    if status < 500 and path.startswith(tuple(f"/{lang}/" for lang in LANGS)):
        await site.forums.look(site.read)
    return site.forums.at(path)


async def show(
    request: Request,
    status: int,
    text: str = "",
    reference: str = "",
    *,
    name: str = "",
    sign_in: bool = False,
    again: bool = False,
    kept: Sequence[tuple[str, str]] = (),
    files: bool = False,
) -> Response:
    """One error page: its title and sentence by status or by its own `name`, or the refusal's own sentence.

    With `sign_in` it leads to where one asks for a new link, instead of to the first page; with `again` it can be
    asked for once more, and what is `kept` of a form (all but its `files`) be sent. Under a forum's address the page
    has its menu, for every reader alike.
    """
    lang = language_of(request)
    key = next(key for key in (f"errors.{name}", f"errors.{status}", "errors.400") if has_text(lang, f"{key}.title"))
    title, text = text_of(lang, f"{key}.title"), text or text_of(lang, f"{key}.text")
    path = request.url.path
    if path.startswith("/api/") or path.endswith((".json", ".xml")):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": text}
        return JSONResponse(problem, status, {"cache-control": SECRET}, media_type="application/problem+json")
    if path.endswith(".ics"):
        return PlainTextResponse(f"{title}. {text}\n", status, {"cache-control": SECRET})
    values: dict[str, Any] = {"title": title, "text": text, "reference": reference, "sign_in": sign_in}
    values |= {"again": again, "kept": kept, "files": files}
    form_page = opened_at(request, status) if status == 405 else path
    values["form_page"] = form_page if form_page != path else ""
    values["forum"] = await _forum_around(request, status)
    return page(request, lang, "errors/page.html", status=status, **values)
