import contextlib
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from app.audit.models import Fact, Head
from app.audit.recording import first_broken, head_of, history, record
from app.kit.db import Db, table
from tests.cast import NOW

_facts = table(Fact)
CHAIN = "a-forum"


def tell(db: Db, scope: str = CHAIN, count: int = 5) -> None:
    for number in range(1, count + 1):
        record(
            db,
            scope,
            ("user:1", "Sokha"),
            "registration.corrected",
            f"registration:{number}",
            now=NOW + timedelta(minutes=number),
            before={"state": "waiting", "ត": [1, 2.5, None]},
            after={"state": "seated"},
            personal={"email": "vanna@university.example", "name": "សុខ វណ្ណា"},
        )


def change(db: Db, number: int, /, **values: Any) -> None:
    db.execute(update(_facts).where(_facts.c.scope == CHAIN, _facts.c.number == number).values(**values))
    db.expire_all()


def test_an_untouched_chain_is_whole(db: Db):
    tell(db)
    assert first_broken(db, CHAIN) is None


def test_an_empty_chain_is_whole(db: Db):
    assert first_broken(db, "nothing-happened-here") is None


def test_each_scope_has_a_chain_of_its_own(db: Db):
    tell(db)
    tell(db, "another-forum", 2)
    change(db, 2, kind="never.happened")
    assert first_broken(db, CHAIN) == 2
    assert first_broken(db, "another-forum") is None


@pytest.mark.parametrize("number", [1, 3])
def test_a_removed_line_shows(db: Db, number: int):
    tell(db)
    db.execute(delete(_facts).where(_facts.c.scope == CHAIN, _facts.c.number == number))
    assert first_broken(db, CHAIN) == number


def test_a_removed_line_shows_where_the_later_ones_are_numbered_anew(db: Db):
    tell(db)
    db.execute(delete(_facts).where(_facts.c.scope == CHAIN, _facts.c.number == 2))
    for number in (3, 4, 5):
        change(db, number, number=number - 1)
    assert first_broken(db, CHAIN) == 2


@pytest.mark.parametrize("left", [4, 0])
def test_a_removed_end_shows(db: Db, left: int):
    tell(db)
    db.execute(delete(_facts).where(_facts.c.scope == CHAIN, _facts.c.number > left))
    assert first_broken(db, CHAIN) == left + 1


def test_a_removed_end_shows_when_more_has_happened_since(db: Db):
    tell(db)
    db.execute(delete(_facts).where(_facts.c.scope == CHAIN, _facts.c.number > 3))
    tell(db, count=2)
    assert first_broken(db, CHAIN) == 4


def test_a_head_noted_down_shows_an_end_that_was_removed_with_its_head(db: Db):
    tell(db)
    noted = head_of(db, CHAIN)
    assert noted is not None
    assert noted[0] == 5
    db.execute(delete(_facts).where(_facts.c.scope == CHAIN, _facts.c.number > 3))
    hash_of_third = db.execute(select(_facts.c.hash).where(_facts.c.scope == CHAIN, _facts.c.number == 3)).scalar_one()
    db.execute(update(table(Head)).where(table(Head).c.scope == CHAIN).values(number=3, hash=hash_of_third))
    assert first_broken(db, CHAIN) is None, "what the chain and its head say together is not wrong"
    assert first_broken(db, CHAIN, noted) == 4
    tell(db, count=2)
    assert first_broken(db, CHAIN, noted) == 5, "another fact stands where the noted one stood"


def test_a_chain_that_went_on_still_holds_the_head_noted_down_earlier(db: Db):
    tell(db)
    noted = head_of(db, CHAIN)
    tell(db)
    assert first_broken(db, CHAIN, noted) is None


@pytest.mark.parametrize(
    "values",
    [
        {"at": NOW},
        {"actor": "user:2"},
        {"kind": "registration.approved"},
        {"subject": "registration:9"},
        {"before": {}},
        {"after": {"state": "waiting"}},
        {"digest": "0" * 64},
        {"hash": "0" * 64},
        {"personal": {"email": "rith@elsewhere.example"}},
        {"salt": "another"},
        {"personal": {"email": "rith@elsewhere.example"}, "salt": None},
    ],
    ids="-".join,
)
def test_a_changed_line_shows(db: Db, values: dict[str, Any]):
    tell(db)
    change(db, 3, **values)
    assert first_broken(db, CHAIN) == 3


def test_two_lines_that_changed_places_show(db: Db):
    tell(db)
    for number, there in ((2, -1), (3, 2), (-1, 3)):
        change(db, number, number=there)
    assert first_broken(db, CHAIN) == 2


def test_purged_personal_values_leave_the_chain_whole(db: Db):
    tell(db)
    change(db, 3, personal=None, salt=None)
    assert first_broken(db, CHAIN) is None


def test_the_same_personal_values_have_different_digests(db: Db):
    tell(db)
    digests = db.execute(select(_facts.c.digest).where(_facts.c.scope == CHAIN)).scalars().all()
    assert len(set(digests)) == 5, "or a digest that stays after a purge would name the person"


def test_a_fact_reads_back_as_it_was_told(db: Db):
    record(db, CHAIN, ("user:1", "Sokha"), "a.kind", "a:subject", now=NOW.astimezone(timezone(timedelta(hours=7))))
    (fact,) = history(db, CHAIN, "a:subject")
    assert (fact.at, fact.actor, fact.actor_name, fact.kind) == (NOW, "user:1", "Sokha", "a.kind")
    assert fact.at.utcoffset() == timedelta(0)
    assert fact.at.tzinfo is UTC
    assert first_broken(db, CHAIN) is None


def test_history_is_about_one_thing_and_oldest_first(db: Db):
    tell(db, count=2)
    record(db, CHAIN, ("worker", "worker"), "seat.given", "registration:1", now=NOW)
    record(db, "another-forum", ("worker", "worker"), "seat.given", "registration:1", now=NOW)
    assert [fact.kind for fact in history(db, CHAIN, "registration:1")] == ["registration.corrected", "seat.given"]


def test_facts_of_one_transaction_are_written_together_and_stand_as_if_one_after_the_other(db: Db, queries: Any):
    with queries() as made:
        tell(db)
        tell(db, "another-forum", 2)
        tell(db, count=1)
        assert made == []
        assert head_of(db, CHAIN) is not None
    assert len(made) == 2 * 3 + 1, "for each chain its head is read and begun, and all facts are one statement"
    tell(db, count=2)
    assert [first_broken(db, scope) for scope in (CHAIN, "another-forum")] == [None, None]
    kept = db.execute(select(_facts.c.number, _facts.c.subject).where(_facts.c.scope == CHAIN).order_by(_facts.c.id))
    assert [tuple(row) for row in kept] == [
        (place, f"registration:{number}") for place, number in enumerate([1, 2, 3, 4, 5, 1, 1, 2], 1)
    ]
    assert len(history(db, "another-forum", "registration:2")) == 1


def test_of_facts_that_are_taken_back_nothing_is_left_and_the_chain_goes_on(db: Db):
    tell(db, count=1)
    with contextlib.suppress(ZeroDivisionError), db.begin_nested():
        tell(db)
        raise ZeroDivisionError
    with db.begin_nested():
        tell(db, count=2)
    assert first_broken(db, CHAIN) is None
    kept = db.execute(select(_facts.c.subject).where(_facts.c.scope == CHAIN).order_by(_facts.c.number)).scalars()
    assert [subject.removeprefix("registration:") for subject in kept] == ["1", "1", "2"]
