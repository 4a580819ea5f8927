"""The offered institutions: a checked list, named in both languages."""

from app.kit.i18n import catalogue
from app.registration.rules.institutions import CAPITAL, PROVINCES, STATE
from app.web.institutions import institutions


def test_there_are_twenty_five_provinces_the_capital_among_them():
    assert len(set(PROVINCES)) == 25
    assert catalogue("en")[f"institutions.province.{CAPITAL}"] == "Phnom Penh"
    for lang in ("en", "km"):
        names = [catalogue(lang)[f"institutions.province.{code}"] for code in PROVINCES]
        assert len(set(names)) == 25


def test_every_name_stands_once_in_each_language():
    for lang in ("en", "km"):
        assert len(set(institutions(lang))) == len(STATE) + 25
    assert all("\u1780" <= name[0] <= "\u17ff" for name in institutions("km"))
