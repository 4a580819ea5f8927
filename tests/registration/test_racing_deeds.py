"""Deeds that take or free a seat, each against applications at the same instant (rules §1.9)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.accounts.actor import Actor
from app.audit.recording import first_broken
from app.editions.form import ForumFile
from app.kit.db import Database, Db, table
from app.kit.errors import Refused
from app.kit.pen import Pen
from app.registration import delegating, nominating
from app.registration.applying import application_of, apply, turn_down
from app.registration.arranging import put_terms
from app.registration.delegation_inputs import SeatsInput
from app.registration.erasing import erase
from app.registration.holding import give_held, keep_back, release
from app.registration.inputs import HoldBackInput
from app.registration.merging import merge
from app.registration.models import Application, Delegation, HoldBack, Seat
from app.registration.overriding import seat_beyond
from app.registration.settling import settle
from tests.cast import NOW, SECRET, SLUG, holder, small_terms, somebody, the_forum
from tests.embassies import DEADLINE, delegate, make_delegation, name_some

OPERATOR = Actor.operator()
CAPACITY = 3
_applications, _seats = table(Application), table(Seat)


def asks(number: int, category: str = "STU", now: datetime = NOW) -> Callable[[Db], Any]:
    sent = somebody(number, category)
    return lambda db: apply(db, Actor.visitor(), the_forum(db), sent, f"key{number}", SECRET, now=now)


def keeps(db: Db) -> int:
    return keep_back(db, OPERATOR, the_forum(db), HoldBackInput(category="STU", seats=1, purpose="so"), now=NOW)


def fill(database: Database, file: ForumFile) -> None:
    """One held-back seat, one person who was offered a seat, one free seat, and one who waits over a limit."""
    terms, categories = small_terms(file, CAPACITY, STU=(0, None, "open"), ORG=(0, 0, "open"))
    terms = terms.model_copy(update={"opens_at": NOW})
    pen = Pen(database)
    pen.write_now(SLUG, lambda db: put_terms(db, OPERATOR, the_forum(db), terms, categories, now=NOW))
    pen.write_now(SLUG, keeps)
    pen.write_now(SLUG, asks(1))
    offered = update(_applications).where(_applications.c.request_key == "key1").values(state="offered")
    pen.write_now(SLUG, lambda db: db.execute(offered))
    pen.write_now(SLUG, asks(2, "ORG"))


def code_of(db: Db, key: str) -> str:
    return str(db.execute(select(_applications.c.code).where(_applications.c.request_key == key)).scalar_one())


def held(db: Db) -> int:
    return int(db.execute(select(func.max(table(HoldBack).c.id))).scalar_one())


def offered_person_declines(db: Db) -> Any:
    code = code_of(db, "key1")
    by = holder(application_of(db, the_forum(db), code))
    return turn_down(db, by, the_forum(db), code, now=NOW)


DEEDS: dict[str, tuple[Callable[[Db], Any], bool]] = {
    "keep_back": (keeps, False),
    "seat_beyond": (lambda db: seat_beyond(db, OPERATOR, the_forum(db), code_of(db, "key2"), "so", now=NOW), False),
    "release": (lambda db: release(db, OPERATOR, the_forum(db), held(db), now=NOW), True),
    "turn_down": (offered_person_declines, True),
}
"""Deed → does it free a seat? The others take the last one, or do not get it."""


@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_and_an_application_at_the_same_instant_share_what_there_is(
    either_url: str, forum_file: ForumFile, name: str
):
    databases = [Database(either_url) for _ in range(2)]
    fill(databases[0], forum_file)
    deed, frees = DEEDS[name]
    pens = [Pen(database) for database in databases]

    def write(number: int) -> str:
        work = [deed, asks(10), asks(11)][number]
        try:
            pens[number % 2].write_now(SLUG, work)
        except Refused as refused:
            return refused.code
        return "done"

    for pen in pens:
        pen.start()
    with ThreadPoolExecutor(3) as together:
        answers = list(together.map(write, range(3)))
    for pen in pens:
        pen.stop()
    with databases[0].reading() as db:
        assert db.execute(select(func.count()).select_from(_seats)).scalar_one() == CAPACITY
        late = _applications.c.request_key.in_(["key10", "key11"])
        states = sorted(db.execute(select(_applications.c.state).where(late)).scalars())
        assert first_broken(db, SLUG) is None
    if frees:
        assert (answers[0], states) == ("done", ["seated", "seated"])
    else:
        given = answers[0] == "done"
        assert answers[0] in {"done", "hold_back_too_many", "no_place"}
        assert states == (["waiting", "waiting"] if given else ["seated", "waiting"])
    for database in databases:
        database.close()


def test_one_held_back_seat_given_to_two_at_the_same_instant_goes_to_one(either_url: str, forum_file: ForumFile):
    databases = [Database(either_url) for _ in range(2)]
    fill(databases[0], forum_file)
    first = Pen(databases[0])
    first.write_now(SLUG, asks(20))
    for number in (21, 22):
        first.write_now(SLUG, asks(number))
    pens = [Pen(database) for database in databases]

    def give(number: int) -> str:
        def deed(db: Db) -> None:
            give_held(db, OPERATOR, the_forum(db), held(db), code_of(db, f"key{21 + number}"), now=NOW)

        try:
            pens[number].write_now(SLUG, deed)
        except Refused as refused:
            return refused.code
        return "done"

    for pen in pens:
        pen.start()
    with ThreadPoolExecutor(2) as together:
        assert sorted(together.map(give, range(2))) == ["done", "hold_back_empty"]
    for pen in pens:
        pen.stop()
    with databases[0].reading() as db:
        assert db.execute(select(func.count()).select_from(_seats)).scalar_one() == CAPACITY
    for database in databases:
        database.close()


# ---- a person erased, a member or a delegation withdrawn, two registrations joined


AFTER = DEADLINE + timedelta(hours=1)
HALL = 4
_delegations = table(Delegation)


def seat_some(database: Database, file: ForumFile) -> None:
    """One person, a delegation of two with one named, and one free seat."""
    terms, categories = small_terms(file, HALL, STU=(0, None, "open"))
    pen = Pen(database)

    def deed(db: Db) -> None:
        put_terms(db, OPERATOR, the_forum(db), terms.model_copy(update={"opens_at": NOW}), categories, now=NOW)
        asks(1)(db)
        name_some(db, make_delegation(db, "STU", 2), delegate(1))

    pen.write_now(SLUG, deed)


def erases(db: Db) -> Any:
    row = application_of(db, the_forum(db), code_of(db, "key1"))
    return erase(db, holder(row), the_forum(db), row.code, now=NOW)


def party(db: Db) -> Any:
    return db.execute(select(_delegations)).one()


def withdraws_member(now: datetime) -> Callable[[Db], Any]:
    def deed(db: Db) -> Any:
        row = party(db)
        member = db.execute(select(_applications.c.code).where(_applications.c.delegation_id == row.id)).scalar_one()
        by = Actor.focal_point(row.id)
        return nominating.withdraw_member(db, by, the_forum(db), row.code, member, now=now)

    return deed


def joins(db: Db) -> Any:
    """The member and the person are one: the person's own seat is too many."""
    row = party(db)
    mine = _applications.c.delegation_id == row.id
    member = db.execute(select(_applications.c.code).where(mine)).scalar_one()
    codes = member, code_of(db, "key1")
    editions = tuple(application_of(db, the_forum(db), code).edition for code in codes)
    return merge(db, OPERATOR, the_forum(db), *codes, editions, now=NOW)


def withdraws_all(people: bool) -> Callable[[Db], Any]:
    return lambda db: delegating.withdraw(db, OPERATOR, the_forum(db), party(db).code, people=people, now=NOW)


FREEING: dict[str, tuple[Callable[[Db], Any], datetime, int]] = {
    "a person is erased": (erases, NOW, 1),
    "a member is withdrawn and the seat is the delegation's again": (withdraws_member(NOW), NOW, 0),
    "a member is withdrawn after the deadline": (withdraws_member(AFTER), AFTER, 2),
    "a delegation is withdrawn and its people stay": (withdraws_all(people=False), NOW, 1),
    "a delegation is withdrawn with its people": (withdraws_all(people=True), NOW, 2),
    "a delegation has fewer seats": (
        lambda db: delegating.resize(db, OPERATOR, the_forum(db), party(db).code, SeatsInput(seats=1), now=NOW),
        NOW,
        1,
    ),
    "two registrations are joined": (joins, NOW, 1),
    "a deadline comes": (lambda db: settle(db, the_forum(db), now=AFTER), AFTER, 1),
}
"""What happens → the deed, when, and how many seats it frees for others."""


@pytest.mark.parametrize("what", FREEING)
def test_what_is_freed_goes_to_those_who_ask_at_the_same_instant_and_no_more(
    either_url: str, forum_file: ForumFile, what: str
):
    databases = [Database(either_url) for _ in range(2)]
    seat_some(databases[0], forum_file)
    deed, now, frees = FREEING[what]
    pens = [Pen(database) for database in databases]
    works = [asks(10, now=now), asks(11, now=now), deed, asks(12, now=now), asks(13, now=now)]
    for pen in pens:
        pen.start()
    with ThreadPoolExecutor(len(works)) as together:
        list(together.map(lambda n: pens[n % 2].write_now(SLUG, works[n]), range(len(works))))
    for pen in pens:
        pen.stop()
    with databases[0].reading() as db:
        assert db.execute(select(func.count()).select_from(_seats)).scalar_one() == HALL, "none wasted, none too many"
        late = _applications.c.request_key.in_([f"key{number}" for number in range(10, 14)])
        states = list(db.execute(select(_applications.c.state).where(late).order_by(_applications.c.id)).scalars())
        assert states == ["seated"] * (1 + frees) + ["waiting"] * (3 - frees), "the first to ask are the first seated"
        assert first_broken(db, SLUG) is None
    for database in databases:
        database.close()
