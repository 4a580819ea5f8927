"""Mailings on their way to a real SMTP server: who gets what, with which headers, and at which pace."""

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.correspondence import mailing
from app.correspondence.mailboxes import choose
from app.correspondence.mailing import MailingInput
from app.correspondence.mailing_queries import batch_of, mailing_of
from app.jobs.crew import Crew
from app.jobs.duties import deliver, send_mailings
from app.kit.db import table
from app.kit.inputs import parse
from app.mail.models import Attempt, Message
from app.mail.outbox import batch_counts
from tests.cast import NOW, SLUG, SOKHA, VANNA, Figure, make_application, make_user, the_forum
from tests.conftest import Clock
from tests.doors import A_MAILING
from tests.jobs.conftest import Sink

OPERATOR = Actor.operator()
_messages = table(Message)


def written(crew: Crew, by: Actor = OPERATOR, **changes: Any) -> int:
    """A mailing whose time has come."""
    sent = parse(MailingInput, {**A_MAILING, **changes})

    def deed(db: Any) -> int:
        number = mailing.save(db, by, the_forum(db), None, sent, 0, now=NOW)
        mailing.schedule(db, by, the_forum(db), number, 1, NOW, now=NOW)
        return number

    return int(crew.pen.write_now(SLUG, deed))


def registered(crew: Crew, figure: Figure = VANNA, **changes: Any) -> Any:
    row = crew.pen.write_now(SLUG, lambda db: make_application(db, figure, **changes))
    while deliver(crew):
        pass
    return row


def drained(crew: Crew) -> None:
    while send_mailings(crew):
        pass
    while deliver(crew):
        pass


def plain(mail: Any) -> str:
    text: str = mail.get_body(("plain",)).get_content()
    return text.replace("\r\n", "\n")


def test_a_reader_gets_the_mailing_in_their_language_with_their_own_link_and_a_way_to_end_it(
    crew: Crew, sink: Sink
) -> None:
    registered(crew, display_name="{link} Vanna")
    sink.mails.clear()
    written(crew, text_km="ជូន {name}\nអំពី {forum}។")
    drained(crew)
    (mail,) = sink.mails
    assert mail["Subject"] == "ព័ត៌មានជូន {link} Vanna"
    assert "ជូន {link} Vanna\nអំពី" in plain(mail)
    assert re.search(r"https://forum\.example/km/my/[a-z2-7]{32}\n", plain(mail))
    address = re.fullmatch(r"<https://forum\.example/km/unsubscribe/([a-z2-7]{32})>", mail["List-Unsubscribe"])
    assert address
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"/km/unsubscribe/{address[1]}" in plain(mail)
    assert address[1] not in str(crew.database.read(lambda db: list(db.execute(select(_messages)))))


def test_what_is_essential_has_no_way_to_end_it_and_reaches_those_who_ended_news(crew: Crew, sink: Sink) -> None:
    registered(crew)
    written(crew)
    drained(crew)
    token = re.search(r"unsubscribe/([a-z2-7]{32})", sink.mails[-1]["List-Unsubscribe"])
    assert token
    crew.pen.write_now(SLUG, lambda db: choose(db, token[1], wanted=False, now=NOW))
    sink.mails.clear()
    written(crew)
    written(crew, essential=True, subject_km="សំខាន់")
    drained(crew)
    (mail,) = sink.mails
    assert mail["Subject"] == "សំខាន់"
    assert mail["List-Unsubscribe"] is None
    assert "unsubscribe" not in plain(mail)


def test_whoever_ends_news_while_a_mailing_waits_does_not_get_it(crew: Crew, sink: Sink) -> None:
    registered(crew)
    written(crew)
    drained(crew)
    token = re.search(r"unsubscribe/([a-z2-7]{32})", sink.mails[-1]["List-Unsubscribe"])
    assert token
    number = written(crew)
    while send_mailings(crew):
        pass
    crew.pen.write_now(SLUG, lambda db: choose(db, token[1], wanted=False, now=NOW))
    before = len(sink.mails)
    drained(crew)
    assert len(sink.mails) == before
    states = crew.database.read(lambda db: batch_counts(db, batch_of(the_forum(db), number)))
    assert states == {"withheld": 1, "bounced": 0}


def test_bulk_mail_leaves_at_its_pace_and_a_seat_is_told_at_once(
    crew_with: Callable[..., Crew], sink: Sink, clock: Clock
) -> None:
    crew = crew_with(SMTP_URL=sink.url, BASE_URL="https://forum.example", BULK_MAILS_A_MINUTE="2")
    for number in range(4):
        registered(crew, email=f"reader{number}@crowd.example", family_name=f"Reader{number}")
    sink.mails.clear()
    number = written(crew)
    drained(crew)
    assert len(sink.mails) == 2
    registered(crew, email="late@crowd.example", family_name="Late")
    assert str(sink.mails[-1]["To"]).endswith("<late@crowd.example>")
    clock.move(seconds=61)
    drained(crew)
    assert len(sink.mails) == 5
    assert crew.database.read(lambda db: mailing_of(db, the_forum(db), number)).queued == 4


def test_a_test_says_it_is_one_and_holds_nobodys_link(crew: Crew, sink: Sink) -> None:
    registered(crew, display_name="Her Excellency Example", language="en")
    sink.mails.clear()

    def deed(db: Any) -> None:
        user = make_user(db, SOKHA, site_owner=True)
        by, sent = Actor("user", user.id, site_owner=True), parse(MailingInput, A_MAILING)
        number = mailing.save(db, by, the_forum(db), None, sent, 0, now=NOW)
        mailing.try_out(db, by, the_forum(db), number, crew.settings.secret_key, now=NOW)

    crew.pen.write_now(SLUG, deed)
    drained(crew)
    english, khmer = sink.mails
    assert english["Subject"] == "[Test] News for Her Excellency Example"
    assert khmer["Subject"].startswith("[សាកល្បង]")
    for mail in sink.mails:
        assert str(mail["To"]).endswith(f"<{SOKHA.email}>")
        assert "/my/" not in plain(mail)
        assert "/unsubscribe/" not in plain(mail)
        assert mail["List-Unsubscribe"] is None


def test_an_address_that_is_refused_for_good_came_back_and_each_try_is_kept(crew: Crew, sink: Sink) -> None:
    sink.answers[VANNA.email] = "550 5.1.1 No such user"
    row = registered(crew)
    (message,) = crew.database.read(
        lambda db: list(db.execute(select(_messages).where(_messages.c.subject == f"registration:{row.code}")))
    )
    assert (message.state, message.bounced_at, message.bounce) == ("failed", NOW, "550 5.1.1 No such user")
    tries = crew.database.read(lambda db: list(db.execute(select(table(Attempt)))))
    assert [(one.outcome, one.said, one.at) for one in tries] == [("permanent", "550 5.1.1 No such user", NOW)]


def test_a_server_that_is_not_there_is_no_bounce(crew_with: Callable[..., Crew]) -> None:
    crew = crew_with(SMTP_URL="smtp://127.0.0.1:9", BASE_URL="https://forum.example")
    registered(crew)
    (message,) = crew.database.read(lambda db: list(db.execute(select(_messages))))
    assert (message.state, message.bounced_at) == ("retrying", None)
