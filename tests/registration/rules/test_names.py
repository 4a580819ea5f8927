"""Comparing names and addresses, printing family names."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.registration.rules.names import (
    list_name,
    normal_email,
    normal_name,
    written_name,
)

moderate = settings(deadline=None)


@pytest.mark.parametrize(
    "typed",
    ["Bopha@Example.ORG", "  bopha@example.org\n", "bopha\u200b@example.org", "\ufeffBOPHA@EXAMPLE.ORG"],
)
def test_the_same_address_is_recognised_however_it_was_typed(typed: str) -> None:
    assert normal_email(typed) == "bopha@example.org"


def test_an_address_keeps_its_dots_and_plus_signs() -> None:
    assert normal_email("b.o+forum@example.org") == "b.o+forum@example.org"
    assert normal_email("bo@example.org") != normal_email("b.o@example.org")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sokha  Vanna", "sokha vanna"),
        ("Jean-Luc", "jean luc"),
        ("O'Neil", "O´Neil"),
        ("O’Neil", "ONeil"),
        ("H.E. Dara,", "he dara"),
        ("Rene\u0301", "René"),
        ("សុខ\u200bវណ្ណា", "សុខវណ្ណា"),
        ("សុខ\u200c វណ្ណា\ufeff", "សុខ វណ្ណា"),
        ("ស\u17b4ុខ\u200d", "សុខ"),
        ("STRASSE", "straße"),
    ],
)
def test_names_that_differ_in_what_nobody_reads_are_the_same(one: str, other: str) -> None:
    assert normal_name(one) == normal_name(other)


@pytest.mark.parametrize(
    ("one", "other"), [("សុខ", "សុខា"), ("ដារ៉ា", "ដារា"), ("វណ្ណា", "វណា"), ("René", "Rene"), ("Chan", "Chann")]
)
def test_names_that_differ_in_a_letter_or_a_mark_are_two(one: str, other: str) -> None:
    assert normal_name(one) != normal_name(other)


def test_the_parts_of_a_name_are_joined_in_their_order() -> None:
    assert normal_name("Sok", "", "Vanna") == "sok vanna"
    assert normal_name("Sok", "Vanna") != normal_name("Vanna", "Sok")


@moderate
@given(st.text())
def test_comparing_forms_are_stable(text: str) -> None:
    assert normal_name(normal_name(text)) == normal_name(text)
    assert normal_email(normal_email(text)) == normal_email(text)


@moderate
@given(st.text(alphabet="abÀéßⅷ Ωខ្មែរុំ\u0301\u0345\u200b-'"), st.sampled_from(["NFC", "NFD"]))
def test_the_way_a_keyboard_composes_a_letter_makes_no_difference(text: str, form: str) -> None:
    assert normal_name(unicodedata.normalize(form, text)) == normal_name(text)
    assert unicodedata.is_normalized("NFC", normal_name(text))


def test_lists_print_the_family_name_in_capitals_and_leave_the_rest() -> None:
    assert list_name("Sok", "Vanna", "H.E. Vanna Sok") == "SOK Vanna"
    assert list_name(" van der Meer ", "anna McKay", "") == "VAN DER MEER anna McKay"
    assert list_name("Sok", "", "x") == "SOK"


def test_a_name_without_family_name_is_listed_as_it_was_typed() -> None:
    assert list_name("", "", "Venerable Bopha") == "Venerable Bopha"
    assert list_name(" ", "Bopha", "") == "Bopha"


def test_khmer_names_are_listed_letter_for_letter() -> None:
    assert list_name("សុខ", "វណ្ណា", "") == "សុខ វណ្ណា"


def test_the_order_somebody_stated_is_followed_in_text_and_in_lists_and_nothing_else_decides_it():
    assert list_name("Mohamed", "Sales", "", "given") == "Sales MOHAMED"
    assert list_name("Mohamed", "Sales", "", "family") == list_name("Mohamed", "Sales", "") == "MOHAMED Sales"
    assert list_name("Mohamed", "", "", "given") == "MOHAMED"
    assert written_name("van der Meer", "anna", "family") == "van der Meer anna"
    assert written_name("van der Meer", "anna", "given") == written_name("van der Meer", "anna") == "anna van der Meer"
