"""Assistants: how many people one address may register, and that the answer says nothing of who is registered."""

from typing import Any

import pytest

from app.accounts.actor import Actor
from app.kit.db import Db
from app.kit.errors import Refused
from app.registration.applying import Asked, application_of, apply, cancel, confirm
from app.registration.assistants import Principals, is_read
from tests.cast import NOW, RITH, SECRET, holder, request, the_forum

ADDRESS = "office@ministry.example"


def principal(db: Db, number: int, *, key: str = "", by: Actor | None = None, **limits: int) -> Asked:
    names = {"family_name": "Principal" + "abcdefghijklmnop"[number], "category": "STU"}
    sent = request(RITH, email=ADDRESS, assistant_name="Somebody in the office", **names)
    which: dict[str, Any] = {"principals": Principals(**limits)} if limits else {}
    return apply(db, by or Actor.visitor(), the_forum(db), sent, key or f"key{number}", SECRET, now=NOW, **which)


def confirmed(db: Db, asked: Asked) -> None:
    row = application_of(db, the_forum(db), asked.code)
    confirm(db, holder(row), the_forum(db), asked.code, now=NOW)


def test_an_address_nobody_has_confirmed_registers_three_principals_and_goes_on_once_it_is(db: Db) -> None:
    first, *_ = [principal(db, number) for number in range(3)]
    own = application_of(db, the_forum(db), first.code).forum_id
    assert not is_read(db, own, ADDRESS)
    with pytest.raises(Refused, match="assistant_unconfirmed"):
        principal(db, 3)
    confirmed(db, first)
    assert is_read(db, own, ADDRESS)
    assert principal(db, 3).state == "seated"


def test_one_confirmed_principal_lifts_the_limit_to_ten_and_not_for_ever(db: Db) -> None:
    confirmed(db, principal(db, 0))
    everybody = [principal(db, number) for number in range(1, 10)]
    assert {asked.state for asked in everybody} == {"seated"}
    with pytest.raises(Refused, match="assistant_enough"):
        principal(db, 10)
    gone = application_of(db, the_forum(db), everybody[0].code)
    cancel(db, holder(gone), the_forum(db), gone.code, now=NOW)
    assert principal(db, 10).state == "seated"


@pytest.mark.parametrize(("limits", "number"), [({"unconfirmed": 1, "most": 0}, 1), ({"unconfirmed": 0, "most": 2}, 2)])
def test_both_limits_can_be_set_and_left_out(db: Db, limits: dict[str, int], number: int) -> None:
    for each in range(number):
        principal(db, each, **limits)
    with pytest.raises(Refused, match="assistant_"):
        principal(db, number, **limits)
    assert [principal(db, each, unconfirmed=0, most=0).state for each in range(number, 14)] == ["seated"] * (
        14 - number
    )


def test_an_organiser_registers_as_many_as_there_are(db: Db) -> None:
    assert {principal(db, number, by=Actor.operator()).state for number in range(12)} == {"seated"}


@pytest.mark.parametrize("limits", [{"unconfirmed": 3, "most": 0}, {"unconfirmed": 0, "most": 3}])
def test_at_a_limit_a_name_that_is_there_and_one_that_is_not_are_answered_alike(db: Db, limits: dict[str, int]) -> None:
    for number in range(3):
        principal(db, number)
    answers = []
    for number in (1, 9):
        with pytest.raises(Refused) as refused:
            principal(db, number, key=f"another{number}", **limits)
        answers.append((refused.value.code, refused.value.values))
    assert answers[0] == answers[1]
