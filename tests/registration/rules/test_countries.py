"""The list of countries: members, observers, and a way for everybody else."""

from app.registration.rules.countries import COUNTRIES, HOST, MEMBERS, OBSERVERS, OTHER


def test_there_are_193_members_two_observers_and_one_other() -> None:
    assert (len(MEMBERS), len(OBSERVERS), len(COUNTRIES)) == (193, 2, 196)
    assert {HOST, "KP", "KR", "SS", "TL"} <= MEMBERS
    assert OTHER in COUNTRIES


def test_pseudo_and_uninhabited_territories_cannot_be_chosen() -> None:
    assert not COUNTRIES & {"XA", "XB", "AQ", "QO", "EA", "BV", "CQ", "EU", "UN"}
