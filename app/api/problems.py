"""What a program is answered instead of what it asked for: problem+json (RFC 9457), in the caller's language."""

import json
import logging
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.kit.errors import Answer, BodyTooLarge, Fault, Invalid
from app.kit.i18n import Lang, has_text, text_of, wished
from app.kit.inputs import fault_of
from app.kit.trouble import trouble_of

log = logging.getLogger("sala.api")
MEDIA = "application/problem+json"
KEPT_BY_NOBODY = {"cache-control": "private, no-store"}
MOST_WRONG = 50
"""So many things that are wrong with one body are told: a body of a hundred thousand held everybody else up."""
STATUSES = (400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 428, 429, 500, 503)


class BadRequest(Answer):
    """What came cannot be read at all."""

    status = 400


class Unauthorized(Answer):
    """No token, or none that is good."""

    status = 401


class NotAcceptable(Answer):
    """The caller takes no JSON."""

    status = 406


class Stale(Answer):
    """What is to be changed is another by now than the one the caller has seen (If-Match)."""

    status = 412


class OtherMedia(Answer):
    """The body is said to be something other than JSON, or than the files that are taken here."""

    status = 415


class UnseenChange(Answer):
    """A change that does not say of what: it takes an If-Match."""

    status = 428


class Wrong(BaseModel):
    """One thing wrong: where (a JSON pointer into the body, or the name of a parameter), a code and a sentence."""

    pointer: str | None = None
    parameter: str | None = None
    code: str
    detail: str


class Problem(BaseModel):
    """Why a request was not done. `type` and `code` stay; `title` and `detail` are in the caller's language."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "https://forum.example/api/docs#problem-422",
                    "title": "Not accepted",
                    "status": 422,
                    "detail": "Please fill in this field.",
                    "code": "invalid",
                    "errors": [{"pointer": "#/category", "code": "missing", "detail": "Please fill in this field."}],
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="The refusal's code, the same as at every other door; empty where there is none.")
    errors: list[Wrong] = []
    reference: str | None = Field(default=None, description="Of a fault on the site's side: what to tell its keeper.")


def install(app: FastAPI, base_url: str) -> None:
    """Tell the application how to answer each kind of error."""

    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, Answer)  # noqa: S101 - registered for this class
        return refuse(request, base_url, error.status, error.code, error.values, error.faults)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
        # FastAPI says so of JSON that is too deep to be read, or no text
        response = refuse(request, base_url, error.status_code, "not_json" if error.status_code == 400 else "")
        response.headers.update(error.headers or {})
        return response

    async def unread(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
        return _unread(request, base_url, error.errors())

    async def too_large(request: Request, _error: Exception) -> Response:
        return refuse(request, base_url, 413)

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)  # who broke off reads nothing, and it is nobody's fault

    async def trouble(request: Request, error: Exception) -> Response:
        if not (code := trouble_of(error)):
            raise error
        log.error("the database is %s at %s", code, request.method)
        return refuse(request, base_url, 503, code)

    async def fault(request: Request, error: Exception) -> Response:
        reference = uuid.uuid4().hex[:8]
        route = getattr(request.scope.get("route"), "path", "no route")
        log.error("fault %s at %s %s", reference, request.method, route, exc_info=error)
        return refuse(request, base_url, 500, reference=reference)

    app.add_exception_handler(Answer, answer)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, unread)
    app.add_exception_handler(BodyTooLarge, too_large)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(SQLAlchemyError, trouble)
    app.add_exception_handler(OSError, trouble)
    app.add_exception_handler(Exception, fault)


@contextmanager
def sent_in(field: str) -> Iterator[None]:
    """What a deed finds wrong is told where it was sent: in this field of the body. Raises Invalid as the deed does."""
    try:
        yield
    except Invalid as invalid:
        raise Invalid([replace(each, field=f"{field}.{each.field}") for each in invalid.faults]) from None


def too_large(base_url: str) -> ASGIApp:
    """The answer to a body that was announced as too large, for whoever does not even read it."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await refuse(Request(scope), base_url, 413)(scope, receive, send)

    return answer


def busy(base_url: str, seconds: int) -> ASGIApp:
    """The answer to whoever waited too long for their turn."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await refuse(Request(scope), base_url, 503, values={"seconds": seconds})(scope, receive, send)

    return answer


def refuse(
    request: Request,
    base_url: str,
    status: int,
    code: str = "",
    values: Mapping[str, Any] | None = None,
    faults: Iterable[Fault] = (),
    reference: str | None = None,
) -> Response:
    """The answer for a status, a refusal's code with its values, and the fields that are wrong."""
    lang = wished(request.headers.get("accept-language", ""))
    asked = request.method in {"GET", "HEAD"}  # what is asked for stands in the address, what is sent in the body
    wrong = [
        Wrong(
            pointer=None if asked else _pointer(each.field.split(".")),
            parameter=each.field if asked else None,
            code=each.code,
            detail=sentence(lang, each),
        )
        for each in faults
        if each.field
    ]
    return _response(lang, base_url, status, code, dict(values or {}), wrong, reference)


def _unread(request: Request, base_url: str, errors: Sequence[Any]) -> Response:
    """What FastAPI could not read: a body that is no JSON, fields and parameters that are wrong, a path of nothing."""
    lang = wished(request.headers.get("accept-language", ""))
    if any(item["type"] == "json_invalid" for item in errors):
        return _response(lang, base_url, 400, "not_json", {}, [])
    if any(item["loc"][0] == "path" for item in errors):
        return refuse(request, base_url, 404)
    wrong = []
    for item in errors[:MOST_WRONG]:
        fault, (where, *path) = fault_of(item), item["loc"]
        if where == "body":
            wrong.append(Wrong(pointer=_pointer(path), code=fault.code, detail=sentence(lang, fault)))
        else:
            wrong.append(Wrong(parameter=str(path[0]), code=fault.code, detail=sentence(lang, fault)))
    return _response(lang, base_url, 422, "invalid", {}, wrong)


def _response(
    lang: Lang,
    base_url: str,
    status: int,
    code: str,
    values: Mapping[str, Any],
    wrong: list[Wrong],
    reference: str | None = None,
) -> Response:
    known = status if status in STATUSES else 400
    detail = wrong[0].detail if wrong else text_of(lang, f"api.problems.{known}.text")
    if not wrong and code and has_text(lang, f"refused.{code}"):
        detail = sentence(lang, Fault("", code, dict(values)))
    problem = Problem(
        type=f"{base_url}/api/docs#problem-{known}",
        title=text_of(lang, f"api.problems.{known}.title"),
        status=status,
        detail=detail,
        code=code,
        errors=wrong,
        reference=reference,
    )
    headers = {**KEPT_BY_NOBODY, "content-language": lang}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="Sala"' + (', error="invalid_token"' if code else "")
    if "seconds" in values or status in {429, 503}:
        headers["retry-after"] = str(int(values.get("seconds", 60)))
    # a field's name may hold half a letter, which no answer can
    body = json.dumps(problem.model_dump(exclude_none=True), ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, status, headers, media_type=MEDIA)


def sentence(lang: Lang, fault: Fault) -> str:
    """What is wrong, in words."""
    key = f"refused.{fault.code}"
    return text_of(lang, key if has_text(lang, key) else "refused.unknown", **fault.values)


def _pointer(path: Sequence[Any]) -> str:
    """A JSON pointer (RFC 6901) as the fragment of an address."""
    return "#" + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
