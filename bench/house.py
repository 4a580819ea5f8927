"""The measured processes: the site as its users start it, with a database of its own, and its limits beside it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from app.kit.db import Database
from bench import load, machine
from bench.edition import write_edition
from tests import cluster

ROOT = Path(__file__).parent.parent
SECRET = "of the benchmark alone, for databases that are thrown away"  # noqa: S105 - of no site
SECONDS_TO_START = 180
SMALL, LARGE, HALL, FULL = "bench-24", "bench-480", "bench-hall", "bench-full"
ALL = (SMALL, LARGE, HALL, FULL)
PLACES = 3000
"""Of the hall in which registrations are measured: each of them gets a seat."""
FULL_PLACES = 300
PEOPLE = 300


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: its port and process."""

    port: int
    process: int

    def cpu(self) -> float:
        """The processor seconds it has taken."""
        return machine.cpu_seconds(self.process)


@dataclass(slots=True)
class Bench:
    """A run: its folder, which goes with it, and what rows share; each is made when the first row asks for it."""

    folder: Path
    log: Path
    var: Path
    """Where the sites of the run have their fonts, which are built once."""
    quick: bool = False
    _made: dict[str, Path] = field(default_factory=dict)
    _pair: tuple[Served, Served] | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    def pair(self) -> tuple[Served, Served]:
        """The site on `base` and the bare application, for all rows that only read; they run until `close`."""
        if self._pair is None:
            site = self._open.enter_context(self.site(**self.shared()))
            self._pair = (site, self._open.enter_context(self.bare()))
        return self._pair

    def close(self) -> None:
        """End what still runs."""
        self._open.close()
        self._pair = None

    @property
    def slices(self) -> int:
        """Pairs of slices, one of the site and one of its limit."""
        return 1 if self.quick else 5

    @property
    def seconds(self) -> float:
        """How long a slice takes."""
        return 0.1 if self.quick else 0.5

    def base(self) -> Path:
        """An SQLite file with the editions and, in the small one, people in every state."""
        if "base" not in self._made:
            folder = self.new_folder("base")
            self.fill({"DATABASE_URL": f"sqlite:///{folder / 'sala.sqlite'}", "SALA_VAR": str(self.var)})
            self._made["base"] = folder / "sala.sqlite"
        return self._made["base"]

    def fill(self, environment: dict[str, str], slugs: Collection[str] = ALL) -> None:
        """Bring a database to the schema and load what is measured with; people of the demo in the small edition."""
        self.sala("migrate", **environment)
        sizes = {
            SMALL: (24, None),
            LARGE: (480, None),
            HALL: (24, PLACES),
            FULL: (24, FULL_PLACES),
        }
        for slug in (one for one in slugs if one in {SMALL, FULL} or not self.quick):
            file = self.folder / f"{slug}.yaml"
            write_edition(file, slug, sessions=sizes[slug][0], hall=sizes[slug][1])
            self.sala("load", str(file), **environment)
        if SMALL in slugs and not self.quick:
            self.sala("demo", str(PEOPLE), "--forum", SMALL, **environment)

    def shared(self) -> dict[str, str]:
        """The environment of a site on `base` itself, for rows that only read."""
        base = self.base()
        return {"DATABASE_URL": f"sqlite:///{base}", "SALA_VAR": str(self.var)}

    def copy(self) -> dict[str, str]:
        """The environment of a site on a copy of `base`."""
        base = self.base()
        folder = self.new_folder("copy")
        shutil.copy(base, folder / "sala.sqlite")
        return {"DATABASE_URL": f"sqlite:///{folder / 'sala.sqlite'}", "SALA_VAR": str(self.var)}

    def hundred_thousand(self, fill: Callable[[Path, int], None]) -> dict[str, str]:
        """The environment of a site with that many people in the small edition, made once."""
        if "many" not in self._made:
            environment = self.copy()
            path = Path(environment["DATABASE_URL"].removeprefix("sqlite:///"))
            fill(path, 1_000 if self.quick else 100_000)
            self._made["many"] = path
        path = self._made["many"]
        return {"DATABASE_URL": f"sqlite:///{path}", "SALA_VAR": str(self.var)}

    @contextmanager
    def postgres(self) -> Iterator[str | None]:
        """A PostgreSQL of this run's own that waits for the disk, filled like `base`: its address; None where its
        programs are missing."""
        if cluster.programs() is None:
            yield None
            return
        self.folder.chmod(0o711)  # its account must get at its own folder below
        folder = self.new_folder("postgres")
        base = cluster.start(folder, durable=True)
        try:
            with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE bench")
            yield f"{base}/bench"
        finally:
            cluster.stop(folder)

    def new_folder(self, name: str) -> Path:
        """A folder of this run."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def sala(self, *words: str, **environment: str) -> str:
        """Run a command of `sala` to its end; what it printed. Raises CalledProcessError."""
        command = [sys.executable, "-m", "app", *words]
        with self.log.open("a") as log:
            done = subprocess.run(  # noqa: S603 - our own command
                command,
                cwd=ROOT,
                env=environment_of(environment),
                check=True,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        return done.stdout

    @contextmanager
    def site(self, *, workers: str = "none", **environment: str) -> Iterator[Served]:
        """The site by `sala serve`, ready to answer. Its throttles are as they come; it believes the proxy that the
        people of the benchmark say they come through, and lets them be quicker than a person."""
        port = free_port()
        given = {"PORT": str(port), "WORKER": workers, "TRUSTED_PROXIES": "127.0.0.1", "FORM_MIN_SECONDS": "0"}
        command = [sys.executable, "-m", "app", "serve"]
        with self.running(command, {"LOG_LEVEL": "warning", **given, **environment}, port, "/robots.txt") as served:
            yield served

    @contextmanager
    def bare(self, which: str = "app") -> Iterator[Served]:
        """One of the limits, served like the site."""
        port = free_port()
        with self.running(
            [sys.executable, "-m", "bench.bare", which, str(port)], {}, port, "/form" if which == "form" else "/"
        ) as served:
            yield served

    @contextmanager
    def running(self, command: list[str], environment: dict[str, str], port: int, path: str) -> Iterator[Served]:
        """A server from its first answer on; ended afterwards."""
        with self.log.open("a") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command
                command, cwd=ROOT, env=environment_of(environment), stdout=log, stderr=log
            )
        try:
            first_answer(port, path, process)
            yield Served(port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def first_answer(port: int, path: str, process: "subprocess.Popen[bytes]") -> load.Answer:
    """The first answer of a server that is starting. Raises RuntimeError where it ends or takes too long."""
    ends = time.perf_counter() + SECONDS_TO_START
    while time.perf_counter() < ends and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.005)
            continue
        return load.ask(port, load.request("GET", path, port=port))
    raise RuntimeError("a server did not start; its log says why")


def environment_of(given: dict[str, str]) -> dict[str, str]:
    """The settings of the benchmark alone: nothing of whoever runs it gets in."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "SECRET_KEY": SECRET, **given}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def opened(environment: dict[str, str]) -> Iterator[Database]:
    """The database of a site, to look at."""
    database = Database(environment["DATABASE_URL"])
    try:
        yield database
    finally:
        database.close()
