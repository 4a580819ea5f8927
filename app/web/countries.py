"""Countries to choose from, by name in the reader's language."""

import unicodedata
from functools import cache

from app.kit.i18n import Lang
from app.registration.rules.countries import COUNTRIES, HOST, OTHER
from app.reports.countries import country_name

__all__ = ["countries", "country_name"]


@cache
def countries(lang: Lang) -> list[tuple[str, str]]:
    """Every country one may choose as (code, name): Cambodia first, then by name, "other" at the end."""

    def place(listed: tuple[str, str]) -> tuple[int, str]:
        code, name = listed
        return {HOST: 0, OTHER: 2}.get(code, 1), _sorted_as(name, lang)

    return sorted(((code, country_name(code, lang)) for code in COUNTRIES), key=place)


def _sorted_as(name: str, lang: Lang) -> str:
    # Khmer letters stand in Unicode in the order of the alphabet; taking marks off would change its words
    if lang == "km":
        return name
    letters = unicodedata.normalize("NFD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()
