from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registration.rules.invitations import (
    may_withdraw,
    normal_code,
    refusal_of,
    reminder_at,
    repeated,
    tidy_code,
)
from tests.cast import NOW


@pytest.mark.parametrize("typed", ["SENATE-7F3K", "senate-7f3k", " Senate 7f3k ", "SENATE7F3K", "senate–៧f៣k"])
def test_capitals_spaces_dashes_and_khmer_digits_make_no_difference(typed: str):
    assert normal_code(typed) == "SENATE7F3K"


@given(st.text(max_size=40))
def test_a_tidy_code_is_the_same_code_and_fits_an_address(typed: str):
    tidy = tidy_code(typed)
    assert normal_code(tidy) == normal_code(typed)
    assert tidy_code(tidy) == tidy
    assert set(tidy) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


def test_the_reminder_is_a_week_before_but_not_in_the_first_half_of_the_time():
    assert reminder_at(NOW, None) is None
    assert reminder_at(NOW, NOW + timedelta(days=30)) == NOW + timedelta(days=23)
    assert reminder_at(NOW, NOW + timedelta(days=4)) == NOW + timedelta(days=2)


@pytest.mark.parametrize(
    ("state", "used", "refusal"),
    [
        ("open", 0, ""),
        ("open", 1, "invitation_used"),
        ("accepted", 1, "invitation_used"),
        ("accepted", 0, ""),
        ("declined", 0, "invitation_declined"),
        ("lapsed", 0, "invitation_lapsed"),
        ("withdrawn", 0, "invitation_withdrawn"),
    ],
)
def test_what_keeps_an_invitation_from_being_used(state: str, used: int, refusal: str):
    assert refusal_of(state, None, used, 1, NOW) == refusal


def test_what_may_be_withdrawn_waits_for_an_answer_or_has_no_live_registration_any_more():
    replies = ("open", "accepted", "declined", "lapsed", "withdrawn")
    assert [may_withdraw(state, 0) for state in replies] == [True, True, False, False, False]
    assert (may_withdraw("open", 3), may_withdraw("accepted", 1)) == (True, False)


def test_at_its_last_instant_an_invitation_has_lapsed():
    assert refusal_of("open", NOW, 0, 1, NOW) == "invitation_lapsed"
    assert refusal_of("open", NOW + timedelta(seconds=1), 0, 1, NOW) == ""


def test_addresses_that_stand_twice_are_found_and_empty_ones_are_not():
    assert repeated(["a", "b", "a", "", ""]) == {"a"}
