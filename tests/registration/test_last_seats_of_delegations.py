"""A delegation's deeds at the same instant as others': one gets the seat, the other an answer (rules §1.9)."""

from concurrent.futures import Future
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.kit.db import Database
from app.kit.errors import Refused
from app.kit.pen import Pen
from app.registration import nominating
from app.registration.applying import apply
from app.registration.arranging import put_terms
from app.registration.delegating import resize
from app.registration.delegation_inputs import SeatsInput
from app.registration.delegations import seat_rows
from tests.cast import NOW, SECRET, SLUG, small_terms, somebody, the_forum
from tests.embassies import delegate, make_delegation, name_some


def arranged(database: Database, file: ForumFile, capacity: int, seats: int) -> Any:
    """A hall with a delegation in it; its row."""
    terms, categories = small_terms(file, capacity, STU=(0, None, "open"))

    def deed(db: Any) -> Any:
        put_terms(db, Actor.operator(), the_forum(db), terms.model_copy(update={"opens_at": NOW}), categories, now=NOW)
        return make_delegation(db, "STU", seats)

    return Pen(database).write_now(SLUG, deed)


def at_once(database: Database, *deeds: Any) -> list[str]:
    """What becomes of deeds that two processes' pens are given at the same instant: `done` or the refusal's code."""
    pens = [Pen(database) for _ in deeds]
    for pen in pens:
        pen.start()
    answers: list[Future[Any]] = [pen.submit(SLUG, deed) for pen, deed in zip(pens, deeds, strict=True)]
    told = []
    for answer in answers:
        failure = answer.exception(60)
        assert failure is None or isinstance(failure, Refused), failure
        told.append("done" if failure is None else failure.faults[0].code)
    for pen in pens:
        pen.stop()
    return sorted(told)


def test_two_forms_name_somebody_on_the_last_unnamed_seat(either_database: Database, forum_file: ForumFile) -> None:
    row = arranged(either_database, forum_file, 2, 1)
    deeds = [lambda db, n=n: name_some(db, row, delegate(n)) for n in (1, 2)]
    assert at_once(either_database, *deeds) == ["done", "seats_unnamed"]


def test_a_seat_is_handed_back_and_named_at_once(either_database: Database, forum_file: ForumFile) -> None:
    row = arranged(either_database, forum_file, 1, 1)
    by = Actor.focal_point(row.id)
    told = at_once(
        either_database,
        lambda db: name_some(db, row, delegate(1)),
        lambda db: nominating.hand_back(db, by, the_forum(db), row.code, 1, now=NOW),
    )
    assert told == ["done", "seats_unnamed"]


def test_two_substitutes_for_one_person(either_database: Database, forum_file: ForumFile) -> None:
    row = arranged(either_database, forum_file, 1, 1)
    (old,) = Pen(either_database).write_now(SLUG, lambda db: name_some(db, row, delegate(1)))
    by = Actor.focal_point(row.id)

    def swap(number: int) -> Any:
        new, key = delegate(number), f"key{number}"
        return lambda db: nominating.substitute(db, by, the_forum(db), row.code, old, new, key, SECRET, now=NOW)

    pens = [Pen(either_database), Pen(either_database)]
    for pen in pens:
        pen.start()
    failures = [answer.exception(60) for answer in [pen.submit(SLUG, swap(n)) for n, pen in enumerate(pens, 2)]]
    for pen in pens:
        pen.stop()
    assert [type(failure).__name__ for failure in sorted(failures, key=str)].count("NotFound") == 1
    assert len(either_database.read(lambda db: seat_rows(db, row.id))) == 1


@pytest.mark.parametrize("invites", [True, False])
def test_the_last_seat_goes_to_a_delegation_or_to_a_person(
    either_database: Database, forum_file: ForumFile, invites: bool
) -> None:
    row = arranged(either_database, forum_file, 3, 2)
    sent = somebody(1)

    def more(db: Any) -> Any:
        if invites:
            return make_delegation(db, "STU", 1, institution="Another")
        return resize(db, Actor.operator(), the_forum(db), row.code, SeatsInput(seats=3), now=NOW)

    states: list[str] = []

    def ask(db: Any) -> None:
        states.append(apply(db, Actor.visitor(), the_forum(db), sent, "key", SECRET, now=NOW).state)

    told = at_once(either_database, more, ask)
    assert (told, states[-1]) in (
        (["done", "done"], "waiting"),
        (["delegation_no_room", "done"], "seated"),
    )
