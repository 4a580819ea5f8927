"""The worker's loop: each duty at its time, one after the other; a duty that fails is logged and tried at its next."""

import logging
import threading
import time

from app.jobs.duties import DUTIES, Crew, Duty

log = logging.getLogger("sala.jobs")


class Worker:
    """Runs the duties in a thread of its own until stopped."""

    def __init__(self, crew: Crew, duties: tuple[Duty, ...] = DUTIES) -> None:
        self._crew = crew
        self._duties = duties
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self.run, name="worker", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Let the duty at hand finish, then end."""
        self.end()
        if self._thread.is_alive():
            self._thread.join()

    def end(self) -> None:
        """Ask the loop to end, without waiting for it (from a signal's handler)."""
        self._ending.set()

    def run(self) -> None:
        """The loop itself; returns after `stop`."""
        due = {duty.name: 0.0 for duty in self._duties}
        while not self._ending.is_set():
            for duty in self._duties:
                if time.monotonic() >= due[duty.name] and not self._ending.is_set():
                    again = self.do(duty) and duty.until_idle
                    due[duty.name] = time.monotonic() + (0 if again else duty.every_seconds)
            self._ending.wait(max(0.0, min(due.values()) - time.monotonic()))

    def do(self, duty: Duty) -> bool:
        """Do one duty; whether it found something to do. What goes wrong in it ends neither the worker nor the site."""
        try:
            return duty.do(self._crew) > 0
        except Exception:
            log.exception("duty %s failed", duty.name)
            return False
