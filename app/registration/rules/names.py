"""Names and addresses, compared."""

import unicodedata


def normal_email(text: str) -> str:
    return text.strip().casefold()


def normal_name(*parts: str) -> str:
    text = unicodedata.normalize("NFC", " ".join(parts)).casefold()
    text = "".join(c for c in text if c not in "\u200b\u200c\u200d\ufeff")
    text = "".join(c if unicodedata.category(c)[0] != "P" else " " for c in text)
    return " ".join(text.split())
