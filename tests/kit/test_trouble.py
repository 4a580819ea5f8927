"""What a failure says of the database."""

import errno
from pathlib import Path

import psycopg.errors
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from app.kit.db import Database
from app.kit.trouble import BUSY, UNREACHABLE, UNWRITABLE, leaves_open, trouble_of


def told(cause: Exception) -> DBAPIError:
    return OperationalError("", {}, cause)


@pytest.mark.parametrize(
    ("failure", "trouble"),
    [
        (NoConnection("all are in use"), BUSY),
        (OSError(errno.ENOSPC, "full"), UNWRITABLE),
        (OSError(errno.EROFS, "read-only"), UNWRITABLE),
        (OSError(errno.ENOENT, "gone"), ""),
        (ValueError(), ""),
        (told(psycopg.OperationalError("connection refused")), UNREACHABLE),
        (told(psycopg.errors.AdminShutdown()), UNREACHABLE),
        (told(psycopg.errors.CannotConnectNow()), UNREACHABLE),
        (told(psycopg.errors.TooManyConnections()), UNREACHABLE),
        (told(psycopg.errors.DiskFull()), UNWRITABLE),
        (told(psycopg.errors.ReadOnlySqlTransaction()), UNWRITABLE),
        (told(psycopg.errors.DeadlockDetected()), BUSY),
        (told(psycopg.errors.UniqueViolation()), ""),
        (told(psycopg.errors.UndefinedTable()), ""),
    ],
)
def test_a_failure_says_what_is_wrong_with_the_database_or_is_a_fault_of_ours(failure: Exception, trouble: str) -> None:
    assert trouble_of(failure) == trouble


def test_of_a_commit_that_failed_it_is_open_whether_it_was_written_only_where_the_line_broke() -> None:
    assert leaves_open(told(psycopg.OperationalError("the server closed the connection")))
    assert not leaves_open(told(psycopg.errors.DiskFull()))
    assert not leaves_open(told(psycopg.errors.UniqueViolation()))
    assert not leaves_open(ValueError())


def test_sqlites_own_words_are_understood(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'there'}")
    with database.write_engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE a (b TEXT)")
    with database.write_engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=2")
        with pytest.raises(DBAPIError) as full:
            connection.execute(text("INSERT INTO a VALUES (:much)"), {"much": "x" * 100_000})
    assert trouble_of(full.value) == UNWRITABLE
    assert not leaves_open(full.value)
    with pytest.raises(DBAPIError) as unknown, database.write_engine.begin() as connection:
        connection.exec_driver_sql("SELECT * FROM nothing")
    assert trouble_of(unknown.value) == ""
    database.close()
    (tmp_path / "there").write_bytes(b"no database at all" * 1000)
    with pytest.raises(DBAPIError) as damaged, database.write_engine.begin():
        pass
    assert trouble_of(damaged.value) == UNREACHABLE
