"""What the API can do, as OpenAPI 3.1: made of the routes, with what every operation has in common added once."""

import pkgutil
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from app.api import shapes
from app.api.problems import MEDIA, Problem

ABOUT = """\
Everything here is for programs that act for a user of the desk. A token is made on the own page (`/account/tokens`),
for one forum, with a scope and an end; it is sent as `Authorization: Bearer sala_…` and may never do more than its user
may at that moment.

A POST takes an `Idempotency-Key`: the same request with the same key is done once and answered alike for a day. A PUT
and a DELETE take an `If-Match` with the ETag of what you have seen. Lists are read in parts: `after` in an answer, or
its `Link` header, leads to the next. What is refused is answered as `application/problem+json` with the code that every
other door of the site gives.
"""
SECURITY = "token"
_COMMON = {"400": "Cannot be read", "401": "No token, or none that is good", "406": "Not given in a form that you take"}
_COMMON |= {"403": "Not for this token", "404": "Not there, or not for this token", "429": "Too many requests"}
_COMMON |= {"500": "A fault of the site", "503": "Too much is waiting"}
_WRITING = {"409": "Somebody else was quicker, or it does not stand so", "410": "Out of time", "413": "Too large"}
_WRITING |= {"415": "The body is of another media type", "422": "A rule says no, or fields are wrong"}
_MATCHING = {"412": "It has changed since you have seen it", "428": "Say what you have seen: If-Match"}


def document_of(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The document of these routes, wherever they are served."""
    found = get_openapi(title="Sala", version="1", openapi_version="3.1.0", description=ABOUT, routes=routes)
    schemas = found["components"]["schemas"]
    _give_back_nulls(schemas)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    described = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**described.pop("$defs"), "Problem": described}
    found["components"]["securitySchemes"] = {SECURITY: {"type": "http", "scheme": "bearer", "bearerFormat": "sala_…"}}
    found["security"] = [{SECURITY: []}]
    for path in found["paths"].values():
        for method, operation in path.items():
            _complete(method, operation)
    return found


def _give_back_nulls(schemas: dict[str, Any]) -> None:
    """FastAPI leaves nulls out of the document, in examples too, where they are what is told."""
    modules = [import_module(f"{shapes.__name__}.{one.name}") for one in pkgutil.iter_modules(shapes.__path__)]
    for name, schema in schemas.items():
        shape = next((vars(module)[name] for module in modules if name in vars(module)), None)
        if "examples" in schema and shape is not None:
            schema["examples"] = shape.model_config["json_schema_extra"]["examples"]


def _complete(method: str, operation: dict[str, Any]) -> None:
    """Add to an operation the problems it may answer with; the headers that it takes are needed."""
    parameters = operation.get("parameters", [])
    headers = {one["name"]: one for one in parameters if one["in"] == "header"}
    for one in headers.values():
        one["required"] = True
        one["schema"].pop("default", None)
        one["schema"]["minLength"] = 1
    answers: Mapping[str, str] = {
        **_COMMON,
        **(_WRITING if method != "get" else {"422": "A parameter is wrong"}),
        **(_MATCHING if "if-match" in headers else {}),
    }
    responses = operation["responses"]
    responses |= {status: _problem(words) for status, words in answers.items()}
    if method == "get":
        responses["304"] = {"description": "You have just this (If-None-Match)"}


def _problem(words: str) -> dict[str, Any]:
    return {"description": words, "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
