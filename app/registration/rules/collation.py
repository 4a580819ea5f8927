"""The order of names in lists: Latin by letters, Khmer by its dictionary's order, as keys to be compared byte by byte.

A database compares text by its own collation or by code points, and Khmer names stand in neither in the order in which
a reader looks for them. The order here is that of CLDR for Khmer: consonants with the independent vowels among them,
then what has a vowel, then what has a subscript; signs and the inherent vowels decide only between equals.
"""

import unicodedata
from functools import lru_cache

NOWHERE = b"\xff"
"""The key of what has no name, or none any more: behind everything."""
_LONGEST = 80
"""So many bytes of a key are the letters; beyond them nobody looks."""
_LETTERS = "កខគឃងចឆជឈញដឋឌឍណតថទធនបផពភមយរឫឬលឭឮវឝឞសហឡអ"
_VOWELS = (
    *(chr(code) for code in range(0x17B6, 0x17C6)),
    *("\u17bb\u17c6", "\u17c6", "\u17b6\u17c6", "\u17c7"),
    *("\u17b7\u17c7", "\u17bb\u17c7", "\u17c1\u17c7", "\u17c4\u17c7"),
)
"""Dependent vowels in order; those with a sign after them that count as one come last."""
_SPELT = {
    "\u17a3": "អ",
    "\u17a4": "អា",
    "\u17a5": "អិ",
    "\u17a6": "អី",
    "\u17a7": "អុ",
    "\u17a8": "អុក",
    "\u17a9": "អូ",
    "\u17aa": "អូវ",
    "\u17af": "អេ",
    "\u17b0": "អៃ",
    "\u17b1": "អោ",
    "\u17b2": "អោ",
    "\u17b3": "អៅ",
}
"""Independent vowels stand where the word would stand if it were spelt with អ."""
_LATIN = {"đ": "d", "ð": "d", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"}
_COENG, _ROBAT = "\u17d2", "\u17cc"
_SPACE, _DIGITS, _FIRST_KHMER, _FIRST_LATIN, _OTHER = 0x02, 0x04, 0x10, 0x80, 0xA0
_WEIGHTS: dict[str, int] = {
    each: _FIRST_KHMER + place for place, each in enumerate((*_LETTERS, *_VOWELS, _COENG, _ROBAT))
}


def sort_key(*parts: str) -> bytes:
    """The key of a text, from its parts in order: two keys stand to each other as their texts stand in a list.

    Neither case nor accents, nor invisible characters, nor Khmer's signs decide but between texts that are otherwise
    the same. Figures come first, then Khmer, then Latin, then every other script.
    """
    text = unicodedata.normalize("NFC", " ".join(part for part in parts if part))
    return _primary(text)[:_LONGEST] + b"\x00" + text.encode()[: _LONGEST // 2]


def name_key(latin: str, khmer: str) -> bytes:
    """A person's key in a list by Latin names; whoever has none stands behind, by the Khmer one, and whoever has
    neither behind everybody."""
    if not (latin.strip() or khmer.strip()):
        return NOWHERE
    return b"\x01" + sort_key(latin) if latin.strip() else b"\x02" + sort_key(khmer)


def khmer_key(khmer: str, latin: str) -> bytes:
    """A person's key in a list by Khmer names; whoever has none stands behind, by the Latin one."""
    return name_key(khmer, latin)


def _primary(text: str) -> bytes:
    if text.isascii():
        return b"".join(map(_weight, text))  # what follows is about Khmer, and about what cannot be seen
    spelt = "".join(_SPELT.get(letter, letter) for letter in text if unicodedata.category(letter) != "Cf")
    found, at = bytearray(), 0
    while at < len(spelt):
        pair = spelt[at : at + 2]
        if len(pair) == 2 and pair in _WEIGHTS:
            found.append(_WEIGHTS[pair])
            at += 2
            continue
        vowel = spelt[at - 1 : at] if at else ""
        letter = spelt[at]
        after_vowel = letter in "\u17c6\u17c7" and "\u17b6" <= vowel <= "\u17c5"
        if not after_vowel:
            found += _weight(letter)
        at += 1
    return bytes(found)


@lru_cache(maxsize=4096)
def _weight(letter: str) -> bytes:
    if letter in _WEIGHTS:
        return bytes((_WEIGHTS[letter],))
    if "\u1780" <= letter <= "\u17df":
        return b""
    if letter.isdecimal():
        return bytes((_DIGITS + unicodedata.decimal(letter),))
    found = bytearray()
    for each in unicodedata.normalize("NFKD", letter.casefold()):
        kind = unicodedata.category(each)
        if kind[0] in "MPC" and kind != "Pd":
            continue
        if kind[0] == "Z" or kind == "Pd":
            found.append(_SPACE)
        else:
            for plain in _LATIN.get(each, each):
                small = "a" <= plain <= "z"
                found += bytes((_FIRST_LATIN + ord(plain) - 97,)) if small else _far(plain)
    return bytes(found)


def _far(letter: str) -> bytes:
    return bytes((_OTHER,)) + ord(letter).to_bytes(3)
