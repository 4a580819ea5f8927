"""Copies of a database: whole while others write, refused where they are damaged, and brought back row by row."""

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
from tests.cast import BOPHA, NOW, SLUG, make_application
from tests.cluster import free_port
from tests.conftest import opened


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


def test_a_full_disk_leaves_no_copy_behind(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping, "_copy_sqlite", full)
    with pytest.raises(OSError, match="No space"):
        keeping.back_up(database, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


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
