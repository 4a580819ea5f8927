"""Institutions by name, in the reader's language, for a field that offers them and takes any other."""

from functools import cache

from app.kit.i18n import Lang, text_of
from app.registration.rules.institutions import CAPITAL, PROVINCES, STATE


@cache
def institutions(lang: Lang) -> tuple[str, ...]:
    """The chambers and ministries, then the administrations of the capital and the provinces by name."""
    state = [text_of(lang, f"institutions.state.{code}") for code in STATE]
    capital = text_of(lang, "institutions.capital_of", name=province(lang, CAPITAL))
    names = sorted(province(lang, code) for code in PROVINCES if code != CAPITAL)
    return (*state, capital, *(text_of(lang, "institutions.province_of", name=name) for name in names))


def province(lang: Lang, code: str) -> str:
    """A province's name by its official code; the capital is one of them."""
    return text_of(lang, f"institutions.province.{code}")
