import os
import socket
import stat
import time
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.forum.models import Forum
from app.forum.queries import forums
from app.kit import db as db_module
from app.kit.db import Database, Db, new_ids, table
from app.kit.migrating import migrate
from app.kit.models import Scope, Visit
from app.kit.pen import SITE, Pen
from app.kit.trouble import UNREACHABLE, trouble_of
from tests.cast import NOW, SLUG, the_forum


def test_a_reader_cannot_write(either_database: Database):
    with either_database.reading() as db, pytest.raises(DBAPIError):
        db.execute(insert(table(Scope)).values(name="new", revision=0))


def test_a_reader_sees_one_consistent_view(either_database: Database):
    with either_database.reading() as reading:
        before = reading.execute(select(table(Scope).c.name)).scalars().all()
        with Db(either_database.write_engine) as writing:
            writing.execute(insert(table(Scope)).values(name="new", revision=0))
            writing.commit()
        assert reading.execute(select(table(Scope).c.name)).scalars().all() == before
    assert "new" in either_database.read(lambda db: db.execute(select(table(Scope).c.name)).scalars().all())


def test_foreign_keys_hold(either_database: Database):
    with Db(either_database.write_engine) as db, pytest.raises(IntegrityError):
        db.execute(text("INSERT INTO registration_place (forum_id, number, retiring) VALUES (999, 1, false)"))


def test_rows_are_written_with_ids_that_were_asked_for_and_later_ones_go_on_from_there(either_database: Database):
    visits = table(Visit)
    with Db(either_database.write_engine) as db:
        ids = new_ids(db, visits, 3)
        for number in range(1, 4):
            db.later(visits, {"who": f"visit {number}", "at": NOW, "id": next(ids)})
        more = new_ids(db, visits, 1)
        db.execute(insert(visits).values(who="visit 4", at=NOW, id=next(more)))
        db.execute(insert(visits).values(who="visit 5", at=NOW))
        found = list(db.execute(select(visits.c.id).order_by(visits.c.who)).scalars())
        assert found == sorted(set(found))
        assert len(found) == 5
        db.commit()
    with Db(either_database.write_engine) as db:
        assert next(new_ids(db, visits, 1)) > max(found)
        assert next(new_ids(db, table(Forum), 1)) <= max(found), "each table has its own"


def test_rows_stay_readable_after_their_transaction(database: Database):
    assert database.read(forums)[0].slug == SLUG


def test_sqlite_waits_for_the_disk(database: Database):
    with database.write_engine.connect() as connection:
        asked = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert asked == ["wal", 2]


def test_nobody_else_on_the_machine_may_read_an_sqlite_file_of_the_sites_making(tmp_path: Path):
    before = os.umask(0o022)
    try:
        database = Database(f"sqlite:///{tmp_path}/var/sala.sqlite")
        migrate(database)
        Pen(database).write_now(SITE, lambda db: db.execute(select(1)))
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "var").glob("sala.sqlite*")}
        database.close()
    finally:
        os.umask(before)
    private = {name: mode for name, mode in files.items() if not name.endswith(".turn")}
    assert private.keys() == {"sala.sqlite", "sala.sqlite-wal", "sala.sqlite-shm"}
    assert {oct(mode) for mode in private.values()} == {oct(0o600)}


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_an_sqlite_database_needs_a_file(url: str):
    with pytest.raises(ValueError, match="file"):
        Database(url)


def test_an_sqlite_database_has_no_replica(tmp_path: Path):
    with pytest.raises(ValueError, match="replica"):
        Database(f"sqlite:///{tmp_path}/sala.sqlite", read_url="postgresql://sala@127.0.0.1:1/sala")


def test_a_plain_postgresql_address_gets_its_driver():
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    assert (database.url.drivername, database.is_sqlite, database.path) == ("postgresql+psycopg", False, None)
    database.close()


def test_instants_come_back_aware_and_in_utc(either_database: Database):
    forum: Forum = either_database.read(the_forum)
    assert forum.created_at == NOW
    assert forum.created_at.utcoffset().total_seconds() == 0  # type: ignore[union-attr]


def test_a_server_that_takes_calls_and_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(db_module, "SECONDS_TO_CONNECT", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = Database(f"postgresql://sala@127.0.0.1:{silent.getsockname()[1]}/sala")
        began = time.monotonic()
        with pytest.raises(DBAPIError) as failed:
            database.read(forums)
    assert time.monotonic() - began < 10
    assert trouble_of(failed.value) == UNREACHABLE
    database.close()
