"""Composing a letter and reading an SMTP server's answers."""

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import BinaryIO

import pytest

from app.mail.delivery import SECONDS_FOR_ONE, Connection, Invite, Letter, compose
from app.mail.rules import CLAIM_LASTS, Outcome

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
OURS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Content-Language",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
}
SMUGGLED = b"Rith\r\nBcc: all@x.example\r\nReply-To: chan@x.example\r\n\r\nPay at https://x.example/\r\n"
ENCODED = [
    f"=?utf-8?b?{base64.b64encode(SMUGGLED).decode()}?=",
    "=?utf-8?q?Rith=0D=0ABcc:_all@x.example=0D=0A=0D=0ABody?=",
    "=?utf-8?q?=22=3Call=40x.example=3E=2C?= Rith",
    "Rith <all@x.example>,",
    "=??b?xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx?=)",
    "Rith\r\nBcc: all@x.example",
    "Rith\u2028Bcc: all@x.example",
]


def letter(name: str = "Rith Heng", address: str = "rith@hotel.example", subject: str = "Your seat") -> Letter:
    return Letter("<x@sala>", "Sala <sala@localhost>", "", name, address, "en", subject, "Text ក\n", "<p>Text</p>")


def read(wire: bytes) -> EmailMessage:
    mail = message_from_bytes(wire, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


@pytest.mark.parametrize("typed", ENCODED)
def test_no_name_and_no_subject_adds_a_header_a_recipient_or_a_text(typed: str) -> None:
    mail = read(compose(letter(typed, subject=typed), NOON).wire)
    assert set(mail.keys()) == OURS
    assert len(mail.keys()) == len(OURS)
    assert [address.addr_spec for address in mail["To"].addresses] == ["rith@hotel.example"]
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().split() == ["Text", "ក"]


def test_names_and_subjects_are_read_as_they_were_typed() -> None:
    name, subject = 'សុខ វណ្ណា, the "student"', "កៅអី " * 40 + "end"
    mail = read(compose(letter(name, subject=subject), NOON).wire)
    assert mail["To"].addresses[0].display_name == name
    assert mail["Subject"] == subject


@pytest.mark.parametrize(
    "address",
    ["a@x.example, b@x.example", "a@x.example\r\nBcc: b@x.example", "<a@x.example>", "nobody", "a b@x.example", ""],
)
def test_what_is_not_one_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not one address"):
        compose(letter(address=address), NOON)


def test_a_header_of_ours_that_would_break_is_refused() -> None:
    broken = Letter("<x@sala>\r\nBcc: b@x.example", "sala@localhost", "", "A", "a@x.example", "en", "s", "t", "h")
    with pytest.raises(ValueError, match="not ours"):
        compose(broken, NOON)


INVITES = (Invite("CANCEL", "BEGIN:VCALENDAR\r\nX:ក\r\nEND:VCALENDAR\r\n".encode()), Invite("REQUEST", b"BEGIN\r\n"))


def test_what_goes_along_is_the_best_alternative_once_and_each_a_file_with_no_byte_changed() -> None:
    mail = read(compose(replace(letter(), invites=INVITES), NOON).wire)
    kinds = [part.get_content_type() for part in mail.walk()]
    inner = ["multipart/alternative", "text/plain", "text/html", "text/calendar"]
    assert kinds == ["multipart/mixed", *inner, "application/ics", "application/ics"]
    (calendar,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    assert calendar.get_param("method") == "CANCEL"
    assert calendar.get_payload(decode=True) == INVITES[0].text
    files = list(mail.iter_attachments())
    assert [file.get_content() for file in files] == [one.text for one in INVITES]
    assert [file.get_filename() for file in files] == ["cancel.ics", "invite-2.ics"]
    assert set(mail.keys()) == OURS


Server = Callable[[dict[str, str]], int]
DRIP, HANG_UP = "drip", "hang up"


@pytest.fixture
def server() -> Iterator[Server]:
    """Starts a server that answers each command as scripted ("." is the end of a text); gives its port.

    The answer DRIP never ends: a byte comes, and after a moment another. With HANG_UP the line breaks.
    """
    opened: list[socket.socket] = []

    def say(to: BinaryIO, answer: str) -> None:
        to.write(b"2" if answer == DRIP else answer.encode() + b"\r\n")
        to.flush()
        while answer == DRIP:
            time.sleep(0.02)
            to.write(b"2")
            to.flush()

    def talk(listening: socket.socket, script: dict[str, str]) -> None:
        usual = {"EHLO": "250 host", "HELO": "250 host", "QUIT": "221 bye", "DATA": "354 go"}
        try:
            while True:
                peer, _ = listening.accept()
                with peer, peer.makefile("rwb") as line_by_line:
                    say(line_by_line, script.get("banner", "220 hi"))
                    in_text = False
                    for line in line_by_line:
                        if in_text and line != b".\r\n":
                            continue
                        word = "." if in_text else line.split()[0].decode().upper()
                        in_text = word == "DATA" and "DATA" not in script
                        if (answer := script.get(word, usual.get(word, "250 ok"))) == HANG_UP:
                            break
                        say(line_by_line, answer)
                        if word == "QUIT":
                            break
        except OSError:
            return

    def start(script: dict[str, str]) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        opened.append(listening)
        threading.Thread(target=talk, args=(listening, script), daemon=True).start()
        port: int = listening.getsockname()[1]
        return port

    yield start
    for listening in opened:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


@pytest.mark.parametrize(
    ("script", "outcome", "still_open"),
    [
        ({}, Outcome.SENT, True),
        ({"banner": "554 no service for you"}, Outcome.CONFIGURATION, False),
        ({"banner": "421 too busy"}, Outcome.CONNECTION, False),
        ({"EHLO": "550 go away", "HELO": "550 go away"}, Outcome.CONFIGURATION, False),
        ({"MAIL": "550 sender domain not allowed"}, Outcome.CONFIGURATION, False),
        ({"MAIL": "530 5.7.0 Authentication required"}, Outcome.CONFIGURATION, False),
        ({"MAIL": "451 later"}, Outcome.TEMPORARY, False),
        ({"RCPT": "530 Authentication required"}, Outcome.CONFIGURATION, True),
        ({"RCPT": "530 5.7.0 Authentication required"}, Outcome.CONFIGURATION, True),
        ({"RCPT": "554 5.7.1 Relay access denied"}, Outcome.POLICY, True),
        ({"RCPT": "550 5.1.1 no such user"}, Outcome.PERMANENT, True),
        ({"RCPT": "450 busy"}, Outcome.TEMPORARY, True),
        ({"RCPT": "421 closing"}, Outcome.CONNECTION, False),
        ({".": "552 message quota exceeded"}, Outcome.PERMANENT, True),
        ({".": "451 later"}, Outcome.TEMPORARY, True),
        ({"DATA": "554 5.7.1 not from you"}, Outcome.POLICY, True),
    ],
)
def test_only_an_answer_about_the_message_itself_gives_it_up(
    server: Server, script: dict[str, str], outcome: Outcome, still_open: bool
) -> None:
    with Connection(f"smtp://127.0.0.1:{server(script)}") as connection:
        assert connection.send(compose(letter(), NOON))[0] is outcome
        assert connection.is_open is still_open


@pytest.mark.parametrize(
    ("script", "begun"),
    [
        ({".": HANG_UP}, True),
        ({"DATA": HANG_UP}, False),
        ({"DATA": "421 closing"}, False),
        ({".": "421 closing"}, False),
        ({".": "451 later"}, False),
        ({"RCPT": HANG_UP}, False),
        ({}, False),
    ],
)
def test_a_line_that_breaks_over_the_text_leaves_open_whether_it_left(
    server: Server, script: dict[str, str], begun: bool
) -> None:
    with Connection(f"smtp://127.0.0.1:{server(script)}") as connection:
        connection.send(compose(letter(), NOON))
        assert connection.text_on_its_way is begun


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:{}?starttls=1", "smtp://u:p@127.0.0.1:{}", "smtp://127.0.0.1:9{}"])
def test_what_the_settings_ask_and_the_server_does_not_offer_waits_for_the_settings(server: Server, url: str) -> None:
    with Connection(url.format(server({}))) as connection:
        assert connection.send(compose(letter(), NOON))[0] is Outcome.CONFIGURATION


def test_an_address_beyond_ascii_is_given_up_where_the_server_cannot_take_it(server: Server) -> None:
    with Connection(f"smtp://127.0.0.1:{server({})}") as connection:
        assert connection.send(compose(letter(address="វណ្ណា@x.example"), NOON))[0] is Outcome.PERMANENT
        assert connection.send(compose(letter(), NOON))[0] is Outcome.SENT


@pytest.mark.parametrize("where", ["banner", "EHLO", "MAIL", "RCPT", "DATA", "."])
def test_a_server_that_drips_its_answer_is_left_when_the_time_for_one_letter_is_over(
    server: Server, where: str
) -> None:
    began = time.monotonic()
    with Connection(f"smtp://127.0.0.1:{server({where: DRIP})}", seconds_for_one=0.5) as connection:
        outcome, said = connection.send(compose(letter(), NOON))
        assert (outcome, connection.is_open) == (Outcome.CONNECTION, False)
        assert "timed out" in said
    assert time.monotonic() - began < 3


def test_a_server_that_drips_its_farewell_is_left_as_well(server: Server) -> None:
    began = time.monotonic()
    with Connection(f"smtp://127.0.0.1:{server({'QUIT': DRIP})}", seconds_for_one=0.5) as connection:
        assert connection.send(compose(letter(), NOON))[0] is Outcome.SENT
    assert time.monotonic() - began < 3


def test_each_letter_over_a_connection_has_its_own_time(server: Server) -> None:
    with Connection(f"smtp://127.0.0.1:{server({})}", seconds_for_one=0.5) as connection:
        for _ in range(3):
            assert connection.send(compose(letter(), NOON))[0] is Outcome.SENT
            time.sleep(0.25)


def test_a_letter_is_over_well_before_its_claim_counts_as_abandoned() -> None:
    assert timedelta(seconds=2 * SECONDS_FOR_ONE) < CLAIM_LASTS
