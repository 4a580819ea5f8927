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
    if text.isascii():  # nothing in it is invisible or has marks
        return text.lower().strip()
    return _folded("".join(letter for letter in text if not _is_invisible(letter))).strip()


def normal_name(*parts: str) -> str:
    """The form in which two names are compared, from their parts in order.

    NFC, without case, punctuation and invisible characters (Khmer texts carry U+200B between words); a dash
    counts as a space, and spaces are single. Marks and vowel signs stay: they tell Khmer names apart.
    """
    compared = _folded(" ".join(parts)).translate(_COMPARED)
    return " ".join(unicodedata.normalize("NFC", compared).split())


class _Compared(dict[int, str]):
    """What each letter counts as where names are compared, found out when it is first met: every registration asks for
    the same few. Those beyond the alphabets are not kept, so that nobody can fill the memory with them."""

    def __missing__(self, code: int) -> str:
        letter = counts_as = chr(code)
        kind = unicodedata.category(letter)
        if kind == "Pd":
            counts_as = " "
        elif kind.startswith("P") or kind == "Sk" or _is_invisible(letter):
            counts_as = ""
        if code < _ALPHABETS:
            self[code] = counts_as
        return counts_as


_ALPHABETS = 0x3000
_COMPARED = _Compared()


GIVEN_FIRST = "given"
"""The stated order of a Latin name whose given name stands first: Western and Cham names. The other is `family`."""


def list_name(family: str, given: str, display: str, order: str = "") -> str:
    """The name for lists, family name in capitals and first (rules §2) unless the person stated that the given name
    is; the display name where there is none.

    Only the family name is put in capitals, and only in what is returned. Khmer has no capitals: it stays.
    """
    family, given = family.strip(), given.strip()
    if not family:
        return display.strip() or given
    parts = (given, family.upper()) if order == GIVEN_FIRST else (family.upper(), given)
    return " ".join(part for part in parts if part)


def written_name(family: str, given: str, order: str = "") -> str:
    """A Latin name in running text, in the order the person stated; given name first where nothing was stated, as
    passports are read out. Nothing is re-cased."""
    parts = (family, given) if order == "family" else (given, family)
    return " ".join(part for part in parts if part)


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    # Unicode's canonical caseless form (D145): decompose before folding, else some marks fold differently.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _is_invisible(letter: str) -> bool:
    return unicodedata.category(letter) == "Cf" or letter in _INVISIBLE_KHMER
