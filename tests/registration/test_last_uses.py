"""Invitations answered at the same instant by two: one gets it, both get an answer (rules §1.9)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.kit.inputs import parse
from app.kit.pen import Pen
from app.registration import inviting, replying
from app.registration.arranging import put_terms
from app.registration.invitation_inputs import CodeInput, Guest
from app.registration.models import Seat
from tests.cast import NOW, SECRET, SLUG, request, small_terms, the_forum
from tests.conftest import opened

OPERATOR = Actor.operator()


def arrange(url: str, file: ForumFile, capacity: int = 3) -> None:
    """A small hall with one category by invitation."""
    terms, categories = small_terms(file, capacity, THK=(0, None, "invitation"))

    def deed(db: Db) -> None:
        put_terms(db, OPERATOR, the_forum(db), terms.model_copy(update={"opens_at": NOW}), categories, now=NOW)

    with opened(url) as database:
        Pen(database).write_now(SLUG, deed)


def guest(number: int, **changes: str) -> Guest:
    named = {"email": f"guest{number}@senate.example", "family_name": f"Guest{number}"}
    return parse(Guest, {"category": "THK", "language": "en", **named, **changes})


def invited(url: str, **changes: str) -> Any:
    """The row of an invitation made before the race."""
    with opened(url) as database:

        def deed(db: Db) -> Any:
            code = inviting.invite(db, OPERATOR, the_forum(db), guest(0, **changes), SECRET, now=NOW)
            return inviting.invitation_of(db, the_forum(db), code)

        return Pen(database).write_now(SLUG, deed)


def coded(url: str, uses: str, **changes: str) -> int:
    """The id of an invitation by code made before the race."""
    sent = parse(CodeInput, {"category": "THK", "uses": uses, "code": "SENATE-7F3K", **changes})

    def deed(db: Db) -> int:
        inviting.make_code(db, OPERATOR, the_forum(db), sent, now=NOW)
        return int(replying.invitation_by_code(db, the_forum(db), "senate 7f3k").id)

    with opened(url) as database:
        return Pen(database).write_now(SLUG, deed)


def at_once(url: str, *deeds: Callable[[Db], Any]) -> list[str]:
    """Each deed by a pen of its own on the same database, all let go together: their answers or refusals, sorted."""
    together = threading.Barrier(len(deeds), timeout=30)

    def do(deed: Callable[[Db], Any]) -> str:
        with opened(url) as database:
            pen = Pen(database)
            together.wait()
            try:
                return str(pen.write_now(SLUG, deed))
            except Refused as refused:
                return refused.code

    with ThreadPoolExecutor(len(deeds)) as people:
        return sorted(people.map(do, deeds))


def accepting(invitation: int, number: int) -> Callable[[Db], str]:
    sent = request(email=f"senator{number}@senate.example", family_name=f"Senator{number}", category="THK")

    def deed(db: Db) -> str:
        return replying.accept(db, the_forum(db), invitation, sent, f"key{number}", SECRET, now=NOW).state

    return deed


def seats(url: str) -> int:
    with opened(url) as database:
        return int(database.read(lambda db: db.execute(select(func.count()).select_from(table(Seat))).scalar_one()))


@pytest.mark.parametrize("reserves", ["", "yes"])
def test_the_last_use_of_a_code_goes_to_one_of_two(either_url: str, forum_file: ForumFile, reserves: str) -> None:
    arrange(either_url, forum_file)
    code = coded(either_url, "1", reserves=reserves)
    assert at_once(either_url, accepting(code, 1), accepting(code, 2)) == ["invitation_used", "seated"]
    assert seats(either_url) == 1


def test_the_last_seat_is_kept_for_one_of_two_invitations(either_url: str, forum_file: ForumFile) -> None:
    arrange(either_url, forum_file, capacity=1)

    def keeping(number: int) -> Callable[[Db], str]:
        def deed(db: Db) -> str:
            inviting.invite(db, OPERATOR, the_forum(db), guest(number, reserves="yes"), SECRET, now=NOW)
            return "invited"

        return deed

    assert at_once(either_url, keeping(1), keeping(2)) == ["invited", "not_enough_seats"]
    assert seats(either_url) == 1


def test_an_answer_and_a_withdrawal_at_once_leave_one_truth(either_url: str, forum_file: ForumFile) -> None:
    arrange(either_url, forum_file)
    row = invited(either_url, reserves="yes")

    def withdrawing(db: Db) -> str:
        inviting.withdraw(db, OPERATOR, the_forum(db), row.code, now=NOW)
        return "withdrawn"

    answers = at_once(either_url, accepting(row.id, 1), withdrawing)
    assert answers in (["invitation_answered", "seated"], ["invitation_withdrawn", "withdrawn"])
    assert seats(either_url) == ("seated" in answers)


def test_two_noes_at_once_free_the_seat_once(either_url: str, forum_file: ForumFile) -> None:
    arrange(either_url, forum_file)
    row = invited(either_url, reserves="yes")

    def declining(db: Db) -> bool:
        return replying.decline(db, the_forum(db), row.id, "", now=NOW)

    assert at_once(either_url, declining, declining) == ["False", "True"]
    assert seats(either_url) == 0
