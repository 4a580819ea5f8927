"""Countries by name, in the reader's language."""

from babel import Locale

from app.kit.i18n import Lang, has_text, text_of


def country_name(code: str | None, lang: Lang) -> str:
    """A country's name in the reader's language: the catalogue's where the official short name differs from the
    Unicode one, else that; empty where there is no code or it is not known."""
    if not code:
        return ""
    key = f"registration.country.{code}"
    name = text_of(lang, key) if has_text(lang, key) else str(Locale(lang).territories.get(code, ""))
    # Unicode's Khmer names hold zero-width spaces, which sort and search differently from what people type
    return name.replace("\u200b", "")
