"""The ASGI application: doors, the bytes layer in front of them, the pen and (with WORKER=inline) the jobs behind."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from threading import Lock
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.routing import Mount

from app.api import PREFIX, problems
from app.jobs.crew import Crew
from app.jobs.run import Worker
from app.kit import settings as kit_settings
from app.kit import traces
from app.kit.db import SECONDS_TO_BE_READ, Database
from app.kit.pen import Pen, revisions
from app.kit.settings import Settings
from app.kit.templates import keep_compiled_in
from app.web import errors, routes
from app.web.assets import Assets
from app.web.bounding import Bounded
from app.web.calendars import Remembered
from app.web.fonts import build
from app.web.guards import App, Guards, Receive, Scope, Send
from app.web.measuring import Measured
from app.web.published import Published
from app.web.site import Site


def create_app(settings: Settings) -> Published:
    """The whole site for these settings; starting it (lifespan) starts the pen, ending it ends it."""
    keep_compiled_in(settings.var / "templates")
    database = Database(settings.database_url, read_url=settings.database_read_url, pooled=settings.database_pooled)
    site = Site(settings, database, Pen(database), Assets(settings.var / "assets"))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        traces.begin(settings, database)
        site.pen.start()
        worker = Worker(Crew(settings, database, site.pen)) if settings.worker_inline else None
        if worker:
            worker.start()
        yield
        if worker:
            worker.stop()
        site.pen.stop()
        database.close()
        traces.end()

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
    api = _Api(site)
    site.api = api.document
    app.router.routes.append(Mount(PREFIX, api))
    app.router.routes.extend(routes.BRANCHES)
    too_large = _by_door(problems.too_large(settings.base_url), errors.too_large(app))
    wait = round(SECONDS_TO_BE_READ)
    bounded = Bounded(app, _by_door(problems.busy(settings.base_url, wait), errors.busy(app, wait)))
    guards = Guards(Remembered(bounded, site), settings, too_large)
    if settings.metrics_token:
        from app.web.figures import Figures  # noqa: PLC0415 - not read for a site that has no such page

        site.figures = Figures(site.pen, lambda: published, bounded, site.threads, database.replica)
    observe = site.figures.observe if site.figures else None
    measured = Measured(guards, observe, trusts=guards.is_proxy, every=settings.log_requests)
    published = Published(
        measured, lambda: database.read(revisions), apart=not database.is_sqlite, serves=guards.hosts.serve
    )
    return published


class _Api:
    """The API, read when the first program asks: a fifth of a start's time is its shapes and routes, and most sites
    that start are looked at by people."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._app: App | None = None
        self._reading = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whatever the API answers."""
        app = self._app
        if app is None:
            app = await run_in_threadpool(self._read)
        await app(scope, receive, send)

    def document(self) -> Mapping[str, Any]:
        """The OpenAPI document at this site's address."""
        from app.api.application import document  # noqa: PLC0415 - as the class says

        return document(self._site.settings)

    def _read(self) -> App:
        from app.api.application import create_api  # noqa: PLC0415 - as the class says

        site = self._site
        with self._reading:
            self._app = self._app or create_api(site.settings, site.database, site.pen, site.reading_desk, site.threads)
        return self._app


def _by_door(api: App, web: App) -> App:
    """Whichever door's answer belongs to an address."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (api if scope["path"].startswith(f"{PREFIX}/") else web)(scope, receive, send)

    return answer


def app(settings: Settings | None = None) -> Published:
    """The site with its fonts, made where they are missing, as they are to be there when the site looks what it has:
    for these settings or the environment's. The factory for `uvicorn --factory app.main:app`."""
    settings = settings or kit_settings.read()
    build(settings.var / "assets")
    return create_app(settings)
