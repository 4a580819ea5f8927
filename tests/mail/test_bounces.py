"""Notifications of mail that came back, as servers write them and as nobody should."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.kit.db import Db, table
from app.mail.bounces import MOST_BYTES, Bounce, note_bounce, read_bounce, scopes_of
from app.mail.models import Message
from app.mail.outbox import about, claim, counts, outbox, queue_mail
from tests.cast import NOW, SLUG

ID = f"<{'0123456789abcdef' * 2}@sala>"
SUBJECT = "registration:K3TP9QA"


def dsn(
    action: str = "failed", status: str = "5.1.1", named: str = ID, code: str = "smtp; 550 5.1.1 No such user"
) -> bytes:
    """A notification as Postfix writes it."""
    return f"""From: MAILER-DAEMON@mail.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example
Arrival-Date: Sun, 29 Nov 2026 10:00:00 +0000

Final-Recipient: rfc822; vanna@university.example
Action: {action}
Status: {status}
Diagnostic-Code: {code}

--b
Content-Type: message/rfc822

Message-ID: {named}
Subject: Your seat

Text
--b--
""".encode()


def test_a_failure_for_good_is_read_with_the_mail_it_is_about():
    assert read_bounce(dsn()) == Bounce((ID,), "5.1.1 550 5.1.1 No such user")


@pytest.mark.parametrize(
    "other",
    [
        dsn(action="delayed", status="4.4.1"),
        dsn(action="delivered", status="2.0.0"),
        dsn(action="failed", status="4.2.2"),
        dsn(named="<somebody@elsewhere.example>"),
        b"",
        b"\0" * 100,
        b"Subject: Hello\n\nA letter with " + ID.encode(),
        dsn() + b"x" * MOST_BYTES,
    ],
    ids=["delayed", "delivered", "for now", "not ours", "nothing", "nul", "a letter", "too long"],
)
def test_anything_else_is_passed_over(other: bytes):
    assert read_bounce(other) is None


@given(st.binary(max_size=400), st.integers(0, 900), st.integers(0, 900))
def test_rubbish_in_a_notification_never_fails(rubbish: bytes, start: int, end: int):
    whole = dsn()
    read_bounce(rubbish)
    found = read_bounce(whole[:start] + rubbish + whole[end:])
    assert found is None or (found.said.isprintable() and len(found.said) <= 500)


def test_a_notification_of_many_parts_in_parts_is_read_in_no_time():
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (number, number) for number in range(2000)
    )
    assert read_bounce(nested + dsn()) is None
    assert read_bounce(b"Content-Type: message/rfc822\n\n" * 3000 + ID.encode()) is None


def a_mail(db: Db) -> Any:
    queue_mail(db, SLUG, "registration/seated", "en", ("vanna@university.example", "Vanna"), SUBJECT, now=NOW)
    rows = table(Message)
    db.execute(update(rows).where(rows.c.id == claim(db, now=NOW)[0].id).values(message_id=ID, state="sent"))
    return db.execute(select(rows)).one()


def test_a_bounce_is_noted_once_and_found_by_the_list(db: Db):
    a_mail(db)
    found = read_bounce(dsn())
    assert found is not None
    assert scopes_of(db, found) == [SLUG]
    assert [note_bounce(db, SLUG, found, now=NOW) for _ in range(2)] == [1, 0]
    (row,) = about(db, SLUG, SUBJECT)
    assert (row.state, row.bounced_at, row.bounce) == ("sent", NOW, "5.1.1 550 5.1.1 No such user")
    assert counts(db, SLUG)["bounced"] == 1
    assert [one.id for one in outbox(db, SLUG, "bounced")] == [row.id]
    assert note_bounce(db, "another-forum", found, now=NOW) == 0
