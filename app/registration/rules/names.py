"""Names, addresses and digits: what is compared, and how a family name is written in lists.

Nothing here is stored over what a person typed (rules §2).
"""

import unicodedata

_LATIN = "0123456789"
_KHMER = "០១២៣៤៥៦៧៨៩"
# Khmer's two inherent vowels draw nothing and Unicode advises against them, so they tell no names apart.
_INVISIBLE_KHMER = {"\u17b4", "\u17b5"}


def normal_email(text: str) -> str:
    """The form in which two e-mail addresses are compared (rules §1.10).

    Trimmed, without invisible characters, both parts without case. Dots and "+…" are kept: two addresses that
    only one provider delivers to one box are two addresses.
    """
    return _folded("".join(letter for letter in text if not _is_invisible(letter))).strip()


def normal_name(*parts: str) -> str:
    """The form in which two names are compared, from their parts in order.

    NFC, without case, punctuation and invisible characters (Khmer texts carry U+200B between words); a dash
    counts as a space, and spaces are single. Marks and vowel signs stay: they tell Khmer names apart.
    """
    letters = []
    for letter in _folded(" ".join(parts)):
        kind = unicodedata.category(letter)
        if kind == "Pd":
            letters.append(" ")
        elif not (kind.startswith("P") or kind == "Sk" or _is_invisible(letter)):
            letters.append(letter)
    return " ".join(unicodedata.normalize("NFC", "".join(letters)).split())


def list_name(family: str, given: str, display: str) -> str:
    """The name for lists, family name first and in capitals (rules §2); the display name where there is none.

    Only the family name is put in capitals, and only in what is returned. Khmer has no capitals: it stays.
    """
    if not family.strip():
        return display.strip() or given.strip()
    return f"{family.strip().upper()} {given.strip()}".rstrip()


def _folded(text: str) -> str:
    # Unicode's canonical caseless form (D145): decompose before folding, else some marks fold differently.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _is_invisible(letter: str) -> bool:
    return unicodedata.category(letter) == "Cf" or letter in _INVISIBLE_KHMER
