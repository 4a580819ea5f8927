"""The worker's loops: each duty at its time, in a thread of its own, so that a silent mail server holds up no seat.

A duty that fails is logged and tried at its next time.
"""

import logging
import threading
import time

from app.jobs.crew import Crew
from app.jobs.duties import DUTIES, Duty
from app.kit import clock, traces

log = logging.getLogger("sala.jobs")

SECONDS_TO_END = 30
"""How long ending waits for the duties at hand; what is cut then is an abandoned claim (rules §6)."""


class Worker:
    """Runs the duties until stopped."""

    def __init__(
        self, crew: Crew, duties: tuple[Duty, ...] = DUTIES, *, seconds_to_end: float = SECONDS_TO_END
    ) -> None:
        self._crew = crew
        self._seconds_to_end = seconds_to_end
        self._threads = [
            threading.Thread(target=self._repeat, args=(duty,), name=duty.name, daemon=True) for duty in duties
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the duties at hand finish, for `seconds_to_end` at most, then end."""
        self.end()
        until = time.monotonic() + self._seconds_to_end
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                log.warning("duty %s did not end in time", thread.name)

    def end(self) -> None:
        """Ask the loops to end, without waiting for them (from a signal's handler)."""
        self._crew.ending.set()

    def run(self) -> None:
        """Start, and return after `end`."""
        self.start()
        while not self._crew.ending.is_set():
            # Not `ending.wait()`: a signal's handler that sets it could meet the lock this very thread holds there.
            self._threads[0].join(1)
        self.stop()

    def _repeat(self, duty: Duty) -> None:
        while not self._crew.ending.is_set():
            again = self.do(duty) and duty.until_idle
            self._crew.ending.wait(0 if again else duty.every_seconds)

    def do(self, duty: Duty) -> bool:
        """Do one duty; whether it found something to do. What goes wrong in it ends neither the worker nor the site."""
        try:
            with traces.duty(duty.name) as span:
                found = duty.do(self._crew) > 0
                span.note({"found": found})
        except Exception:
            log.exception("duty %s failed", duty.name)
            return False
        self._crew.ended[duty.name] = clock.now(), duty.every_seconds
        return found
