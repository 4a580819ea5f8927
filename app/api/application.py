"""The application behind `/api/v1`, an ASGI application of its own: it takes no cookies and shows no pages."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from app.api import (
    desk,
    duplicates,
    edits,
    invitations,
    problems,
    programme,
    questions,
    registrations,
    rooms,
    seats,
    sign_ups,
    speakers,
)
from app.api.calling import Behind
from app.api.document import as_bytes, document_of
from app.kit.db import Database
from app.kit.pen import Pen
from app.kit.settings import Settings

ROUTERS = (
    seats.router,
    questions.router,
    registrations.router,
    duplicates.router,
    invitations.router,
    programme.router,
    edits.router,
    sign_ups.router,
    speakers.router,
    rooms.router,
    desk.router,
)
PREFIX = "/api/v1"


def _name(route: APIRoute) -> str:
    return route.name


def create_api(settings: Settings, database: Database, pen: Pen) -> FastAPI:
    """The API over this database, to be mounted at `PREFIX`."""
    app = FastAPI(
        title="Sala",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_name,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.behind = Behind(settings, database, pen)
    problems.install(app, settings.base_url)
    for router in ROUTERS:
        app.include_router(router)
    written = as_bytes(document(app, settings))

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi(_request: Request) -> Response:
        """What the API can do, as OpenAPI 3.1."""
        return Response(written, media_type="application/json", headers={"cache-control": "public, max-age=300"})

    return app


def document(app: FastAPI, settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of the API at this site's address."""
    return document_of(app.routes, f"{settings.base_url}{PREFIX}")
