"""Copies of a database: whole while others write, refused where they are damaged, and brought back row by row."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from app.audit.recording import first_broken, record
from app.kit import keeping
from app.kit.db import Database, Db
from app.kit.errors import Refused
from app.kit.migrating import migrate
from app.kit.pen import SITE, Pen
from tests import cluster
from tests.cast import BOPHA, NOW, SLUG, make_application
from tests.cluster import free_port
from tests.conftest import ROOT, opened


def rows(database: Database) -> dict[str, list[Any]]:
    """Every row of every table."""
    with database.read_engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(text(f'SELECT * FROM "{name}"')).all()))  # noqa: S608
            for name in inspect(connection).get_table_names()
        }


@pytest.fixture
def storm(database: Database) -> Iterator[list[int]]:
    """Facts written one after the other as fast as they go; the list holds the number of each that was acknowledged."""
    pen, acknowledged, ending = Pen(database), [], threading.Event()
    pen.start()

    def write() -> None:
        number = 0
        while not ending.is_set():
            number += 1
            note = f"storm.{number}"
            pen.write_now(SITE, lambda db, note=note: record(db, SITE, ("system", "worker"), note, note, now=NOW))
            acknowledged.append(number)

    thread = threading.Thread(target=write)
    thread.start()
    yield acknowledged
    ending.set()
    thread.join()
    pen.stop()


def test_a_copy_made_in_a_storm_opens_and_has_all_that_was_acknowledged_before(
    database: Database, storm: list[int], tmp_path: Path
) -> None:
    for turn in range(4):
        while len(storm) < 20 * (turn + 1):
            time.sleep(0.005)
        before = storm[-1]
        copy = tmp_path / f"copy-{turn}.sqlite"
        assert keeping.back_up(database, copy) == copy.stat().st_size
        with opened(f"sqlite:///{copy}") as kept:
            noted = kept.read(
                lambda db: [
                    int(row[0].partition(".")[2])
                    for row in db.execute(text("SELECT kind FROM audit_fact WHERE kind LIKE 'storm.%'"))
                ]
            )
            assert kept.read(lambda db: first_broken(db, SITE)) is None
        assert sorted(noted) == list(range(1, len(noted) + 1))
        assert len(noted) >= before


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_what_was_copied_comes_back_row_by_row(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    with opened(url) as database:
        pen = Pen(database)
        pen.write_now("phnom-penh-2027", make_application)
        kept = rows(database)
        keeping.back_up(database, tmp_path / "copy")
        pen.write_now("phnom-penh-2027", lambda db: make_application(db, BOPHA))
        assert rows(database) != kept
        keeping.restore(database, tmp_path / "copy")
        assert rows(database) == kept
        pen.write_now("phnom-penh-2027", lambda db: make_application(db, BOPHA))
        if kind == "postgres":
            pen.write_now(SITE, cluster.next_ids_are_free)


@pytest.mark.postgres
def test_of_several_servers_the_site_and_its_copies_go_to_the_one_that_writes(
    postgres_url: str, tmp_path: Path
) -> None:
    at, name = postgres_url.rpartition("@")[2].split("/")
    hosts = f"host=127.0.0.1:{free_port()}&host={at}"  # nobody is at the first
    with opened(f"postgresql://sala@/{name}?{hosts}&target_session_attrs=read-write&sslmode=disable") as database:
        Pen(database).write_now(SLUG, make_application)
        kept = rows(database)
        keeping.back_up(database, tmp_path / "copy")
        Pen(database).write_now(SLUG, lambda db: make_application(db, BOPHA))
        keeping.restore(database, tmp_path / "copy")
        assert rows(database) == kept


def test_a_copy_comes_back_into_an_empty_place(database: Database, tmp_path: Path) -> None:
    keeping.back_up(database, tmp_path / "copy")
    with opened(f"sqlite:///{tmp_path / 'elsewhere' / 'sala.sqlite'}") as other:
        keeping.restore(other, tmp_path / "copy")
        assert rows(other) == rows(database)


def test_a_copy_is_its_owners_alone_and_one_file(database: Database, tmp_path: Path) -> None:
    keeping.back_up(database, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_behind_a_pooler_a_copy_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        keeping.back_up(Database("postgresql://sala@127.0.0.1:1/none", pooled=True), tmp_path / "copy")
    assert refused.value.code == "program_pooled"
    assert not list(tmp_path.iterdir())


def test_a_file_that_exists_is_not_written_over(database: Database, tmp_path: Path) -> None:
    there = tmp_path / "copy"
    there.write_text("something")
    with pytest.raises(Refused, match="backup_exists"):
        keeping.back_up(database, there)
    assert there.read_text() == "something"


@pytest.mark.parametrize("damage", ["cut", "nothing", "words", "middle"])
def test_a_damaged_copy_is_refused_and_changes_nothing(database: Database, tmp_path: Path, damage: str) -> None:
    copy = tmp_path / "copy"
    keeping.back_up(database, copy)
    whole = copy.read_bytes()
    spoilt = {
        "cut": whole[: len(whole) // 2],
        "nothing": b"",
        "words": b"this is no database at all, whatever it is called",
        "middle": whole[: 4096 * 9] + b"\xff" * 8192 + whole[4096 * 11 :],
    }[damage]
    copy.write_bytes(spoilt)
    before = rows(database)
    with pytest.raises(Refused, match="backup_damaged"):
        keeping.restore(database, copy)
    assert rows(database) == before


FULL = """
import resource, sys
from pathlib import Path
from app.kit import keeping
from app.kit.db import Database
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    keeping.back_up(Database(sys.argv[1]), Path(sys.argv[2]))
except Exception as failure:
    print(type(failure).__name__, failure)
"""
"""A limit on the size of its files that a process cannot pass does what a full disk does."""


def test_a_full_disk_leaves_no_copy_behind(database: Database, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL, str(database.url), str(tmp_path / "copy")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert re.search("disk is full|disk I/O|File too large", done.stdout), done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


# ---- PostgreSQL's programs


@pytest.fixture
def dumped(postgres_url: str, tmp_path: Path) -> Iterator[tuple[Database, Path]]:
    """A database with people in it, and a copy of it from before the last of them."""
    with opened(postgres_url) as database:
        pen = Pen(database)
        pen.write_now("phnom-penh-2027", make_application)
        keeping.back_up(database, tmp_path / "copy")
        pen.write_now("phnom-penh-2027", lambda db: make_application(db, BOPHA))
        yield database, tmp_path / "copy"


@pytest.mark.postgres
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.9, 0.999, "middle", "words"])
def test_a_damaged_dump_is_refused_and_changes_nothing(dumped: tuple[Database, Path], kept: float | str) -> None:
    """Its list of contents stands at its beginning and is whole in most of these."""
    database, copy = dumped
    whole, before = copy.read_bytes(), rows(database)
    half = len(whole) // 2
    if isinstance(kept, float):
        copy.write_bytes(whole[: int(len(whole) * kept)])
    else:
        copy.write_bytes(b"no dump" if kept == "words" else whole[:half] + b"\xff" * 4096 + whole[half + 4096 :])
    with pytest.raises(Refused, match="backup_damaged"):
        keeping.look_at(copy, sqlite=False)
    with pytest.raises(Refused, match="backup_damaged"):
        keeping.restore(database, copy)
    assert rows(database) == before


@pytest.mark.postgres
def test_a_copy_that_comes_out_damaged_is_no_copy(
    dumped: tuple[Database, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `pg_dump` that loses the last bytes and says that all is well, as a failing disk would."""
    database, copy = dumped
    programs = tmp_path / "programs"
    programs.mkdir()
    real = shutil.which("pg_dump")
    (programs / "pg_dump").write_text(
        f'#!/bin/sh\n{real} "$@" || exit\nfor word; do case $word in --file=*) to=${{word#--file=}};; esac; done\n'
        'truncate --size=-2000 "$to"\n'
    )
    (programs / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with pytest.raises(Refused, match="backup_damaged"):
        keeping.back_up(database, tmp_path / "another")
    assert {path.name for path in tmp_path.iterdir()} == {copy.name, "programs"}


def test_a_copy_of_a_damaged_database_is_no_copy(database: Database, tmp_path: Path) -> None:
    """SQLite copies page by page and asks nothing of what stands on them."""
    there = tmp_path / "there.sqlite"
    keeping.back_up(database, there)
    with sqlite3.connect(there) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audit_fact'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with there.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with opened(f"sqlite:///{there}") as damaged, pytest.raises(Refused, match="backup_damaged"):
        keeping.back_up(damaged, tmp_path / "copy")
    assert not [path for path in tmp_path.iterdir() if "copy" in path.name]


@pytest.mark.postgres
def test_a_restore_that_fails_half_way_leaves_everything_as_it_was(dumped: tuple[Database, Path]) -> None:
    """Something stands on a table that the copy would make anew: it cannot be dropped, after others were."""
    database, copy = dumped
    with database.write_engine.begin() as connection:
        connection.execute(text("CREATE VIEW of_theirs AS SELECT id FROM forum_forum"))
    before = rows(database)
    with pytest.raises(Refused, match="program_failed"):
        keeping.restore(database, copy)
    assert rows(database) == before


def test_while_one_pen_keeps_others_out_they_wait_and_are_written_then(either_database: Database) -> None:
    keeper, other = Pen(either_database), Pen(either_database)
    other.start()
    try:
        with keeper.keeping_others_out():
            waiting = other.submit(SITE, lambda db: record(db, SITE, ("system", "worker"), "other", "x", now=NOW))
            keeper.write_now(SITE, lambda db: record(db, SITE, ("system", "worker"), "keeper", "x", now=NOW))
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
        waiting.result(timeout=30)
    finally:
        other.stop()
    said = "SELECT kind FROM audit_fact WHERE kind IN ('keeper', 'other') ORDER BY number"
    assert list(either_database.read(lambda db: db.execute(text(said)).scalars())) == ["keeper", "other"]


@pytest.mark.postgres
def test_whoever_writes_too_long_is_not_kept_out(
    dumped: tuple[Database, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = dumped
    monkeypatch.setattr("app.kit.pen.SECONDS_TO_GET_ALL", 1)
    entered, over = threading.Event(), threading.Event()
    slow = threading.Thread(target=Pen(database).write_now, args=(SITE, lambda _db: (entered.set(), over.wait(30))))
    slow.start()
    try:
        assert entered.wait(30)
        with pytest.raises(Refused, match="restore_in_use"), Pen(database).keeping_others_out():
            raise AssertionError
    finally:
        over.set()
        slow.join()


def test_a_database_that_somebody_holds_is_not_restored(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.back_up(database, tmp_path / "copy")
    with Db(database.write_engine) as db:
        db.execute(text("UPDATE kit_scope SET revision = revision"))
        monkeypatch.setattr(keeping, "SECONDS_TO_WAIT", 0.2)
        with pytest.raises(Refused, match="restore_in_use"):
            keeping.restore(database, tmp_path / "copy")
        db.rollback()
    migrate(database)
