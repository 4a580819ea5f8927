from datetime import timedelta

import pytest
from sqlalchemy import select

from app.kit.db import Db, table
from app.kit.errors import TooMany
from app.kit.models import Visit
from app.kit.throttling import count_visit, forget_visits, who
from tests.cast import NOW, SECRET

HOUR = 3600


def test_so_many_tries_and_no_more(db: Db):
    for _ in range(3):
        count_visit(db, "somebody", 3, HOUR, now=NOW)
    with pytest.raises(TooMany) as refused:
        count_visit(db, "somebody", 3, HOUR, now=NOW + timedelta(minutes=10))
    assert refused.value.values == {"seconds": 3000, "minutes": 50}
    count_visit(db, "another", 3, HOUR, now=NOW)


def test_after_the_window_it_may_be_tried_again(db: Db):
    count_visit(db, "somebody", 1, HOUR, now=NOW)
    count_visit(db, "somebody", 1, HOUR, now=NOW + timedelta(seconds=HOUR))


def test_nought_means_no_limit(db: Db):
    for _ in range(50):
        count_visit(db, "somebody", 0, HOUR, now=NOW)
    assert db.execute(select(table(Visit))).all() == []


def test_nobody_stands_in_the_table_in_the_clear():
    digest = who(SECRET, "email", "vanna@university.example")
    assert "vanna" not in digest
    assert digest != who(SECRET, "address", "vanna@university.example")
    assert digest != who(b"another", "email", "vanna@university.example")


def test_old_tries_are_forgotten(db: Db):
    count_visit(db, "somebody", 9, HOUR, now=NOW)
    count_visit(db, "somebody", 9, HOUR, now=NOW + timedelta(hours=2))
    assert forget_visits(db, before=NOW + timedelta(hours=1)) == 1
