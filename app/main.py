"""The ASGI application: doors, the bytes layer in front of them, the pen and (with WORKER=inline) the jobs behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.routing import Mount

from app.api import problems
from app.api.application import PREFIX, create_api, document
from app.jobs.crew import Crew
from app.jobs.run import Worker
from app.kit import settings as kit_settings
from app.kit.db import Database
from app.kit.pen import Pen, revisions
from app.kit.settings import Settings
from app.web import errors, routes
from app.web.assets import Assets
from app.web.guards import App, Guards, Receive, Scope, Send
from app.web.measuring import Measured
from app.web.published import Published
from app.web.site import Site


def create_app(settings: Settings) -> Published:
    """The whole site for these settings; starting it (lifespan) starts the pen, ending it ends it."""
    database = Database(settings.database_url, read_url=settings.database_read_url, pooled=settings.database_pooled)
    site = Site(settings, database, Pen(database), Assets(settings.var / "assets"))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        site.pen.start()
        worker = Worker(Crew(settings, database, site.pen)) if settings.worker_inline else None
        if worker:
            worker.start()
        yield
        if worker:
            worker.stop()
        site.pen.stop()
        database.close()

    app = FastAPI(
        title="Sala",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # such a redirect would repeat the Host and scheme that were sent
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.site = site
    errors.install(app)
    site.api = lambda: document(settings)
    app.router.routes.append(Mount(PREFIX, create_api(settings, database, site.pen)))
    app.router.routes.extend(routes.BRANCHES)
    too_large = _by_door(problems.too_large(settings.base_url), errors.too_large(app))
    guards = Guards(app, settings, too_large)
    if settings.metrics_token:
        from app.web.figures import Figures  # noqa: PLC0415 - not read for a site that has no such page

        site.figures = Figures(site.pen, lambda: published, database.replica)
    observe = site.figures.observe if site.figures else None
    measured = Measured(guards, observe, trusts=guards.is_proxy, every=settings.log_requests)
    published = Published(measured, lambda: database.read(revisions), apart=not database.is_sqlite)
    return published


def _by_door(api: App, web: App) -> App:
    """Whichever door's answer belongs to an address."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (api if scope["path"].startswith(f"{PREFIX}/") else web)(scope, receive, send)

    return answer


def app() -> Published:
    """The factory for `uvicorn --factory app.main:app`."""
    return create_app(kit_settings.read())
