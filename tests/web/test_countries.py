"""Names and order of the countries in a form."""

import pytest

from app.kit.i18n import Lang
from app.registration.rules.countries import COUNTRIES
from app.web.countries import countries, country_name


def test_countries_are_named_in_the_readers_language() -> None:
    assert country_name("KH", "en") == "Cambodia"
    assert country_name("KH", "km") == "កម្ពុជា"
    assert country_name("QQ", "en") == country_name(None, "km") == ""


def test_official_short_names_are_used_where_the_packaged_ones_differ() -> None:
    assert country_name("KP", "en") == "Democratic People’s Republic of Korea"
    assert country_name("KR", "km") == "សាធារណរដ្ឋកូរ៉េ"
    assert country_name("MM", "en") == "Myanmar"
    assert country_name("SZ", "km") == "អេស្វាទីនី"


@pytest.mark.parametrize("lang", ["en", "km"])
def test_every_country_stands_once_with_a_name_cambodia_first_and_other_last(lang: Lang) -> None:
    listed = countries(lang)
    assert {code for code, _ in listed} == COUNTRIES
    assert len({name for _, name in listed}) == len(listed)
    assert (listed[0][0], listed[-1][0]) == ("KH", "ZZ")
    assert not [name for _, name in listed if not name or "\u200b" in name]


def test_english_names_stand_in_the_order_of_the_alphabet_whatever_their_accents() -> None:
    codes = [code for code, _ in countries("en")]
    assert codes.index("CR") < codes.index("CI") < codes.index("HR"), "Costa Rica, Côte d’Ivoire, Croatia"
    assert codes.index("TN") < codes.index("TR") < codes.index("TM"), "Tunisia, Türkiye, Turkmenistan"
