"""Titles in the other script: beside a name in Khmer letters stands ឯកឧត្តម, beside one in Latin letters H.E.

Titles are typed and kept as they are (rules §2); this is for showing alone. One without a known pair stays as typed.
"""

from collections.abc import Iterable

PAIRS = (
    ("Samdech", "សម្ដេច"),
    ("H.E.", "ឯកឧត្តម"),
    ("Lok Chumteav", "លោកជំទាវ"),
    ("Lok Neak Oknha", "លោកអ្នកឧកញ៉ា"),
    ("Neak Oknha", "អ្នកឧកញ៉ា"),
    ("Oknha", "ឧកញ៉ា"),
    ("Gen.", "ឧត្តមសេនីយ៍"),
    ("Lt. Gen.", "ឧត្តមសេនីយ៍ឯក"),
    ("Maj. Gen.", "ឧត្តមសេនីយ៍ទោ"),
    ("Brig. Gen.", "ឧត្តមសេនីយ៍ត្រី"),
    ("Prof.", "សាស្ត្រាចារ្យ"),
    ("Assoc. Prof.", "សាស្ត្រាចារ្យរង"),
    ("Dr.", "បណ្ឌិត"),
    ("Mr.", "លោក"),
    ("Mrs.", "លោកស្រី"),
)
"""Titles that are each other's in Latin and in Khmer letters."""
ALSO = {
    "his excellency": "ឯកឧត្តម",
    "her excellency": "លោកជំទាវ",
    "general": "ឧត្តមសេនីយ៍",
    "professor": "សាស្ត្រាចារ្យ",
    "doctor": "បណ្ឌិត",
}
"""Other ways to type them, as compared."""


def _compared(title: str) -> str:
    # ្ត and ្ដ look the same and are typed for each other
    return " ".join(title.casefold().replace(".", " ").split()).replace("្ត", "្ដ")


_TO_KHMER = {**ALSO, **{_compared(latin): khmer for latin, khmer in PAIRS}, "he": "ឯកឧត្តម"}
_TO_LATIN = {_compared(khmer): latin for latin, khmer in PAIRS}


def titles_beside(titles: Iterable[str], *, khmer: bool) -> tuple[str, ...]:
    """The titles, in their order, in the script of the name they stand beside: Khmer letters or Latin ones."""
    known = _TO_KHMER if khmer else _TO_LATIN
    return tuple(known.get(_compared(title), title) for title in titles)
