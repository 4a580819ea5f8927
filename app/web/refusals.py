"""How the log tells what strangers are refused: at once, and then together, because they may send it without end."""

import logging
import time
from collections import Counter

MOST_KINDS = 200
"""So many kinds are told apart between two lines; further ones are counted as one."""


class Refusals:
    """Counts what is refused; the log says it at once, and what follows together with the first after `seconds`."""

    def __init__(self, log: logging.Logger, seconds: float) -> None:
        self._log = log
        self._seconds = seconds
        self._told = float("-inf")
        self._counted: Counter[str] = Counter()

    def add(self, what: str) -> None:
        """One more."""
        known = what in self._counted or len(self._counted) < MOST_KINDS
        self._counted[what if known else "other"] += 1
        if time.monotonic() - self._told >= self._seconds:
            self._told = time.monotonic()
            self._log.warning("refused: %s", ", ".join(f"{what} × {count}" for what, count in self._counted.items()))
            self._counted.clear()
