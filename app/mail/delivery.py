"""Handing one mail to an SMTP server. Only the worker does (import contract)."""

import io
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses, parseaddr
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from app.mail.rules import Outcome

SECONDS_TO_ANSWER = 20
"""How long the server may be silent."""
SECONDS_FOR_ONE = 120
"""How long one message may take in all, a server that drips its answers included; well below `CLAIM_LASTS`."""


@dataclass(frozen=True, slots=True)
class Invite:
    """A finished iTIP object that goes along (RFC 6047): its text, and the METHOD it has inside."""

    method: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A rendered mail, ready to leave; `reply_to` is the address of those who answer questions, or empty.

    `opt_out` is the https or http address at which one click ends such mail (RFC 8058), or empty. Of several `invites`
    applications take in the first by themselves.
    """

    message_id: str
    sender: str
    reply_to: str
    to_name: str
    to_address: str
    language: str
    subject: str
    text: str
    html: str
    opt_out: str = ""
    invites: tuple[Invite, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A letter as it goes over the wire: its one sender, its one recipient, and every byte."""

    sender: str
    recipient: str
    wire: bytes


def compose(letter: Letter, at: datetime) -> Prepared:
    """The letter as a message of plain text and HTML, and of what goes along for calendars.

    What people typed never meets a parser of headers: those decode encoded words (RFC 2047) and write what comes out,
    line breaks too. Raises ValueError where the header block would hold anything but our own headers.
    """
    name, address = parseaddr(letter.sender)
    headers = {
        "From": _mailbox(name, address),
        "To": _mailbox(letter.to_name, letter.to_address),
        "Subject": _words(letter.subject),
        "Date": format_datetime(at),
        "Message-ID": letter.message_id,
        "Content-Language": letter.language,
        "Auto-Submitted": "auto-generated",
    }
    if letter.reply_to:
        headers["Reply-To"] = _mailbox("", letter.reply_to)
    if letter.opt_out:
        headers["List-Unsubscribe"] = f"<{letter.opt_out}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    body = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    body.set_content(letter.text)
    body.add_alternative(letter.html, subtype="html")
    _enclose(body, letter.invites)
    own = "".join(f"{header}: {value}\r\n" for header, value in headers.items())
    wire = own.encode() + body.as_bytes()
    _check_headers(wire, [*headers, "Content-Type", "MIME-Version"], letter.to_address)
    return Prepared(address, letter.to_address, wire)


def _enclose(body: EmailMessage, invites: Sequence[Invite]) -> None:
    """The first object as the last and so the best alternative (RFC 2046 §5.1.4), and each as a file.

    Applications act on one `text/calendar` part of a message, and on its `method` only where it says what the object
    does; so there is one, and the files are of another type. Base64, because relays that break lines break folds.
    """
    if invites:
        first = invites[0]
        method = {"method": first.method}
        body.add_alternative(first.text.decode(), subtype="calendar", charset="utf-8", cte="base64", params=method)
    for number, invite in enumerate(invites, 1):
        name = "invite" if invite.method == "REQUEST" else "cancel"
        file = f"{name}.ics" if number == 1 else f"{name}-{number}.ics"
        named = {"name": file}
        body.add_attachment(invite.text, maintype="application", subtype="ics", filename=file, params=named)


_PLAIN = re.compile(r"[A-Za-z0-9]+( [A-Za-z0-9]+)*")
_ADDRESS = re.compile(r"""[^\s\x00-\x20\x7f<>()\[\],;:\\"@]+@[^\s\x00-\x20\x7f<>(),;\\"@]+""")


def _words(text: str) -> str:
    """Text for a header: plain words as they are, all else as encoded words, so that it is decoded to what it was."""
    line = " ".join(text.split())
    if len(line) <= _LONGEST_PLAIN and _PLAIN.fullmatch(line):
        return line
    return Header(line, "utf-8", header_name="Subject").encode(linesep="\r\n")


_LONGEST_PLAIN = 60


def _mailbox(name: str, address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise ValueError("not one address")
    return f"{_words(name)} <{address}>" if name.strip() else f"<{address}>"


def _check_headers(wire: bytes, ours: list[str], recipient: str) -> None:
    """Whatever was typed: our headers, each once, and one recipient. Raises ValueError."""
    block = re.sub("\r\n[ \t]", " ", wire.partition(b"\r\n\r\n")[0].decode())
    lines = block.split("\r\n")
    found = [line.partition(":")[0] for line in lines]
    to = [line.partition(":")[2] for line in lines if line.startswith("To:")]
    if sorted(found) != sorted(ours) or re.search("[\r\n\0]", "".join(lines)):
        raise ValueError("a header that is not ours")
    if [address for _, address in getaddresses(to)] != [recipient]:
        raise ValueError("not one recipient")


class _Until:
    """An instant by which all must be over, in seconds from now; it may be set anew."""

    def __init__(self, seconds: float) -> None:
        self.set(seconds)

    def set(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds to wait at most for the next sign of the server. Raises TimeoutError where none are left."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return min(left, SECONDS_TO_ANSWER)


class _Reading(io.RawIOBase):
    """What a server sends. A socket's own limit begins anew with every byte that comes; this one does not."""

    def __init__(self, sock: socket.socket, until: _Until) -> None:
        self._sock, self._until = sock, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._sock.settimeout(self._until.left())
        return self._sock.recv_into(buffer)


class _Server(smtplib.SMTP):
    """The standard library's client, each of whose waits counts against one end."""

    def __init__(self, host: str, port: int, until: _Until, **options: Any) -> None:
        self._until = until
        self.text_on_its_way = False
        super().__init__(host, port, timeout=until.left(), **options)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Reading(self.sock, self._until))
        answer = super().getreply()
        self.text_on_its_way = answer[0] == _TEXT_MAY_COME
        return answer

    def send(self, s: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(self._until.left())
        super().send(s)


class _SecureServer(_Server, smtplib.SMTP_SSL):
    """The same from the first byte on over TLS."""


class Connection:
    """A connection to the server of an `smtp://` or `smtps://` address, opened at the first letter.

    One letter takes `seconds_for_one` at most, opening the connection included.
    """

    def __init__(self, url: str, *, seconds_for_one: float = SECONDS_FOR_ONE) -> None:
        self._url = urlsplit(url)
        self._server: _Server | None = None
        self._text_on_its_way = False
        self._seconds_for_one = seconds_for_one
        self._until = _Until(seconds_for_one)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._until.set(min(self._seconds_for_one, SECONDS_TO_ANSWER))
            try:
                self._server.quit()
            except (smtplib.SMTPException, OSError):
                self._server.close()

    @property
    def is_open(self) -> bool:
        """Whether the server still listens: what it refused, if anything, was one message."""
        return self._server is not None

    @property
    def text_on_its_way(self) -> bool:
        """Whether the line broke after the last message's text had begun to leave: the server may have taken it."""
        return self._text_on_its_way

    def send(self, message: Prepared) -> tuple[Outcome, str]:
        """Send one message; what came of it and, where it failed, the server's own words.

        Addresses beyond ASCII are sent where the server says SMTPUTF8, and fail for good where it does not.
        Whatever goes wrong before the server has let us in is not the message's fault (CONFIGURATION, CONNECTION).
        """
        self._until.set(self._seconds_for_one)
        self._text_on_its_way = False
        if self._server is None:
            try:
                self._server = self._open()
            except (OSError, smtplib.SMTPException, ValueError) as error:  # ValueError: no port, no name of a host
                return self._lost(_at_the_door(error), error)
        ascii_only = message.sender.isascii() and message.recipient.isascii()
        options = () if ascii_only else ("SMTPUTF8", "BODY=8BITMIME")
        try:
            self._server.sendmail(message.sender, [message.recipient], message.wire, options)
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            return self._refused(code, words, error)
        except smtplib.SMTPDataError as error:
            return self._refused(error.smtp_code, error.smtp_error, error)
        except smtplib.SMTPNotSupportedError as error:
            return Outcome.PERMANENT, str(error)
        except smtplib.SMTPResponseException as error:  # the sender, or the greeting
            return self._lost(_at_the_door(error), error)
        except (OSError, smtplib.SMTPException) as error:
            return self._lost(Outcome.CONNECTION, error)
        except ValueError as error:
            return self._lost(Outcome.PERMANENT, error)
        return Outcome.SENT, ""

    def _open(self) -> _Server:
        url, options = self._url, parse_qs(self._url.query)
        host, secure = url.hostname or "localhost", url.scheme == "smtps"
        if secure:
            context = ssl.create_default_context()
            server: _Server = _SecureServer(host, url.port or 465, self._until, context=context)
        else:
            server = _Server(host, url.port or 25, self._until)
        try:
            server.ehlo_or_helo_if_needed()
            if not secure and options.get("starttls", ["0"])[0] == "1":
                server.starttls(context=ssl.create_default_context())
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
        except BaseException:
            server.close()
            raise
        return server

    def _refused(self, code: int, words: bytes | str, error: Exception) -> tuple[Outcome, str]:
        """The server refused a recipient or a text; after 421 it has also hung up (RFC 5321 §3.8)."""
        if code == _CLOSING:
            return self._lost(Outcome.CONNECTION, error)
        said = _said(code, words)
        return _of_a_message(code, said), said

    def _lost(self, outcome: Outcome, error: Exception) -> tuple[Outcome, str]:
        if self._server is not None:
            self._text_on_its_way = self._server.text_on_its_way and outcome is Outcome.CONNECTION
            self._server.close()
            self._server = None
        if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code > 0:
            return outcome, _said(error.smtp_code, error.smtp_error)
        return outcome, str(error) or type(error).__name__


_CLOSING, _TEXT_MAY_COME = 421, 354
_NOT_LET_IN = frozenset({530, 535, 538})
_PERMANENT_FROM = 500


def _at_the_door(error: Exception) -> Outcome:
    """Refused before any message: for as long as settings are wrong, or until the server is there again."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Outcome.CONFIGURATION
    if isinstance(error, smtplib.SMTPResponseException):
        if error.smtp_code >= _PERMANENT_FROM:
            return Outcome.CONFIGURATION
        of_one = isinstance(error, smtplib.SMTPSenderRefused) and error.smtp_code != _CLOSING
        return Outcome.TEMPORARY if of_one else Outcome.CONNECTION
    no_answer = isinstance(error, smtplib.SMTPServerDisconnected)
    if no_answer or (isinstance(error, OSError) and not isinstance(error, ssl.SSLError | smtplib.SMTPException)):
        return Outcome.CONNECTION
    return Outcome.CONFIGURATION


def _of_a_message(code: int, said: str) -> Outcome:
    """RFC 5321 §4.2.1: 4yz may be tried again, 5yz may not. But "sign in first" (RFC 4954 §6) refuses us and not the
    message, and X.7.X, policy (RFC 3463 §3.8), may do so."""
    if code < _PERMANENT_FROM:
        return Outcome.TEMPORARY
    if code in _NOT_LET_IN:
        return Outcome.CONFIGURATION
    return Outcome.POLICY if re.match(r"5\d\d 5\.7\.", said) else Outcome.PERMANENT


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {' '.join(text.split())}"
