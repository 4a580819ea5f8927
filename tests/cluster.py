"""A PostgreSQL of the tests' own: started when the first test asks for it, stopped when the run ends."""

import fcntl
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy import func, select
from sqlmodel import SQLModel

from app.kit.db import Database, Db

TEMPLATE = "sala_template"
_ACCOUNTS = ("postgres", "nobody")


@cache
def programs() -> Path | None:
    """The folder of PostgreSQL's programs: the newest one installed, or None."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]), reverse=True
    )
    found = installed[0] if installed else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def as_server(command: list[str]) -> list[str]:
    """The command under an account that PostgreSQL starts for: it refuses the administrator."""
    if os.geteuid() != 0:
        return command
    account = _account()
    if setpriv := shutil.which("setpriv"):
        return [setpriv, f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", *command]
    return ["su", account.pw_name, "-s", "/bin/sh", "-c", " ".join(command)]


def _account() -> pwd.struct_passwd:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in _ACCOUNTS if name in known)


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    with (folder / "cluster.turn").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def address(shared: Path, fill: Callable[[Database], None]) -> str:
    """The cluster's address without a database's name; the first worker to ask starts it and fills the template."""
    known = shared / "cluster.address"
    with _turn(shared):
        if not known.exists():
            base = start(shared)
            with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
            database = Database(f"{base}/{TEMPLATE}")
            fill(database)
            database.close()
            known.write_text(base)
        return known.read_text()


def start(shared: Path, *, durable: bool = False) -> str:
    """A cluster below `shared`; its address without a database's name. Unless it is to be `durable`, as for the
    benchmark, no commit waits for the disk."""
    bin_folder = programs()
    assert bin_folder is not None
    folder, port = room(shared), free_port()
    rows = folder / "rows"
    make = [str(bin_folder / "initdb"), "-D", str(rows), "-A", "trust", "-U", "sala", "-E", "UTF8", "--locale=C", "-N"]
    subprocess.run(as_server(make), check=True, capture_output=True, cwd=folder)
    # the tests kill writers, never this server, so it need not wait for the disk
    hurried = "" if durable else " -c fsync=off -c full_page_writes=off"
    (folder / "options").write_text(f"-p {port} -h 127.0.0.1 -k '' -c max_connections=200{hurried}")
    _begin(folder)
    return f"postgresql://sala@127.0.0.1:{port}"


def replicate(of: Path, shared: Path, *options: str) -> str:
    """A streaming replica, below `shared`, of the cluster below `of`, with the same options and these; its address."""
    bin_folder = programs()
    assert bin_folder is not None
    folder, port = room(shared), free_port()
    given = (of / "cluster" / "options").read_text()
    source = given.split()[1]
    copy = [str(bin_folder / "pg_basebackup"), "-h", "127.0.0.1", "-p", source, "-U", "sala"]
    copy += ["-D", str(folder / "rows"), "-X", "stream", "-c", "fast", "-N"]
    # -R writes standby.signal, and where the log comes from
    subprocess.run(as_server([*copy, "-R"]), check=True, capture_output=True, cwd=folder)
    more = "".join(f" -c {option}" for option in options)
    (folder / "options").write_text(given.replace(f"-p {source} ", f"-p {port} ", 1) + more)
    _begin(folder)
    return f"postgresql://sala@127.0.0.1:{port}"


def room(shared: Path, name: str = "cluster") -> Path:
    """A folder that is the server's account's."""
    folder = shared / name
    folder.mkdir()
    shared.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(folder, _account().pw_uid, _account().pw_gid)
    return folder


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _begin(folder: Path) -> None:
    bin_folder, rows = programs(), folder / "rows"
    assert bin_folder is not None
    options, log = (folder / "options").read_text(), folder / "log"
    begin = [str(bin_folder / "pg_ctl"), "-D", str(rows), "-l", str(log), "-w", "-o", options, "start"]
    subprocess.run(as_server(begin), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)


def restart(shared: Path) -> None:
    """Let the cluster end as if it was killed, and start it again at the same address."""
    stop(shared)
    _begin(shared / "cluster")


def stop(shared: Path) -> None:
    """Stop the cluster if this run started one."""
    rows, bin_folder = shared / "cluster" / "rows", programs()
    if bin_folder is not None and (rows / "postmaster.pid").exists():
        command = [str(bin_folder / "pg_ctl"), "-D", str(rows), "-m", "immediate", "-w", "stop"]
        subprocess.run(as_server(command), check=True, capture_output=True, cwd=rows.parent)


@contextmanager
def copy_of(base: str, name: str, template: str = TEMPLATE) -> Iterator[str]:
    """A database of one test's own, copied from the template, and gone afterwards."""
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield f"{base}/{name}"
    finally:
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def next_ids_are_free(db: Db) -> None:
    """The next number of each table is taken by no row."""
    for each in SQLModel.metadata.sorted_tables:
        if "id" in each.c and db.execute(select(func.pg_get_serial_sequence(each.name, "id"))).scalar():
            asked = select(func.nextval(func.pg_get_serial_sequence(each.name, "id")), func.max(each.c.id))
            following, most = db.execute(asked).one()
            assert following > (most or 0), each.name
