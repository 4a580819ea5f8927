"""Finding sessions by words, forgivingly: case, hyphens, invisible characters and the kind of digits do not matter."""

import re
import unicodedata
from collections.abc import Iterable

_DASHES = dict.fromkeys(map(ord, "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2212"))
_TO_SPACE = dict.fromkeys(_DASHES, " ")
# zero-width space and joiners mark where Khmer may break: one writer sets them, the next does not
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_DIGITS = str.maketrans("០១២៣៤៥៦៧៨៩", "0123456789")


def fold(text: str) -> str:
    """The text as it is compared: composed, lower case, Latin digits, nothing invisible, single spaces."""
    plain = unicodedata.normalize("NFC", text).translate(_INVISIBLE).translate(_DIGITS).casefold()
    return " ".join(plain.split())


def haystack(texts: Iterable[str]) -> str:
    """Everything that may be found in one thing, folded once; hyphenated words stand in it joined and apart."""
    whole = fold("\n".join(texts))
    return f"{whole.translate(_DASHES)} {whole.translate(_TO_SPACE)}"


def found(query: str, in_haystack: str) -> bool:
    """Does every word of the query stand in it? An empty query finds everything.

    Words are found by how they begin ("sea" finds "seas", not "research"), Khmer anywhere: it writes no spaces.
    """
    return all(_begins(word, in_haystack) for word in fold(query).translate(_TO_SPACE).split())


def _begins(word: str, in_haystack: str) -> bool:
    if "\u1780" <= word[0] <= "\u17ff":
        return word in in_haystack
    return re.search(rf"(?<![^\W_]){re.escape(word)}", in_haystack) is not None
