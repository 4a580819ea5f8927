"""The worker's loop."""

import threading
from collections.abc import Callable

import pytest

from app.jobs.duties import Crew, Duty
from app.jobs.run import Worker


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
