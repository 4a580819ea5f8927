"""Commands that serve: everything in one process for a start, or web and worker apart."""

import compileall
import os
import signal
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
from app.kit.logs import described
from app.kit.migrating import migrate as migrate_database

FORUMS = Path(__file__).parent.parent / "editions" / "forums"
PORT = Annotated[int | None, typer.Option(help="the port; default: PORT")]
SERVING: dict[str, Any] = {
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "timeout_keep_alive": 15,
    "h11_max_incomplete_event_size": 32 * 1024,
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

        from app.main import create_app  # noqa: PLC0415 - see above
        from app.web.fonts import build  # noqa: PLC0415 - see above

        site = create_app(settings)
    build(settings.var / "assets")
    uvicorn.run(
        site,
        host=settings.host,
        port=settings.port,
        log_config=described(settings.log_format, settings.log_level),
        **SERVING,
    )


def worker() -> None:
    """Run the jobs beside web processes that have WORKER=none."""
    from app.jobs.crew import Crew  # noqa: PLC0415 - the other commands do not work
    from app.jobs.run import Worker  # noqa: PLC0415 - see above

    with opened() as house:
        dictConfig(described(house.settings.log_format, house.settings.log_level))
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
