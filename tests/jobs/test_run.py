"""The worker's loop."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.jobs.crew import Crew
from app.jobs.duties import DUTIES, Duty
from app.jobs.run import Worker
from app.kit.db import table
from app.mail.models import Message
from app.registration.models import Application
from tests.cast import NOW, SLUG, make_application


def test_a_duty_that_fails_ends_neither_the_worker_nor_the_other_duties(
    crew_with: Callable[..., Crew], caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()

    def fails(_crew: Crew) -> int:
        raise RuntimeError("broken on purpose")

    def works(_crew: Crew) -> int:
        done.set()
        return 0

    worker = Worker(crew_with(), (Duty("fails", 0.01, fails), Duty("works", 0.01, works)))
    worker.start()
    assert done.wait(10)
    worker.stop()
    assert "duty fails failed" in caplog.text


def test_a_duty_with_more_to_do_is_done_again_at_once(crew_with: Callable[..., Crew]) -> None:
    left = [3, 2, 1, 0]
    idle = threading.Event()

    def works(_crew: Crew) -> int:
        number = left.pop(0)
        if not number:
            idle.set()
        return number

    worker = Worker(crew_with(), (Duty("works", 3600, works, until_idle=True),))
    worker.start()
    assert idle.wait(10)
    worker.stop()
    assert not left


class Silent:
    """A mail server that takes every call and says nothing."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self.listening.getsockname()[1]}"
        self.calls: list[socket.socket] = []
        self.taking = threading.Thread(target=self.take)
        self.taking.start()

    def take(self) -> None:
        with suppress(OSError):
            while True:
                self.calls.append(self.listening.accept()[0])

    def hang_up(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.taking.join()
        for taken in (self.listening, *self.calls):
            taken.close()


def test_a_silent_mail_server_holds_up_neither_the_seats_nor_the_end_of_the_worker(
    crew_with: Callable[..., Crew], clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = Silent()
    crew = crew_with(SMTP_URL=server.url)
    row = crew.pen.write_now(SLUG, make_application)
    until = update(table(Application)).values(confirm_by=NOW + timedelta(hours=48))
    crew.pen.write_now(SLUG, lambda db: db.execute(until))

    def comes(state: str, of: Any) -> bool:
        """Is a row of the table in this state within ten seconds?"""
        wanted, ends = select(table(of).c.id).where(table(of).c.state == state), time.monotonic() + 10
        while time.monotonic() < ends:
            if crew.database.read(lambda db: db.execute(wanted).first()):
                return True
            time.sleep(0.02)
        return False

    duties = tuple(Duty(duty.name, 0.05, duty.do) for duty in DUTIES)
    worker = Worker(crew, duties, seconds_to_end=0.2)
    worker.start()
    try:
        assert comes("sending", Message)
        clock.move(hours=48)
        assert comes("expired", Application), f"{row.code} holds its seat while the mail server is silent"
        began = time.monotonic()
        worker.stop()
        assert time.monotonic() - began < 3
        assert [record.args for record in caplog.records if "did not end in time" in record.message] == [("deliver",)]
    finally:
        worker.end()
        server.hang_up()
        for thread in worker._threads:
            thread.join(10)
