"""The only clock says the same in both its ways."""

import time

from app.kit import clock
from tests.cast import NOW


def test_seconds_are_those_of_now_whatever_the_clock() -> None:
    with clock.reading(lambda: NOW):
        assert clock.seconds() == NOW.timestamp()
    with clock.reading(clock._system):  # what a site reads
        before, told, after = time.time(), clock.seconds(), time.time()
        assert before <= told <= after
