from datetime import timedelta

from app.kit.db import Db
from app.kit.heart import beat, beats, late
from tests.cast import NOW


def test_of_several_workers_the_latest_sign_counts(db: Db) -> None:
    beat(db, {"deliver": (NOW, 2.0), "settle": (NOW, 30.0)})
    beat(db, {"deliver": (NOW - timedelta(minutes=5), 2.0), "settle": (NOW + timedelta(seconds=30), 60.0)})
    assert beats(db) == {"deliver": (NOW, 2.0), "settle": (NOW + timedelta(seconds=30), 60.0)}


def test_a_worker_that_has_ended_nothing_yet_writes_nothing(db: Db) -> None:
    beat(db, {})
    assert beats(db) == {}


def test_a_duty_is_late_by_its_own_measure() -> None:
    known = {"deliver": (NOW, 2.0), "purge": (NOW, 600.0)}
    assert late(known, now=NOW + timedelta(minutes=2)) == []
    assert late(known, now=NOW + timedelta(minutes=3)) == ["deliver"]
    assert late(known, now=NOW + timedelta(minutes=23)) == ["deliver", "purge"]


def test_a_clock_that_was_ahead_hides_no_dead_worker_once_it_is_set_back(db: Db) -> None:
    beat(db, {"deliver": (NOW + timedelta(days=1), 2.0)})
    beat(db, {"deliver": (NOW, 2.0)})
    assert late(beats(db), now=NOW + timedelta(minutes=3)) == ["deliver"]
