"""Titles follow the script of the name they stand beside."""

import pytest

from app.registration.people import shown_name
from app.registration.rules.titles import PAIRS, titles_beside


@pytest.mark.parametrize(("latin", "khmer"), PAIRS)
def test_each_pair_leads_to_the_other_script_and_back(latin: str, khmer: str):
    assert titles_beside([latin], khmer=True) == (khmer,)
    assert titles_beside([khmer], khmer=False) == (latin,)
    assert titles_beside([latin], khmer=False) == (latin,)
    assert titles_beside([khmer], khmer=True) == (khmer,)


@pytest.mark.parametrize("typed", ["H.E.", "H.E", "HE", "h. e.", "His Excellency"])
def test_however_it_is_typed_a_title_is_known(typed: str):
    assert titles_beside([typed, "dr"], khmer=True) == ("ឯកឧត្តម", "បណ្ឌិត")


def test_both_ways_to_type_a_khmer_letter_are_one():
    assert titles_beside(["សម្តេច", "សម្ដេច"], khmer=False) == ("Samdech", "Samdech")


def test_a_title_without_a_known_pair_stays_as_typed_and_in_its_place():
    assert titles_beside(["Datuk", "H.E.", "Col."], khmer=True) == ("Datuk", "ឯកឧត្តម", "Col.")


def test_a_person_is_addressed_in_the_script_of_the_name_and_nothing_stored_changes():
    row = {"titles": ["H.E.", "Dr."], "family_name": "Chea", "given_name": "Bopha", "name_km": "ជា បុប្ផា"}
    assert shown_name(row, "km") == "ឯកឧត្តម បណ្ឌិត ជា បុប្ផា"
    assert shown_name(row, "en") == "H.E. Dr. Bopha Chea"
    assert shown_name({**row, "name_km": ""}, "km") == "H.E. Dr. Bopha Chea", "a Latin name keeps Latin titles"
    assert shown_name({**row, "family_name": "", "given_name": ""}, "en") == "ឯកឧត្តម បណ្ឌិត ជា បុប្ផា"
    assert shown_name({**row, "display_name": "Minister H.E. Chea"}, "km") == "Minister H.E. Chea"
    assert row["titles"] == ["H.E.", "Dr."]
