"""What strangers are refused is told at once, and then together."""

import logging

import pytest

from app.web.refusals import MOST_KINDS, Refusals

LOG = logging.getLogger("sala.tests")


def test_what_is_refused_is_told_at_once_and_then_together(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals(LOG, 60)
    for _ in range(5):
        refusals.add("nonsense")
    refusals._told -= 60
    refusals.add("nonsense")
    assert [record.getMessage() for record in caplog.records] == ["refused: nonsense × 1", "refused: nonsense × 5"]


def test_of_endless_kinds_the_last_are_counted_as_one(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals(LOG, 60)
    for number in range(MOST_KINDS + 11):
        refusals.add(f"kind {number}")
    refusals._told -= 60
    refusals.add("kind 1")
    assert caplog.records[-1].getMessage().count("×") == MOST_KINDS + 1
    assert "other × 10" in caplog.records[-1].getMessage()
