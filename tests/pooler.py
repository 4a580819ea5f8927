"""A PgBouncer of the tests' own, in transaction mode, with fewer connections to the server than it has callers."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import cluster
from tests.nursery import listens

CONNECTIONS = 4
"""To the server, for each of its databases: callers take turns with them, a transaction each."""


def program() -> str | None:
    """The path of PgBouncer on this machine, or None."""
    return shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@contextmanager
def pooling(folder: Path, base: str) -> Iterator[str]:
    """A pooler before the server at `base` (an address without a database's name), as long as it is needed: its own."""
    found, own, port = program(), cluster.room(folder, "pooler"), cluster.free_port()
    assert found
    server = base.rpartition(":")[2]
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": "transaction",
        "default_pool_size": CONNECTIONS,
        "max_client_conn": 400,
        "logfile": own / "log",
    }
    lines = ["[databases]", f"* = host=127.0.0.1 port={server} user=sala", "[pgbouncer]"]
    (own / "pgbouncer.ini").write_text("\n".join([*lines, *(f"{name} = {value}" for name, value in settings.items())]))
    with subprocess.Popen(
        cluster.as_server([found, "-q", str(own / "pgbouncer.ini")]), cwd=own, stderr=subprocess.DEVNULL
    ) as process:
        try:
            until = time.monotonic() + 20
            while not listens(port):
                assert process.poll() is None, (own / "log").read_text()
                assert time.monotonic() < until, "does not answer"
                time.sleep(0.02)
            yield f"postgresql://sala@127.0.0.1:{port}"
        finally:
            process.terminate()
