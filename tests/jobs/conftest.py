"""A crew on the real forum and a real SMTP server on this machine that keeps what it is given."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from app.jobs.crew import Crew
from app.kit.db import Database
from app.kit.pen import Pen
from tests.conftest import settings_for


@dataclass
class Sink:
    """What arrived, and what the server answers to each recipient ("" takes it).

    `meanwhile` is done while a text has come and is not yet answered.
    """

    url: str = ""
    mails: list[EmailMessage] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    meanwhile: Callable[[], Any] = lambda: None
    _server: Any = None

    async def handle_RCPT(  # noqa: N802 - the server library's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if answer := self.answers.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - see above
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self._server = _server
        self.meanwhile()
        return "250 OK"

    def hang_up(self) -> None:
        """Break the line over which a text came, before it is answered."""
        self._server.transport.abort()


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A running SMTP server."""
    kept, port = Sink(), free_port()
    controller = Controller(kept, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    kept.url = f"smtp://127.0.0.1:{port}"
    yield kept
    controller.stop()


@pytest.fixture
def crew_with(database: Database, sqlite_url: str) -> Callable[..., Crew]:
    """Makes a crew with the settings given."""

    def make(**environment: str) -> Crew:
        return Crew(settings_for(sqlite_url, **environment), database, Pen(database))

    return make


@pytest.fixture
def crew(crew_with: Callable[..., Crew], sink: Sink) -> Crew:
    """A crew whose mail goes to the sink."""
    return crew_with(SMTP_URL=sink.url, BASE_URL="https://forum.example")
