"""Handing one mail to an SMTP server. Only the worker does (import contract)."""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from app.mail.rules import Outcome

SECONDS_TO_ANSWER = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """A rendered mail, ready to leave; `reply_to` is the address of those who answer questions, or empty."""

    message_id: str
    sender: str
    reply_to: str
    to_name: str
    to_address: str
    language: str
    subject: str
    text: str
    html: str


def compose(letter: Letter, at: datetime) -> EmailMessage:
    """The letter as a message of plain text and HTML. Raises ValueError where a header would hold a line break."""
    message = EmailMessage(policy=SMTP)
    name, address = parseaddr(letter.sender)
    message["From"] = _address(name, address)
    message["To"] = _address(letter.to_name, letter.to_address)
    if letter.reply_to:
        message["Reply-To"] = _address("", letter.reply_to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = letter.message_id
    message["Content-Language"] = letter.language
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def _address(name: str, address: str) -> Address:
    user, _, domain = address.rpartition("@")
    return Address(" ".join(name.split()), user, domain)


class Connection:
    """A connection to the server of an `smtp://` or `smtps://` address, opened at the first letter."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            try:
                self._server.quit()
            except (smtplib.SMTPException, OSError):
                self._server.close()

    def send(self, message: EmailMessage) -> tuple[Outcome, str]:
        """Send one message; what came of it and, where it failed, the server's own words.

        Addresses beyond ASCII are sent where the server says SMTPUTF8, and fail for good where it does not.
        """
        try:
            self._server = self._server or self._open()
            self._server.send_message(message)
        except smtplib.SMTPAuthenticationError as error:
            return self._lost(Outcome.CONFIGURATION, error)
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            return _by_code(code), _said(code, words)
        except smtplib.SMTPNotSupportedError as error:
            return Outcome.PERMANENT, str(error)
        except smtplib.SMTPServerDisconnected as error:
            return self._lost(Outcome.CONNECTION, error)
        except smtplib.SMTPResponseException as error:
            return self._lost(_by_code(error.smtp_code), error)
        except (OSError, smtplib.SMTPException) as error:
            return self._lost(Outcome.CONNECTION, error)
        return Outcome.SENT, ""

    def _open(self) -> smtplib.SMTP:
        url, options = self._url, parse_qs(self._url.query)
        host, secure = url.hostname or "localhost", url.scheme == "smtps"
        if secure:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, url.port or 465, timeout=SECONDS_TO_ANSWER, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(host, url.port or 25, timeout=SECONDS_TO_ANSWER)
        if not secure and options.get("starttls", ["0"])[0] == "1":
            server.starttls(context=ssl.create_default_context())
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        return server

    def _lost(self, outcome: Outcome, error: Exception) -> tuple[Outcome, str]:
        if self._server is not None:
            self._server.close()
            self._server = None
        if isinstance(error, smtplib.SMTPResponseException):
            return outcome, _said(error.smtp_code, error.smtp_error)
        return outcome, str(error) or type(error).__name__


def _by_code(code: int) -> Outcome:
    """RFC 5321 §4.2.1: 4yz may be tried again, 5yz may not."""
    return Outcome.TEMPORARY if 400 <= code < 500 else Outcome.PERMANENT


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {' '.join(text.split())}"
