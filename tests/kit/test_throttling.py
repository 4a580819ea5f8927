from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.kit.db import Db, table
from app.kit.errors import TooMany
from app.kit.models import Visit
from app.kit.throttling import count_visit, count_visits, forget_visits, network, sought, who
from tests.cast import NOW, SECRET
from tests.conftest import opened

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


def test_several_are_counted_together_or_none_of_them(db: Db, queries: Any):
    with queries() as made:
        count_visits(db, [("a place", 9), ("an address", 2), ("no limit", 0)], HOUR, now=NOW)
    assert len(made) == 1, "what is counted is written with whatever else the transaction writes"
    count_visits(db, [("a place", 9), ("an address", 2)], HOUR, now=NOW + timedelta(minutes=30))
    with pytest.raises(TooMany) as refused:
        count_visits(db, [("a place", 9), ("an address", 2)], HOUR, now=NOW + timedelta(minutes=40))
    assert refused.value.values == {"seconds": 1200, "minutes": 20}
    assert sorted(db.execute(select(table(Visit).c.who)).scalars()) == ["a place"] * 2 + ["an address"] * 2


@pytest.mark.postgres
@pytest.mark.parametrize("elsewhere", [0, 1, 3])
def test_of_those_whose_absence_was_asked_ahead_no_more_get_through_than_one_beyond_the_limit(
    postgres_url: str, elsewhere: int
) -> None:
    """Of one pen's tries as many as may be; one more where the pen of another forum counted meanwhile."""
    tried: Counter[str] = Counter()

    def tries(db: Db, times: int) -> None:
        for _ in range(times):
            with suppress(TooMany), db.one_deed():
                count_visits(db, [("a place", 3), ("an address", 3)], HOUR, now=NOW)
                tried["let through"] += 1

    with opened(postgres_url) as database:
        with Db(database.write_engine) as db:
            db.look_ahead([sought("a place", "an address")])
            with Db(database.write_engine) as other:
                tries(other, elsewhere)
                other.commit()
            tries(db, 6)
            db.commit()
        found = database.read(lambda db: Counter(db.execute(select(table(Visit).c.who)).scalars()))
    assert tried["let through"] == (4 if elsewhere == 3 else 3)
    assert found == {"a place": tried["let through"], "an address": tried["let through"]}


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


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:DB8:1:2::1", "2001:db8:1:2:0:0:0:1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "192.0.2.1", True),
    ],
)
def test_a_subscriber_is_one_address_or_in_ipv6_one_network(one: str, other: str, same: bool):
    assert (network(one) == network(other)) is same


@pytest.mark.parametrize("address", ["", "testclient", "a.b.c.d"])
def test_what_is_no_address_stands_for_itself(address: str):
    assert network(address) == address


def test_a_clock_set_back_keeps_nobody_out_for_longer_than_a_window(db: Db):
    count_visit(db, "somebody", 1, HOUR, now=NOW + timedelta(days=1))
    count_visit(db, "somebody", 1, HOUR, now=NOW)
    count_visit(db, "another", 1, HOUR, now=NOW + timedelta(minutes=30))
    with pytest.raises(TooMany) as refused:
        count_visit(db, "another", 1, HOUR, now=NOW)
    assert refused.value.values["seconds"] <= HOUR
