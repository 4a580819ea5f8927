"""What the API can do, to read: made of the OpenAPI document, which is what programs read."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.kit.i18n import is_khmer
from app.web import deps
from app.web.pages import page
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
_KHMER = re.compile("([\u1780-\u17ff\u200b]+(?: [\u1780-\u17ff\u200b]+)*)")
JSON = "application/json"
METHODS = ("get", "post", "put", "delete")
PROBLEMS = (400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 428, 429, 500, 503)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a program may ask: the method, the address below the API's, what it does (in the document's English),
    what goes with it, and examples of what is sent and answered: JSON in pieces of one language, none without one.
    Where a file is sent or given, `file` says what it is (as above; "" where it is given) and its media types."""

    name: str
    method: str
    path: str
    words: str
    parameters: tuple[tuple[str, str, bool], ...]
    sent: tuple[tuple[str, str], ...]
    answered: tuple[tuple[str, str], ...]
    status: str
    file: tuple[str, tuple[str, ...]] | None


@router.get("/api/docs")
async def docs(request: Request) -> Response:
    """Every operation by subject, and every kind of problem."""
    lang, document = deps.reading_language(request), await run_in_threadpool(site_of(request).api)
    groups: dict[str, list[Operation]] = {}
    for tag, operation in operations(document):
        groups.setdefault(tag, []).append(operation)
    values: dict[str, Any] = {"groups": groups, "problems": PROBLEMS, "address": document["servers"][0]["url"]}
    response = page(request, lang, "api/docs.html", secret=True, twin=deps.twin_address(request, lang), **values)
    return deps.keep_language(request, response)


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Operation]]:
    """Every operation of an OpenAPI document with its subject, in the document's order."""
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield methods[method]["tags"][0], _operation(document, method, path, methods[method])


def _operation(document: Mapping[str, Any], method: str, path: str, told: Mapping[str, Any]) -> Operation:
    status = next(code for code in told["responses"] if code.startswith("2"))
    return Operation(
        name=told["operationId"],
        method=method.upper(),
        path=path,
        words=told["description"].replace("`", ""),  # the page is no Markdown
        parameters=tuple(
            (one["name"], one.get("description", ""), bool(one.get("required")))
            for one in told.get("parameters", ())
            if one["in"] != "path"
        ),
        sent=_example(document, told.get("requestBody", {})),
        answered=_example(document, told["responses"][status]),
        status=status,
        file=_file(told.get("requestBody", {})) or _file(told["responses"][status], given=True),
    )


def _file(where: Mapping[str, Any], *, given: bool = False) -> tuple[str, tuple[str, ...]] | None:
    kinds = tuple(where.get("content", ()))
    return ("" if given else where.get("description", ""), kinds) if kinds and JSON not in kinds else None


def _example(document: Mapping[str, Any], where: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    schema = where.get("content", {}).get(JSON, {}).get("schema", {})
    found = _example_of(document, schema)
    text = "" if found is None else json.dumps(found, ensure_ascii=False, indent=2)
    return tuple(("km" if is_khmer(piece) else "en", piece) for piece in _KHMER.split(text) if piece)


def _example_of(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """The first example of a schema; of a list one of its items. None where it has none."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        named = schema["$ref"].rpartition("/")[2]
        return _example_of(document, document["components"]["schemas"][named])
    fields = schema.get("properties", {})
    if "items" in fields:
        item = _example_of(document, fields["items"]["items"])
        return None if item is None else {"items": [item], "after": None}
    return None
