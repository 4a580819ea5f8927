"""The commands of whoever keeps an installation."""

import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app.accounts.actor import Actor
from app.accounts.signing_in import link_is_good, make_link, sign_in, sign_out, user_of_login
from app.audit.recording import first_broken
from app.cli import main
from app.kit.db import Database, Db
from app.kit.heart import beat
from app.kit.pen import SITE, Pen, revisions
from app.registration.applying import application_of
from app.registration.erasing import erase
from tests.cast import CHAN, DARA, NOW, SECRET_KEY, SLUG, VANNA, make_application, make_user, the_forum

Run = Callable[..., tuple[int, str]]
PRODUCTION = {"SALA_ENV": "production", "BASE_URL": "https://forum.example.org", "TRUSTED_PROXIES": "10.0.0.0/8"}


@pytest.fixture
def run(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`sala …` on a loaded database: its exit code and all it said."""
    (tmp_path / "var").mkdir()

    def sala(*words: str, **environment: str) -> tuple[int, str]:
        given = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": sqlite_url, "SALA_VAR": str(tmp_path / "var"), **environment}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["sala", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        code = ended.value.code
        return (1, printed.out + printed.err + code) if isinstance(code, str) else (code or 0, printed.out)

    return sala


def lives(database: Database, ago: timedelta = timedelta(0)) -> None:
    Pen(database).write_now(SITE, lambda db: beat(db, {"deliver": (NOW - ago, 2.0)}))


def test_a_copy_is_made_opened_and_brought_back_in_place_of_what_is_there(
    run: Run, database: Database, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.sqlite"
    code, said = run("backup", str(copy))
    assert code == 0, said
    assert re.search(r"[1-9][\d,]* facts in \d+ whole chains", said)
    assert "SECRET_KEY" in said
    before = database.read(revisions)[SLUG]
    Pen(database).write_now(SLUG, lambda db: db.connection().exec_driver_sql("DELETE FROM programme_material"))
    code, said = run("restore", str(copy))
    assert code == 1
    assert "--yes" in said
    code, said = run("restore", str(copy), "--yes")
    assert code == 0, said
    (kept,) = database.path.parent.glob("before-restore-*.sqlite")
    with sqlite3.connect(kept) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert database.read(revisions)[SLUG] > before, "pages that a running process has kept are stale"


def test_what_is_brought_back_brings_back_no_login_no_link_and_nobody_who_was_erased(
    run: Run, database: Database, tmp_path: Path
) -> None:
    pen, by = Pen(database), Actor.operator()

    def prepare(db: Db) -> tuple[str, str, str]:
        chan = make_user(db, CHAN)
        login = sign_in(db, make_link(db, by, chan, now=NOW), now=NOW)
        return login, make_link(db, by, chan, now=NOW), make_application(db, DARA).code

    login, link, code = pen.write_now(SLUG, prepare)
    run("backup", str(tmp_path / "copy.sqlite"))
    later = pen.write_now(SLUG, lambda db: make_application(db, VANNA).code)
    for each in (code, later):
        pen.write_now(SLUG, lambda db, each=each: erase(db, by, the_forum(db), each, now=NOW))
    pen.write_now(SITE, lambda db: sign_out(db, login, now=NOW))
    status, said = run("restore", str(tmp_path / "copy.sqlite"), "--yes")
    assert status == 0, said
    assert "1 erased since the copy" in said
    assert database.read(lambda db: user_of_login(db, login, now=NOW)) is None
    assert not database.read(lambda db: link_is_good(db, link, now=NOW))
    assert database.read(lambda db: application_of(db, the_forum(db), code)).family_name == ""
    assert database.read(lambda db: [first_broken(db, scope) for scope in (SITE, SLUG)]) == [None, None]


def test_a_copy_whose_facts_were_changed_is_told(run: Run, database: Database, tmp_path: Path) -> None:
    statement = "UPDATE audit_fact SET kind = 'something.else' WHERE id = 1"
    Pen(database).write_now(SLUG, lambda db: db.connection().exec_driver_sql(statement))
    code, said = run("backup", str(tmp_path / "copy.sqlite"))
    assert code == 1
    assert "is broken" in said


def test_a_file_that_exists_is_said_in_a_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "copy").touch()
    assert "exists already" in run("backup", str(tmp_path / "copy"))[1]


def test_the_doctor_finds_nothing_wrong_with_what_is_well(run: Run, database: Database) -> None:
    lives(database)
    code, said = run("doctor", **PRODUCTION)
    assert code == 0, said
    assert "0 wrong" in said
    assert SLUG in said


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"BASE_URL": "http://forum.example.org"}, "without https"),
        ({"SMTP_URL": "smtp://127.0.0.1:9"}, "takes no calls"),
    ],
)
def test_the_doctor_says_what_is_wrong_with_the_settings(
    run: Run, database: Database, environment: dict[str, str], words: str
) -> None:
    lives(database)
    code, said = run("doctor", **{**PRODUCTION, **environment})
    assert code == 1
    assert any(line.startswith("WRONG") and words in line for line in said.splitlines()), said


@pytest.mark.parametrize(
    ("environment", "mark", "words"),
    [
        ({"TRUSTED_PROXIES": "10.0.0.0/8,0.0.0.0/0"}, "WRONG", "TRUSTED_PROXIES has 0.0.0.0/0"),
        ({"ALLOWED_HOSTS": "*"}, "care", "answers to any name"),
        ({"MATERIAL_LIMIT_BYTES": "99999999"}, "care", "MATERIAL_LIMIT_BYTES was raised"),
    ],
)
def test_the_doctor_says_what_it_can_know_of_the_proxy(
    run: Run, database: Database, environment: dict[str, str], mark: str, words: str
) -> None:
    lives(database)
    _, said = run("doctor", **{**PRODUCTION, **environment})
    assert any(line.startswith(mark) and words in line for line in said.splitlines()), said


def test_the_doctor_says_how_old_the_newest_copy_is(run: Run, database: Database, tmp_path: Path) -> None:
    lives(database)
    assert "care  BACKUP_FOLDER is empty" in run("doctor", **PRODUCTION)[1]
    folder = tmp_path / "copies"
    given = {**PRODUCTION, "BACKUP_FOLDER": str(folder)}
    code, said = run("doctor", **given)
    assert (code, "There is no copy" in said) == (1, True)
    folder.mkdir()
    (folder / "empty").touch()
    (folder / ".copy.part").write_text("a copy that was broken off")
    assert "There is no copy" in run("doctor", **given)[1]
    run("backup", str(folder / "copy.sqlite"))
    code, said = run("doctor", **given)
    assert (code, "ok    The newest copy" in said) == (0, True)
    three_days_ago = time.time() - 3 * 24 * 3600
    os.utime(folder / "copy.sqlite", (three_days_ago, three_days_ago))
    code, said = run("doctor", **given)
    assert code == 1
    assert "WRONG The newest copy" in said
    assert "is 72 hours old" in said


@pytest.mark.postgres
def test_the_doctor_holds_the_clock_against_that_of_the_databases_server(
    run: Run, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "The clock agrees" in run("doctor", **PRODUCTION, DATABASE_URL=postgres_url)[1]
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() + 90)
    code, said = run("doctor", **PRODUCTION, DATABASE_URL=postgres_url)
    assert code == 1
    assert re.search(r"WRONG The clock is (8\d|90) seconds off", said)


def test_the_doctor_says_that_no_worker_runs(run: Run, database: Database) -> None:
    assert "No worker has ever run" in run("doctor", **PRODUCTION)[1]
    lives(database, timedelta(hours=1))
    code, said = run("doctor", **PRODUCTION)
    assert code == 1
    assert "late with deliver" in said


def test_the_doctor_says_where_the_schema_is_old_or_no_database_answers(run: Run, tmp_path: Path) -> None:
    empty = f"sqlite:///{tmp_path / 'empty.sqlite'}"
    code, said = run("doctor", **PRODUCTION, DATABASE_URL=empty)
    assert code == 1
    assert "run `sala migrate`" in said
    code, said = run("doctor", **PRODUCTION, DATABASE_URL="postgresql://sala@127.0.0.1:9/none")
    assert code == 1
    assert "does not answer" in said


def test_the_doctor_says_that_facts_were_changed(run: Run, database: Database) -> None:
    lives(database)
    statement = "UPDATE audit_fact SET kind = 'something.else' WHERE id = 1"
    Pen(database).write_now(SLUG, lambda db: db.connection().exec_driver_sql(statement))
    code, said = run("doctor", **PRODUCTION)
    assert code == 1
    assert "`sala verify` says where" in said
