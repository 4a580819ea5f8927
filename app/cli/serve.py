"""Commands that serve: everything in one process for a start, or web and worker apart."""

import compileall
import os
import resource
import signal
from dataclasses import replace
from logging.config import dictConfig
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.access import FIRST_OWNER, owner_link
from app.cli.forum import load_file
from app.cli.house import opened
from app.forum.queries import featured_slug
from app.kit import settings as kit_settings
from app.kit import traces
from app.kit.garbage import unswept
from app.kit.logs import described, watch_what_falls
from app.kit.migrating import migrate as migrate_database
from app.kit.templates import keep_compiled_in

FORUMS = Path(__file__).parent.parent / "editions" / "forums"
FILES = 200
"""Files and other people's lines (database, mail, webhooks) that a process has open beside those of its readers."""
PORT = Annotated[int | None, typer.Option(help="the port; default: PORT")]
SERVING: dict[str, Any] = {
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "timeout_keep_alive": 15,
    "http": "app.web.lines:Line",
    "ws": "none",
}
"""How the server is set up, whatever the settings; the benchmark's limits are served in the same way."""


def run(port: PORT = None) -> None:
    """A loaded forum on this machine: migrate, load the forum if there is none, print the address, serve."""
    from app.web.fonts import build  # noqa: PLC0415 - the other commands need no fonts

    if port is not None:
        os.environ["PORT"] = str(port)
    compileall.compile_dir(Path(__file__).parent.parent, quiet=2)  # a quicker next start, whatever the environment says
    with opened() as house:
        migrate_database(house.database)
        if house.database.read(featured_slug) is None:
            for file in sorted(FORUMS.glob("*.yaml")):
                print("\n".join(load_file(house, file)))
        build(house.settings.var / "assets")  # before the address is printed: it is to answer at once
        print(f"\nSala:     {house.settings.base_url}/")
        print(f"Sign in:  {owner_link(house, FIRST_OWNER)}   (once, within a day)\n", flush=True)
    serve()


def serve() -> None:
    """Serve the site as it is set up; with WORKER=inline the jobs run in this process too."""
    settings = kit_settings.read()
    with unswept():
        import uvicorn  # noqa: PLC0415 - the other commands do not serve

        from app.main import app  # noqa: PLC0415 - see above
        from app.web.lines import limits_of, lines  # noqa: PLC0415 - see above

        site = app(settings)
    watch_what_falls()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held, soft = lines_beside_files(settings.connections, soft, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    uvicorn.run(
        site,
        host=settings.host,
        port=settings.port,
        log_config=described(settings.log_format, settings.log_level),
        **{**SERVING, "http": lines(replace(limits_of(settings), lines=held))},
    )


def lines_beside_files(wanted: int, soft: int, hard: int) -> tuple[int, int]:
    """How many lines a process may hold of those wanted, and what its own limit on open files (`soft`) is to be, which
    may be `hard`. Without a file left for the database every page would fail."""
    endless, needed = resource.RLIM_INFINITY, wanted + FILES
    if soft == endless or soft >= needed:
        return wanted, soft
    soft = needed if hard == endless else min(needed, hard)
    return max(1, soft - FILES), soft


def worker() -> None:
    """Run the jobs beside web processes that have WORKER=none."""
    from app.jobs.crew import Crew  # noqa: PLC0415 - the other commands do not work
    from app.jobs.run import Worker  # noqa: PLC0415 - see above

    with opened() as house:
        keep_compiled_in(house.settings.var / "templates")
        dictConfig(described(house.settings.log_format, house.settings.log_level))
        watch_what_falls()
        traces.begin(house.settings, house.database, program="sala-worker")
        house.pen.start()
        crew = Worker(Crew(house.settings, house.database, house.pen))
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: crew.end())
        crew.run()
        house.pen.stop()
        traces.end()


def migrate() -> None:
    """Bring the database to the newest schema."""
    with opened() as house:
        migrate_database(house.database)
        print("The database has the newest schema.")
