"""For operators: is the process alive, can it serve, and its figures in Prometheus' form."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from app.kit import clock, heart
from app.kit.db import Db
from app.kit.errors import NotFound
from app.kit.migrating import newest, revision_of
from app.kit.replica import OK
from app.mail.watching import longest_due
from app.web.headers import SECRET
from app.web.site import Site, site_of

router = APIRouter(include_in_schema=False)

MAIL_IS_LATE = timedelta(minutes=15)
"""Mail that has been due for so long does not leave as it should."""
NEWEST = newest()


@dataclass(frozen=True, slots=True)
class Readiness:
    """How the parts stand: "ok", or what is wrong with each in a word or two."""

    database: str
    migrations: str
    worker: str
    outbox: str

    @property
    def serves(self) -> bool:
        """Whether this process can answer requests. A worker or mail server that is down takes no page away."""
        return self.database == self.migrations == "ok"

    @property
    def whole(self) -> bool:
        """Whether everything is as it should be."""
        return self.serves and self.worker == self.outbox == "ok"


@router.get("/healthz")
async def healthz(_request: Request) -> Response:
    """The process answers. It asks nothing of the database, so that a database that is down restarts no process."""
    return PlainTextResponse("ok\n", headers={"cache-control": "no-store"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """503 where the process cannot serve; with `?whole=yes` also where worker, mail or a replica for reading are not as
    they should be. Only then the replica is asked."""
    site, whole = site_of(request), request.query_params.get("whole") == "yes"
    found = await readiness(site)
    good = found.whole if whole else found.serves
    parts = {name: getattr(found, name) for name in ("database", "migrations", "worker", "outbox")}
    if whole and site.database.replica is not None:
        parts["replica"] = await run_in_threadpool(site.database.replica.look)
        good = good and parts["replica"] == OK
    return JSONResponse({"ready": good, **parts}, 200 if good else 503, {"cache-control": "no-store"})


async def readiness(site: Site) -> Readiness:
    """How the parts of this site stand now."""
    now = clock.now()
    try:
        return await site.read(lambda db: _look(db, sends_mail=site.settings.sends_mail, now=now))
    except Exception:  # noqa: BLE001 - whatever keeps the database from answering
        return Readiness("does not answer", "unknown", "unknown", "unknown")


def _look(db: Db, *, sends_mail: bool, now: datetime) -> Readiness:
    revision = revision_of(db)
    if revision != NEWEST:
        return Readiness("ok", f"at {revision or 'none'}, not at {NEWEST}", "unknown", "unknown")
    beats = heart.beats(db)
    late = heart.late(beats, now=now)
    worker = f"late: {', '.join(late)}" if late else "ok" if beats else "has never run"
    due = longest_due(db) if sends_mail else None
    outbox = "late" if due is not None and now - due > MAIL_IS_LATE else "ok"
    return Readiness("ok", "ok", worker, outbox)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The figures of this process and of the outbox, for whoever has the token; where none is set there is no page."""
    site = site_of(request)
    wanted, given = site.settings.metrics_token, request.headers.get("authorization", "")
    if not wanted or site.figures is None:
        raise NotFound
    if not hmac.compare_digest(f"Bearer {wanted}".encode(), given.encode("latin-1", "replace")):
        refused: Mapping[str, str] = {"www-authenticate": 'Bearer realm="metrics"', "cache-control": SECRET}
        return PlainTextResponse("A token is needed.\n", 401, refused)
    now = clock.now()
    state: Any = await site.read(lambda db: site.figures.look(db, now=now) if site.figures else None)
    return Response(site.figures.text(state), media_type=site.figures.MEDIA_TYPE, headers={"cache-control": SECRET})
