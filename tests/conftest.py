"""What every test stands on: a fixed clock, a sealed network, and databases that hold the real forum.

`db` is one transaction that is rolled back; `database`, `pen` and `client` write for real, into a copy of their own.
A test takes one or the other, because on SQLite an open transaction keeps every other writer out.
"""

import gc
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import uvicorn
from sqlalchemy import event
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.editions.loading import load
from app.editions.reading import read_forum_file
from app.kit import clock as kit_clock
from app.kit import settings as kit_settings
from app.kit.db import Database, Db
from app.kit.migrating import migrate
from app.kit.pen import SITE, Pen, lock_scopes
from app.kit.settings import Settings
from app.main import create_app
from app.web.fonts import build
from app.web.site import Site
from tests import cluster, one_crossing, one_dialect, openly, pooler
from tests.arriving import arriving
from tests.breadth import EXAMPLES
from tests.cast import NOW, SECRET_KEY, SLUG
from tests.registration.hall import SmallHall

ROOT = Path(__file__).parent.parent
FORUM_FILE = ROOT / "app" / "editions" / "forums" / f"{SLUG}.yaml"
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
_SHARED = pytest.StashKey[Path]()
one_dialect.install()
one_crossing.install()
gc.set_threshold(20_000, 20, 20)  # a worker keeps much for long: looking through all of it so often cost a twentieth

hypothesis.settings.register_profile(
    "here", deadline=None, max_examples=EXAMPLES or 12, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("here"), derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "here")


# ---- the run: one folder shared by its workers; programs that may be missing


def _in_memory() -> str | None:
    """A folder in memory with room for the run's databases, or None: every commit waits for the disk otherwise."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 << 30
    return str(memory) if roomy else None


def pytest_configure(config: pytest.Config) -> None:
    given = getattr(config, "workerinput", None)
    config.stash[_SHARED] = Path(given["shared"] if given else tempfile.mkdtemp(prefix="sala-tests-", dir=_in_memory()))
    if given is None:
        # what tests write into `tmp_path` lies there as well: many are whole databases
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(config.stash[_SHARED]))
        # a run that is ended from outside still stops what it started
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["shared"] = str(node.config.stash[_SHARED])


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and (shared := config.stash.get(_SHARED, None)):
        cluster.stop(shared)
        shutil.rmtree(shared, ignore_errors=True)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without the programs they need tests are skipped and say what to install; in CI that is a failure."""
    missing = []
    if item.get_closest_marker("postgres") and cluster.programs() is None:
        missing.append("PostgreSQL's programs are missing: install the package postgresql")
    if item.get_closest_marker("browser") and chromium() is None:
        missing.append("Chromium is missing: install the package chromium")
    if item.get_closest_marker("pooler") and pooler.program() is None:
        missing.append("PgBouncer is missing: install the package pgbouncer")
    if item.get_closest_marker("proxy") and shutil.which("caddy") is None:
        missing.append("Caddy is missing: install the package caddy")
    if missing and IN_CI:
        pytest.fail("; ".join(missing), pytrace=False)
    if missing:
        pytest.skip("; ".join(missing))


def chromium() -> str | None:
    """The path of a Chromium on this machine, or None."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def shared(pytestconfig: pytest.Config) -> Path:
    """A folder that all workers of this run share; it goes when the run ends."""
    return pytestconfig.stash[_SHARED]


# ---- time


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> datetime:
        """Go on by `days=…`, `hours=…`, `seconds=…`; the new time."""
        self.at += timedelta(**by)
        return self.at


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    """The only clock, standing at `cast.NOW`."""
    fixed = Clock(NOW)
    with kit_clock.reading(fixed):
        yield fixed


# ---- databases


@pytest.fixture(scope="session")
def forum_file() -> ForumFile:
    """The real forum's file, read."""
    return read_forum_file(FORUM_FILE.read_bytes())


def fill(database: Database, file: ForumFile) -> None:
    """The newest schema with the real forum in it."""
    migrate(database)
    Pen(database).write_now(file.forum.slug, lambda db: load(db, Actor.operator(), file, now=NOW))


@pytest.fixture(scope="session")
def loaded_file(tmp_path_factory: pytest.TempPathFactory, forum_file: ForumFile) -> Path:
    """An SQLite file with the newest schema and the real forum, made once a worker and only copied."""
    path = tmp_path_factory.mktemp("loaded") / "sala.sqlite"
    database = Database(f"sqlite:///{path}")
    with kit_clock.reading(lambda: NOW):
        fill(database, forum_file)
    database.close()
    return path


@pytest.fixture(scope="session")
def hall_file(loaded_file: Path, forum_file: ForumFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a small hall in the real forum, made once a worker."""
    path: Path = shutil.copy(loaded_file, tmp_path_factory.mktemp("hall") / "sala.sqlite")
    with opened(f"sqlite:///{path}") as database, kit_clock.reading(lambda: NOW):
        Pen(database).write_now(SLUG, lambda db: SmallHall(db, forum_file))
    return path


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, loaded_file: Path, shared: Path) -> Iterator[str]:
    """The address of this test's own SQLite file."""
    own = shared / uuid.uuid4().hex[:16]
    own.mkdir()
    stands = {"db", "hall"} <= {*request.fixturenames}
    path = shutil.copy(request.getfixturevalue("hall_file") if stands else loaded_file, own / "sala.sqlite")
    yield f"sqlite:///{path}"
    openly.hold_against_file(str(path))
    shutil.rmtree(own)


@pytest.fixture(scope="session")
def postgres_base(shared: Path, forum_file: ForumFile) -> str:
    """The address of the run's PostgreSQL, without a database's name."""
    with kit_clock.reading(lambda: NOW):
        return cluster.address(shared, lambda database: fill(database, forum_file))


@pytest.fixture
def postgres_url(postgres_base: str) -> Iterator[str]:
    """The address of this test's own PostgreSQL database; the test is marked `postgres`."""
    with cluster.copy_of(postgres_base, f"test_{uuid.uuid4().hex[:16]}") as url:
        yield url


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    """The real forum in an SQLite file of this test's own."""
    with opened(sqlite_url) as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either_url(request: pytest.FixtureRequest) -> str:
    """The address of this test's own database: the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def either_database(either_url: str) -> Iterator[Database]:
    """The real forum: the test runs once on SQLite and once on PostgreSQL."""
    with opened(either_url) as found:
        yield found


@pytest.fixture
def db(database: Database) -> Iterator[Db]:
    """One transaction in which deeds and queries run; rolled back at the end."""
    with Db(database.write_engine) as unit:
        lock_scopes(unit, {SITE, SLUG})
        yield unit
        openly.hold_against(unit)
        unit.rollback()


@pytest.fixture
def hall(db: Db, forum_file: ForumFile) -> SmallHall:
    """A hall of two seats in `db`."""
    return SmallHall(db, forum_file, stands=True)


@pytest.fixture
def pen(database: Database) -> Iterator[Pen]:
    """A pen with its own thread, as a running site has."""
    writing = Pen(database)
    writing.start()
    yield writing
    writing.stop()


class Counted(list[str]):
    """The statements that went to the database while counting."""


@pytest.fixture
def queries(database: Database, request: pytest.FixtureRequest) -> Callable[[], Any]:
    """`with queries() as counted:` … then `len(counted)`: what went to `database`, without BEGIN and PRAGMA, and
    without what `db` had still to write of what was done before."""

    @contextmanager
    def counting() -> Iterator[Counted]:
        counted = Counted()
        if "db" in request.fixturenames:
            request.getfixturevalue("db").write_waiting()

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if statement.split(None, 1)[0].upper() in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
                counted.append(statement)

        engines = (database.read_engine, database.write_engine)
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        try:
            yield counted
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)

    return counting


# ---- the site


def settings_for(url: str, **environment: str) -> Settings:
    """Settings of a site on this database, its throttles raised so that a test may send as much as it likes."""
    given = {
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": url,
        "SALA_VAR": str(ROOT / "var"),
        "WORKER": "none",
        "THROTTLE_PER_ADDRESS": "0",
        "THROTTLE_PER_EMAIL": "0",
        "THROTTLE_WRONG_CODES": "0",
        "THROTTLE_PER_DELEGATION": "0",
        "FORM_MIN_SECONDS": "0",
    }
    return kit_settings.read({**given, **environment})


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    """The settings of `client`'s site."""
    return settings_for(sqlite_url)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A browser's place before the whole site, started: it follows no redirect, so a test sees each answer."""
    with TestClient(create_app(settings), base_url="http://localhost", follow_redirects=False) as browser:
        yield browser


def site_behind(client: TestClient) -> Site:
    """The running site that a client talks to."""
    app: Any = client.app
    while not hasattr(app, "state"):
        app = app.app
    site: Site = app.state.site
    return site


@pytest.fixture
def site(client: TestClient) -> Site:
    """The site behind `client`: its database, its pen."""
    return site_behind(client)


@pytest.fixture
def in_loop() -> Callable[[Callable[[], Any]], Any]:
    """Runs an async function to its end in a thread and loop of its own, whatever else runs here."""

    def run(work: Callable[[], Any]) -> Any:
        import asyncio

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(work())).result()

    return run


# ---- a real browser


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Any]:
    """One Chromium for all tests of a worker."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=flags)
        yield browser
        browser.close()


@contextmanager
def serving(url: str, name: str = "127.0.0.1", **environment: str) -> Iterator[tuple[str, Any]]:
    """The whole site with this database on a free port of this machine, under this name of it: its address and its
    application."""
    build(ROOT / "var" / "assets")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://{name}:{listening.getsockname()[1]}"
        app = create_app(settings_for(url, BASE_URL=address, **environment))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield address, app
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def served(sqlite_url: str) -> Iterator[str]:
    """The whole site on a free port of this machine; its address."""
    with serving(sqlite_url) as (address, _):
        yield address


@pytest.fixture
def tab(chromium_browser: Any, served: str) -> Iterator[Any]:
    """A fresh tab of a fresh profile before the served site (`tab.goto("/en/…")`); the test is marked `browser`."""
    context = chromium_browser.new_context(base_url=served, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    yield arriving(context.new_page())
    context.close()
