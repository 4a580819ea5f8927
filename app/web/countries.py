"""Countries by name, in the reader's language."""

import unicodedata
from functools import cache

from babel import Locale

from app.kit.i18n import Lang, has_text, text_of
from app.registration.rules.countries import COUNTRIES, HOST, OTHER


@cache
def countries(lang: Lang) -> list[tuple[str, str]]:
    """Every country one may choose as (code, name): Cambodia first, then by name, "other" at the end."""

    def place(listed: tuple[str, str]) -> tuple[int, str]:
        code, name = listed
        return {HOST: 0, OTHER: 2}.get(code, 1), _sorted_as(name, lang)

    return sorted(((code, country_name(code, lang)) for code in COUNTRIES), key=place)


def country_name(code: str | None, lang: Lang) -> str:
    """A country's name in the reader's language: the catalogue's where the official short name differs from the
    Unicode one, else that; empty where there is no code or it is not known."""
    if not code:
        return ""
    key = f"registration.country.{code}"
    name = text_of(lang, key) if has_text(lang, key) else str(Locale(lang).territories.get(code, ""))
    # Unicode's Khmer names hold zero-width spaces, which sort and search differently from what people type
    return name.replace("\u200b", "")


def _sorted_as(name: str, lang: Lang) -> str:
    # Khmer letters stand in Unicode in the order of the alphabet; taking marks off would change its words
    if lang == "km":
        return name
    letters = unicodedata.normalize("NFD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()
