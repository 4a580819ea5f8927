"""What stays for good is not looked through for garbage; what is made later is, as ever."""

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator

import pytest

from app.kit.garbage import YOUNG, unswept


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Ring:
    """Something that holds itself: only the collector frees it."""

    def __init__(self) -> None:
        self.myself = self


def test_what_is_made_meanwhile_stays_out_of_every_later_look() -> None:
    with unswept():
        assert not gc.isenabled()
        early = weakref.ref(Ring())
    gc.collect()
    assert early() is not None
    assert gc.isenabled()


def test_what_is_made_afterwards_is_freed_as_ever() -> None:
    with unswept():
        pass
    late = weakref.ref(Ring())
    gc.collect()
    assert late() is None


def test_afterwards_it_is_looked_less_often() -> None:
    gc.set_threshold(700, 10, 10)
    with unswept():
        pass
    assert gc.get_threshold() == (YOUNG, 10, 10)


def test_a_fault_meanwhile_leaves_the_collector_at_work() -> None:
    with pytest.raises(ValueError, match="no such module"), unswept():
        raise ValueError("no such module")
    assert gc.isenabled()


def test_the_command_line_is_read_so_and_runs_with_the_collector_at_work() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import app.__main__, gc; print(gc.isenabled(), gc.get_freeze_count() > 100_000)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["True", "True"]
