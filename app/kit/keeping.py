"""A copy of the database while the site runs, and a database from a copy; each is opened and read first.

SQLite: its own online backup, in one step on one consistent view, so no writer waits and nothing half done is in it.
PostgreSQL: `pg_dump` and `pg_restore`, which must be as new as the server.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from app.kit.db import Database
from app.kit.errors import Refused

SECONDS_TO_WAIT = 10
"""How long a restore waits for whoever writes."""


def back_up(database: Database, to: Path) -> int:
    """Write a copy of the database into the new file `to`, readable by its owner alone; its size in bytes.

    The file is there only when it is whole. Raises Refused where it exists already, where the copy is damaged or a
    program is missing.
    """
    if to.exists():
        raise Refused("backup_exists", path=str(to))
    part = to.with_name(f".{to.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        if database.path is not None:
            _copy_sqlite(database.path, part)
        else:
            _run(database, "pg_dump", "--format=custom", "--no-owner", f"--file={part}")
        look_at(part, sqlite=database.is_sqlite)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(to)
        _sync_folder(to.parent)
    finally:
        part.unlink(missing_ok=True)
    return to.stat().st_size


def restore(database: Database, copy: Path) -> None:
    """Make the database what the copy holds, all or nothing.

    Raises Refused where the copy is damaged or is one of another kind of database, and where somebody keeps writing.
    On SQLite whatever still has the file open sees the new content from its next transaction on.
    """
    look_at(copy, sqlite=database.is_sqlite)
    if database.path is not None:
        with closing(sqlite3.connect(read_only(copy), uri=True)) as source, closing(_written(database.path)) as target:
            until = time.monotonic() + SECONDS_TO_WAIT

            def waited(status: int, _left: int, _all: int) -> None:
                held = status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
                if held and time.monotonic() > until:  # it would try for ever
                    raise Refused("restore_in_use")

            source.backup(target, progress=waited, sleep=0.05)
            target.execute("PRAGMA journal_mode=WAL")
        look_at(database.path, sqlite=True)
    else:
        _run(
            database, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error",
            f"--dbname={database.url.database}", str(copy),
        )  # fmt: skip


def look_at(copy: Path, *, sqlite: bool) -> None:
    """Open a copy and read all of it. Raises Refused where it is damaged, or none."""
    if not sqlite:
        program = shutil.which("pg_restore")
        if program is None:
            raise Refused("program_missing", program="pg_restore")
        listed = subprocess.run([program, "--list", str(copy)], capture_output=True, check=False)  # noqa: S603 - our own
        if listed.returncode:
            raise Refused("backup_damaged", reason=listed.stderr.decode(errors="replace").strip()[:300])
        return
    try:
        with closing(sqlite3.connect(read_only(copy), uri=True)) as connection:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(3)
            known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    except sqlite3.Error as fault:
        raise Refused("backup_damaged", reason=str(fault)) from fault
    if not known:
        raise Refused("backup_damaged", reason="it holds no installation")
    if said != ["ok"] or orphans:
        raise Refused("backup_damaged", reason="; ".join(said) if said != ["ok"] else f"rows without others: {orphans}")


def _copy_sqlite(path: Path, to: Path) -> None:
    with closing(sqlite3.connect(read_only(path), uri=True)) as source, closing(sqlite3.connect(to)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without others beside it


def _written(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return sqlite3.connect(path, timeout=0.1)


def read_only(path: Path) -> str:
    """The address by which SQLite opens a file without being able to change it."""
    return f"{path.resolve().as_uri()}?mode=ro"


def _run(database: Database, program: str, *words: str) -> None:
    """Run one of PostgreSQL's programs against the database; the password goes by the environment, where no list of
    processes shows it. Raises Refused with what it says, and where a pooler stands before the server: what these
    programs set in their connection (an empty search path) would meet whoever gets it next."""
    if database.pooled:
        raise Refused("program_pooled", program=program)
    found = shutil.which(program)
    if found is None:
        raise Refused("program_missing", program=program)
    done = subprocess.run(  # noqa: S603 - our own
        [found, *words], env={**os.environ, **_named(database)}, capture_output=True, check=False
    )
    if done.returncode:
        raise Refused("program_failed", program=program, reason=done.stderr.decode(errors="replace").strip()[:300])


def _named(database: Database) -> dict[str, str]:
    """The database as PostgreSQL's programs are told of it by their environment: everything that its address says, such
    as several servers, or a certificate."""
    dialect: Any = database.write_engine.dialect
    said = dialect.create_connect_args(database.url)[1]
    known = dialect.loaded_dbapi.pq.Conninfo.get_defaults()
    names = {each.keyword.decode(): each.envvar.decode() for each in known if each.envvar}
    return {names[word]: str(value) for word, value in said.items() if word in names and value}


def _sync_folder(folder: Path) -> None:
    """A new name is on the disk only when its folder is."""
    with _opened(folder) as number, contextlib.suppress(OSError):
        os.fsync(number)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    number = os.open(folder, os.O_RDONLY)
    try:
        yield number
    finally:
        os.close(number)
