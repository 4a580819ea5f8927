"""The application behind `/api/v1`, an ASGI application of its own: it takes no cookies and shows no pages."""

import asyncio
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api import (
    PREFIX,
    altering,
    bulks,
    coverage,
    desk,
    duplicates,
    editions,
    edits,
    invitations,
    lists,
    mailings,
    mails,
    marking,
    materials,
    messages,
    papers,
    problems,
    programme,
    protocol,
    questions,
    registrations,
    rooms,
    seats,
    setting,
    sign_ups,
    speakers,
)
from app.api.calling import Behind
from app.api.document import document_of
from app.kit.db import Database
from app.kit.pen import Pen
from app.kit.settings import Settings
from app.kit.turns import Gate

ROUTERS = (
    seats.router,
    setting.router,
    editions.router,
    questions.router,
    registrations.router,
    duplicates.router,
    invitations.router,
    programme.router,
    edits.router,
    altering.router,
    coverage.router,
    sign_ups.router,
    speakers.router,
    rooms.router,
    protocol.router,
    lists.router,
    materials.router,
    marking.router,
    bulks.router,
    papers.router,
    mails.router,
    messages.router,
    mailings.router,
    desk.router,
)


def _name(route: APIRoute) -> str:
    return route.name


def _included() -> APIRouter:
    whole = APIRouter(generate_unique_id_function=_name)
    for router in ROUTERS:
        whole.include_router(router)
    return whole


_ROUTES = _included().routes
"""The same, included once: what FastAPI works out of a route at its first request serves every application here."""


def create_api(
    settings: Settings, database: Database, pen: Pen, reading_desk: asyncio.Semaphore, threads: Gate
) -> FastAPI:
    """The API over this database, to be mounted at `PREFIX`; `reading_desk` lets long things in one by one, `threads`
    reads in threads."""
    app = FastAPI(
        title="Sala",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.behind = Behind(settings, database, pen, reading_desk, threads)
    problems.install(app, settings.base_url)
    app.router.routes.extend([*_ROUTES, Route("/openapi.json", _openapi)])
    return app


async def _openapi(request: Request) -> Response:
    """What the API can do, as OpenAPI 3.1."""
    settings: Settings = request.app.state.behind.settings
    headers = {"cache-control": "public, max-age=300"}
    return Response(
        await run_in_threadpool(_written, settings.base_url), media_type="application/json", headers=headers
    )


def document(settings: Settings) -> Mapping[str, Any]:
    """The OpenAPI document of the API at this site's address; made when it is first asked for."""
    return _at(settings.base_url)


def _at(base_url: str) -> dict[str, Any]:
    return {**_document(), "servers": [{"url": f"{base_url}{PREFIX}"}]}


@cache
def _written(base_url: str) -> bytes:
    """The document's bytes: anybody may ask for it, and writing its 700 kB takes a core for 20 ms."""
    return json.dumps(_at(base_url), ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _document() -> dict[str, Any]:
    return document_of(_ROUTES)
