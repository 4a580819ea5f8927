"""Processes of the site that begin in an instant, tell a time of their own, and can be killed at any moment.

A start of `sala serve` costs a second or two of reading modules. Here one process reads them once and forks: what a
child runs is the command itself, with an environment, connections and threads of its own. Its clock is the tests' and
goes on; it can be set forward and back for all of them (`set_clock`).
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.cast import NOW, SECRET_KEY

ROOT = Path(__file__).parent.parent
SECONDS_TO_START = 60


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Child:
    """A running command: what it is called, its process, and its port if it has one."""

    name: str
    command: str
    environment: dict[str, str]
    port: int = 0
    process: int = 0

    def kill(self) -> None:
        """SIGKILL; back when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        while self.is_there:
            time.sleep(0.002)

    @property
    def is_there(self) -> bool:
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        return True


@dataclass(slots=True)
class Nursery:
    """Starts children for one database; its folder holds their logs and the clock."""

    folder: Path
    url: str
    mother: "subprocess.Popen[str]"
    children: list[Child] = field(default_factory=list)

    def serve(self, name: str, **environment: str) -> Child:
        """A web process that answers."""
        child = Child(name, "serve", environment, port=free_port())
        self.children.append(child)
        return self.start(child)

    def work(self, name: str, **environment: str) -> Child:
        """A worker."""
        child = Child(name, "worker", environment)
        self.children.append(child)
        return self.start(child)

    def start(self, child: Child, *, answers: bool = True) -> Child:
        """Start a child, again if it was killed; unless told otherwise, wait until it listens."""
        given = {
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": self.url,
            "SALA_VAR": str(ROOT / "var"),
            "WORKER": "none",
            "LOG_LEVEL": "warning",
            "FORM_MIN_SECONDS": "0",
            **dict.fromkeys(("THROTTLE_PER_ADDRESS", "THROTTLE_PER_EMAIL", "THROTTLE_WRONG_CODES"), "0"),
            **child.environment,
        }
        if child.port:
            given["PORT"] = str(child.port)
        asked = {"command": child.command, "environment": given, "folder": str(self.folder), "name": child.name}
        assert self.mother.stdin is not None
        assert self.mother.stdout is not None
        self.mother.stdin.write(json.dumps(asked) + "\n")
        self.mother.stdin.flush()
        child.process = int(self.mother.stdout.readline())
        if child.port and answers:
            until = time.monotonic() + SECONDS_TO_START
            while not listens(child.port):
                assert child.is_there, self.log(child.name)
                assert time.monotonic() < until, "does not answer"
                time.sleep(0.02)
        return child

    def set_clock(self, **by: float) -> None:
        """Set every child's clock so far from the tests' that goes on, by `hours=…`, `minutes=…`; back again with
        nothing."""
        part = self.folder / "clock.part"
        part.write_text(str(timedelta(**by).total_seconds()))
        part.rename(self.folder / "clock")

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def mothering() -> Iterator["subprocess.Popen[str]"]:
    """The process that has read everything; it may serve several nurseries."""
    kept = ("PATH", "HOME", "LANG")
    environment = {**{name: os.environ[name] for name in kept if name in os.environ}, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.nursery"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as mother:
        yield mother
        assert mother.stdin is not None
        mother.stdin.close()


@contextmanager
def nursery(mother: "subprocess.Popen[str]", folder: Path, url: str) -> Iterator[Nursery]:
    """A nursery for this database; all of its children are killed at the end."""
    found = Nursery(folder, url, mother)
    found.set_clock()
    try:
        yield found
    finally:
        for child in found.children:
            child.kill()


def main() -> None:
    """Fork a child for every line that comes, and say its number."""
    from app.cli import serve as commands
    from app.jobs import crew, run  # noqa: F401 - read here once, for every child
    from app.kit import clock
    from app.main import create_app  # noqa: F401 - see above
    from app.web import fonts  # noqa: F401 - see above

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: the dead are gone at once
    began = time.time()
    for line in sys.stdin:
        asked = json.loads(line)
        if child := os.fork():
            sys.stdout.write(f"{child}\n")
            sys.stdout.flush()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.update(asked["environment"])
        _speak_into(Path(asked["folder"]) / f"{asked['name']}.log")
        with clock.reading(_clock(Path(asked["folder"]) / "clock", began)):
            getattr(commands, asked["command"])()
        os._exit(0)


def _clock(file: Path, began: float) -> Callable[[], "object"]:
    return lambda: NOW + timedelta(seconds=time.time() - began + float(file.read_text()))


def _speak_into(log: Path) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, to in enumerate((nothing, out, out)):
        os.dup2(to, number)


if __name__ == "__main__":
    main()
