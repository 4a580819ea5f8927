"""`sala bounce`, as a mail server's alias pipes into it."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, update

from app.audit.recording import history
from app.cli import main
from app.kit.db import Database, table
from app.kit.pen import Pen
from app.mail.models import Message
from app.mail.outbox import queue_mail
from tests.cast import NOW, SLUG
from tests.mail.test_bounces import ID, SUBJECT, dsn


def piped(monkeypatch: pytest.MonkeyPatch, url: str, raw: bytes) -> None:
    for name, value in {"DATABASE_URL": url, "SECRET_KEY": "0123456789abcdefghijklmnopqrstuv"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    monkeypatch.setattr("sys.argv", ["sala", "bounce"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code


def test_a_notification_is_noted_at_its_mail_and_anything_else_is_let_pass(
    monkeypatch: pytest.MonkeyPatch, database: Database, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = table(Message)

    def deed(db: Any) -> None:
        queue_mail(db, SLUG, "registration/seated", "en", ("vanna@university.example", "V"), SUBJECT, now=NOW)
        db.execute(update(rows).values(message_id=ID, state="sent"))

    Pen(database).write_now(SLUG, deed)
    piped(monkeypatch, sqlite_url, b"Subject: Hello\n\nNothing of ours.")
    assert "no notification" in capsys.readouterr().out
    piped(monkeypatch, sqlite_url, dsn())
    assert "Noted at one mail." in capsys.readouterr().out
    with database.reading() as db:
        assert db.execute(select(rows.c.bounce)).scalar_one() == "5.1.1 550 5.1.1 No such user"
        (fact,) = history(db, SLUG, SUBJECT)
    assert (fact.kind, fact.after) == ("mail.bounced", {"mail": "registration/seated"})
